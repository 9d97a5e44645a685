#!/usr/bin/env bash
# Installs what is missing of tools/packages.txt, and returns at once when
# nothing is.
#
#   tools/install_packages.sh [section]...    default: build test dev
#
# MILLRACE_SKIP_PACKAGES=1 skips it, for systems other than Debian.
set -euo pipefail

[ -z "${MILLRACE_SKIP_PACKAGES:-}" ] || exit 0

cd "$(dirname "$0")"
if [ $# -eq 0 ]; then
  set -- build test dev
fi

wanted=()
for section in "$@"; do
  mapfile -t names < <(awk -v want="[$section]" '
    /^\[/ { found = ($0 == want); next }
    found && NF && $1 !~ /^#/ { print $1 }' packages.txt)
  if [ ${#names[@]} -eq 0 ]; then
    echo "tools/packages.txt has no section [$section]" >&2
    exit 2
  fi
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This is not Debian: install the counterparts of these packages yourself:" >&2
  printf '  %s\n' "${wanted[@]}" >&2
  echo "and set MILLRACE_SKIP_PACKAGES=1." >&2
  exit 1
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for name in "${wanted[@]}"; do
  grep -qxF "installed $name" <<<"$installed" || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages, and neither root nor sudo: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
"${apt[@]}" update
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; then
  echo "The names in tools/packages.txt are Debian 12's; other releases may call them otherwise." >&2
  exit 1
fi
