#!/usr/bin/env bash
# Runs the C++ tests for processors that are not here, under emulators.   tools/check_cross.sh [aarch64|riscv64|nehalem]... all without one
#   aarch64   cross-compiled with NEON, warnings as errors; and what the inner loops keep on the stack
#   riscv64   cross-compiled, warnings as errors: the plain vectors that any processor gets
#   nehalem   the build for this x86-64 machine on an emulated processor without AVX
# Debian: g++-aarch64-linux-gnu, g++-riscv64-linux-gnu, qemu-user, cmake. WORK=directory takes another than build/cross.
set -euo pipefail

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${WORK:-$here/build/cross}
jobs=${DWSEP_BUILD_JOBS:-$(nproc)}
export DWSEP_TEST_NO_FORK=1  # qemu-user aborts when a forked child starts a thread

cross() {
  cmake -S "$here/cpp" -B "$work/$1" -DDWSEP_WERROR=ON -DDWSEP_BUILD_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR="$1" -DCMAKE_C_COMPILER="$1-linux-gnu-gcc" -DCMAKE_CXX_COMPILER="$1-linux-gnu-g++" \
    -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-$1;-L;/usr/$1-linux-gnu"
  cmake --build "$work/$1" --parallel "$jobs"
  ctest --test-dir "$work/$1" --output-on-failure
}

spills() {
  echo 'vector registers that the inner loops keep on the stack:'
  for kernel in gemm_tiles 'Slide<.*3, 3' 'LeanTile<.*5, 5' 'LeanTile<.*7, 7' '::transpose\('; do
    echo "$kernel"
    find "$work/aarch64" -path '*isa/neon/*.o' -exec aarch64-linux-gnu-objdump -dC --no-show-raw-insn {} + |
      python3 "$here/tools/inner_loops.py" "$kernel"
  done
}

nehalem() {
  cmake -S "$here/cpp" -B "$work/x86-64" -DDWSEP_BUILD_TESTS=ON
  cmake --build "$work/x86-64" --parallel "$jobs"
  for test in "$work"/x86-64/tests/test_*; do
    if [ -x "$test" ] && [ -f "$test" ]; then qemu-x86_64 -cpu Nehalem "$test" || [ $? -eq 77 ]; fi
  done
}

[ $# -gt 0 ] || set -- aarch64 riscv64 $([ "$(uname -m)" != x86_64 ] || echo nehalem)
for kind; do
  case $kind in
    aarch64)
      cross aarch64
      spills
      ;;
    riscv64) cross riscv64 ;;
    nehalem) nehalem ;;
    *)
      echo "aarch64, riscv64 or nehalem, not $kind"
      exit 2
      ;;
  esac
  echo "$kind: all passed"
done
