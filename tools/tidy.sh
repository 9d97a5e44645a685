#!/usr/bin/env bash
# Runs clang-tidy with the compile commands of the preset tidy.
#
#   tools/tidy.sh --all              every source
#   tools/tidy.sh --changed <rev>    sources that differ from <rev>, work tree included
#
# A header is looked at through the source of its name, or where there is none
# through the one-line source of the target millrace_headers.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/tidy
commands=$build/compile_commands.json

known=$(python3 -c '
import json, os, sys
for entry in json.load(open(sys.argv[1])):
    print(os.path.relpath(entry["file"]))' "$commands" | sort -u)

case "${1:-}" in
  --all)
    wanted=$known
    ;;
  --changed)
    base=${2:?a revision}
    if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
      echo "tidy: no revision $base here, looking at the work tree only"
      base=HEAD
    fi
    wanted=$( (git diff --name-only --diff-filter=d "$base"
               git ls-files --others --exclude-standard) |
      sed -nE -e '/\.cc$/p' \
        -e "s#^(src|include)/(millrace/.*)\.h\$#\1/\2.cc\n$build/headers/\2.cc#p" | sort -u)
    ;;
  *)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac

files=$(comm -12 <(echo "$known") <(echo "$wanted"))
if [ -z "$files" ]; then
  echo "tidy: nothing to look at"
  exit 0
fi
echo "tidy: $(wc -l <<<"$files") sources"
xargs -r -n 1 -P "$(nproc)" clang-tidy-19 --quiet -p "$build" <<<"$files" \
  2> >(grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^$' >&2)
