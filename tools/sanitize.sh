#!/usr/bin/env bash
# Runs tests under a sanitizer.   tools/sanitize.sh address|thread|python [build directory]
#   address  the tests of cpp/tests with the address and the undefined-behaviour sanitizer, on every instruction set
#   thread   those of threads, the stress tests and the layers with the thread sanitizer
#   python   a part of the Python tests on a module built with the address sanitizer
# DWSEP_ISAS='baseline;avx2' leaves AVX-512 out of the first two; CXX=clang++-14 takes clang.
set -euo pipefail

kind=${1:?address, thread or python}
here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${2:-$here/build/sanitize-$kind}
jobs=${DWSEP_BUILD_JOBS:-$(nproc)}
# Python leaks by design; what the library leaks, its C++ tests show.
export ASAN_OPTIONS=detect_leaks=$([ "$kind" = address ] && echo 1 || echo 0) UBSAN_OPTIONS=print_stacktrace=1

build() {
  cmake -S "$here/cpp" -B "$work" -DDWSEP_BUILD_TESTS=ON -DDWSEP_SANITIZE="$1" ${DWSEP_ISAS:+"-DDWSEP_ISAS=$DWSEP_ISAS"}
  cmake --build "$work" --parallel "$jobs"
}

case $kind in
  address)
    build address,undefined
    ctest --test-dir "$work" --output-on-failure
    ;;
  thread)
    build thread
    "$work/tests/test_thread_pool"
    "$work/tests/test_stress" 50
    DWSEP_ISA=baseline "$work/tests/test_network_stress" 20
    DWSEP_ISA=baseline "$work/tests/test_operators" 1 200
    ;;
  python)
    python=${PYTHON:-python3}
    flags='-O1 -g -fsanitize=address,undefined -fno-sanitize=vptr -fno-omit-frame-pointer'
    mkdir -p "$work"
    CFLAGS=$flags LDFLAGS='-fsanitize=address,undefined' DWSEP_BUILD_JOBS=$jobs \
      "$python" -m pip install --no-build-isolation --no-deps --upgrade --target "$work/site" "$here"
    cd "$work"
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so.6)" PYTHONPATH=$work/site PYTHONMALLOC=malloc \
      "$python" -m pytest -q -p no:cacheprovider -c "$here/pyproject.toml" --rootdir "$here" \
      "$here"/tests/test_{errors,views_and_out,hostile_calls,shared_memory,recycling,layers}.py
    ;;
  *)
    echo "address, thread or python, not $kind"
    exit 2
    ;;
esac
echo "sanitizer $kind: no findings"
