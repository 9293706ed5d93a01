#!/usr/bin/env bash
# Cross-compiles the library for aarch64, warnings as errors, and runs its tests under an emulator; then the tests of the x86-64 build on
# an emulated processor without AVX. Debian: g++-aarch64-linux-gnu, qemu-user, cmake.   tools/check_arm.sh [build directory]
set -euo pipefail

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${1:-$here/build/arm}
jobs=${DWSEP_BUILD_JOBS:-$(nproc)}
export DWSEP_TEST_NO_FORK=1  # qemu-user aborts when a forked child starts a thread

cmake -S "$here/cpp" -B "$work/aarch64" -DDWSEP_WERROR=ON -DDWSEP_BUILD_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64;-L;/usr/aarch64-linux-gnu"
cmake --build "$work/aarch64" --parallel "$jobs"
ctest --test-dir "$work/aarch64" --output-on-failure

echo 'vector registers that the inner loops keep on the stack:'
for kernel in gemm_tiles 'Slide<.*3, 3' 'tile_columns<.*5, 5' 'tile_columns<.*7, 7' '::transpose\('; do
  echo "$kernel"
  find "$work/aarch64" -path '*isa/neon/*.o' -exec aarch64-linux-gnu-objdump -dC --no-show-raw-insn {} + |
    python3 "$here/tools/inner_loops.py" "$kernel"
done

if [ "$(uname -m)" = x86_64 ]; then
  cmake -S "$here/cpp" -B "$work/x86-64" -DDWSEP_BUILD_TESTS=ON
  cmake --build "$work/x86-64" --parallel "$jobs"
  for test in "$work"/x86-64/tests/test_*; do
    if [ -x "$test" ] && [ -f "$test" ]; then qemu-x86_64 -cpu Nehalem "$test" || [ $? -eq 77 ]; fi
  done
fi
echo 'aarch64 and plain x86-64: all passed'
