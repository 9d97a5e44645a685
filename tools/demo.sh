#!/usr/bin/env bash
# `make run`: the example project, served until Ctrl-C. It reads this machine's dpkg log and takes
# clicks as the README shows.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/release/millrace run examples/demo --data-dir "${DATA_DIR:-build/demo-data}" \
  --listen "${LISTEN:-127.0.0.1:8080}"
