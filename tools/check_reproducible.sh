#!/usr/bin/env bash
# Builds the wheel of the last commit twice, in different directories, and compares the bytes.   PYTHON=python3 tools/check_reproducible.sh
# Needs setuptools, pybind11 and Cython in that Python. The time stamps of all files become that of the commit.
set -euo pipefail

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
umask 022

for build in first second; do
  git clone --quiet "$here" "$work/$build/clone"
  "$python" -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir "$work/$build" "$work/$build/clone"
done
cd "$work"
sha256sum first/*.whl second/*.whl
cmp first/*.whl second/*.whl
echo 'the same bytes'
