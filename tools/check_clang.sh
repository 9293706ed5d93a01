#!/usr/bin/env bash
# Builds the library and its tests with clang, the same warnings as errors, runs them, and clang-tidy over all of cpp/ but the bindings,
# whose headers belong to Python.   tools/check_clang.sh [build directory]     CLANG=-18 takes clang-18.
# DWSEP_ISAS='baseline;avx2' leaves AVX-512 out.
set -euo pipefail

here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${1:-$here/build/clang}
suffix=${CLANG--14}

cmake -S "$here/cpp" -B "$work" -DDWSEP_WERROR=ON -DDWSEP_BUILD_TESTS=ON -DDWSEP_BUILD_BENCH=ON -DDWSEP_JOIN=OFF -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
  -DCMAKE_C_COMPILER="clang$suffix" -DCMAKE_CXX_COMPILER="clang++$suffix" ${DWSEP_ISAS:+"-DDWSEP_ISAS=$DWSEP_ISAS"}
cmake --build "$work" --parallel "${DWSEP_BUILD_JOBS:-$(nproc)}"
ctest --test-dir "$work" --output-on-failure
cd "$here"
find cpp/runtime cpp/embed cpp/isa cpp/tests -name '*.cc' -print0 |
  xargs -0 -n 4 -P "${DWSEP_BUILD_JOBS:-$(nproc)}" "clang-tidy$suffix" -p "$work" --quiet --warnings-as-errors='*'
echo 'clang: built, tested and tidy'
