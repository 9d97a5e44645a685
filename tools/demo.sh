#!/usr/bin/env bash
# `make run`: the example shop, served until Ctrl-C: made-up clicks, orders and temperatures, this
# machine's dpkg log, and reviews that are posted as the README shows.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/release/millrace run examples/shop --data-dir "${DATA_DIR:-build/demo-data}" \
  --listen "${LISTEN:-127.0.0.1:8080}"
