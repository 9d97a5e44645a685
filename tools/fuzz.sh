#!/usr/bin/env bash
# Runs each fuzzer of build/fuzz for a time, on its corpus and on what earlier
# runs found. An input that fails stays in build/fuzz/failures: reduce it, put
# it into the fuzzer's corpus, where ctest replays it, and mend the code.
#
#   tools/fuzz.sh [seconds]    default: 60
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p build/fuzz/failures
failed=()
shopt -s nullglob
for list in build/fuzz/fuzzers/*.corpus; do
  name=$(basename "$list" .corpus)
  corpus=$(<"$list")
  found=build/fuzz/found/$name
  mkdir -p "$found"
  folders=("$found")
  [ ! -d "$corpus" ] || folders+=("$corpus")
  echo "== $name, $seconds s"
  if ! "build/fuzz/fuzzers/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/failures/$name-" "${folders[@]}" \
    >"build/fuzz/$name.log" 2>&1; then
    failed+=("$name")
    tail -n 60 "build/fuzz/$name.log"
  else
    grep -E '^stat::(number_of_executed_units|average_exec_per_sec)' "build/fuzz/$name.log"
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzzers that found something: ${failed[*]} (build/fuzz/failures)"
  exit 1
fi
