#!/usr/bin/env bash
# Formats the C++ sources that git knows, or with --check only compares.
set -euo pipefail
cd "$(dirname "$0")/.."

options=(-i)
if [ "${1:-}" = --check ]; then
  options=(--dry-run --Werror --ferror-limit=3)
fi
git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc' ':!**/fixtures/**' |
  while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done |
  xargs -0 -r -n 16 -P "$(nproc)" clang-format-19 "${options[@]}"
