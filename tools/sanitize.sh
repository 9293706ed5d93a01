#!/usr/bin/env bash
# Runs tests under a sanitizer, built by clang (CLANG=-18 takes clang-18).   tools/sanitize.sh address|thread|pool|python [build directory]
#   address  the tests of cpp/tests with the address and the undefined-behaviour sanitizer, on every instruction set
#   thread   those of threads, the stress tests and the layers with the thread sanitizer
#   pool     the thread pool alone with the thread sanitizer, built by any compiler (CXX), in less than a minute
#   python   the Python tests on a module made of the objects of `address`; other arguments of pytest: in PYTEST_ARGUMENTS
# Clang because GCC's address sanitizer does not see masked loads and stores, and of a vector only the first and the last byte.
# DWSEP_ISAS='baseline;avx2' leaves AVX-512 out.
set -euo pipefail

kind=${1:?address, thread, pool or python}
here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${2:-$here/build/sanitize-$kind}
jobs=${DWSEP_BUILD_JOBS:-$(nproc)}
compiler=clang++${CLANG--14}
# Too large a request ends in std::bad_alloc, as it does elsewhere.
export ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1

build() {
  cmake -S "$here/cpp" -B "$1" -DDWSEP_BUILD_TESTS=ON -DDWSEP_JOIN=OFF -DDWSEP_SANITIZE="$2" -DCMAKE_C_COMPILER="clang${CLANG--14}" \
    -DCMAKE_CXX_COMPILER="$compiler" ${DWSEP_ISAS:+"-DDWSEP_ISAS=$DWSEP_ISAS"}
  cmake --build "$1" --parallel "$jobs" --target "${3:-all}"
}

# Flags of the instruction sets that DWSEP_ISAS leaves out: setup.py makes stubs of those that its compiler does not know.
left_out() {
  [ -z "${DWSEP_ISAS:-}" ] || awk -v kept=";$DWSEP_ISAS;" '
    $1 == "all" { exit }
    !/^#/ { for (i = 3; i <= NF; ++i) if (index(kept, ";" $2 ";")) known[$i]; else other[$i] }
    END { for (flag in other) if (!(flag in known)) printf "%s ", flag }' "$here/cpp/isa/flags.txt"
}

# A compiler for setup.py, which takes the library's objects from a build of cmake and instruments the rest.
write_compiler() {
  cat >"$1" <<EOF
#!/usr/bin/env bash
set -euo pipefail
output= source= joined= previous= driver=$compiler
for argument; do
  case " $(left_out) " in *" \$argument "*) exit 1 ;; esac
  case \$argument in
    cpp/isa/*.cc | cpp/runtime/*.cc | cpp/embed/*.cc) source=\${argument#cpp/} ;;
    */joined/isa/*.cc | */joined/runtime/*.cc | */joined/embed/*.cc) joined=\$argument ;;
    *.c) driver=clang${CLANG--14} ;; # Cython's
  esac
  [ "\$previous" != -o ] || output=\$argument
  previous=\$argument
done
if [ -n "\$source" ]; then
  cp '$2/CMakeFiles/dwsep.dir/'"\$source.o" "\$output"
elif [ -n "\$joined" ]; then
  sed 's,#include "\(.*\)",$2/CMakeFiles/dwsep.dir/\1.o,' "\$joined" | xargs -d '\n' ld -r -o "\$output"
else
  exec \$driver "\$@" -O1 -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-omit-frame-pointer -shared-libasan
fi
EOF
  chmod +x "$1"
}

# Without those that limit or count memory, of which the sanitizer takes its own share, and those that build with other compilers.
python_tests() {
  find "$here/tests" -name 'test_*.py' | sort |
    grep -vE '/test_(starvation|endurance|cpp_embedding|cython_api|benchmarks|docs|examples)\.py$'
}

case $kind in
  address)
    # No forks next to busy threads: the locks of clang 14's allocator stay taken in the child. `thread` forks.
    export DWSEP_TEST_NO_FORK=1
    build "$work" address,undefined
    ctest --test-dir "$work" --output-on-failure
    ;;
  thread)
    export TSAN_OPTIONS=die_after_fork=0  # children start threads of their own
    # Tests that count allocations define operators that the sanitizer defines too: theirs come first, and call its malloc.
    export LDFLAGS=-Wl,--allow-multiple-definition
    # The plain kernels alone: clang's thread sanitizer sees no access wider than their vectors.
    DWSEP_ISAS=${DWSEP_ISAS:-baseline} build "$work" thread
    for test in "$work"/tests/test_thread_*; do
      if [ -x "$test" ] && [ -f "$test" ]; then "$test" || [ $? -eq 77 ]; fi
    done
    export DWSEP_ISA=baseline
    "$work/tests/test_stress" 50
    "$work/tests/test_network_stress" 20
    "$work/tests/test_operators" 1 200
    "$work/tests/test_packed_layers"
    "$work/tests/test_network_ops" 1 60
    ;;
  pool)
    mkdir -p "$work"
    cd "$here/cpp"
    # GCC's thread sanitizer fails where the kernel scatters addresses widely.
    steadily=(setarch -R)
    "${steadily[@]}" true 2>/dev/null || steadily=(env)
    for test in tests/test_thread_*.cc; do
      program=$work/$(basename "$test" .cc)
      "${CXX:-c++}" -std=c++17 -O1 -g -fsanitize=thread -pthread -fvisibility=hidden -I. -Iinclude "$test" \
        runtime/threads/*.cc runtime/memory/placement.cc runtime/utf8.cc runtime/reject.cc -o "$program"
      TSAN_OPTIONS=die_after_fork=0 "${steadily[@]}" "$program" || [ $? -eq 77 ]
    done
    ;;
  python)
    python=${PYTHON:-python3}
    # Crashes stay what they are: tests look for them. Python leaks by design; what the library leaks, its C++ tests show. How other modules allocate is not our concern.
    ASAN_OPTIONS+=:detect_leaks=0:alloc_dealloc_mismatch=0:detect_odr_violation=0:handle_segv=0:handle_sigbus=0
    build "$work/library" address,undefined dwsep
    write_compiler "$work/compiler" "$work/library"
    CC=$work/compiler CXX=$work/compiler DWSEP_BUILD_JOBS=$jobs \
      "$python" -m pip install --no-build-isolation --no-deps --upgrade --target "$work/site" "$here"
    cd "$work"
    mapfile -t tests < <(python_tests)
    # The one test of a fork next to busy threads is left out, as for `address`.
    # shellcheck disable=SC2086
    LD_PRELOAD="$("$compiler" -print-file-name=libclang_rt.asan-x86_64.so) $("$compiler" -print-file-name=libstdc++.so.6)" \
      PYTHONPATH=$work/site PYTHONMALLOC=malloc \
      "$python" -m pytest -q -p no:cacheprovider -c "$here/pyproject.toml" --rootdir "$here" ${PYTEST_ARGUMENTS:-} "${tests[@]}" \
      --deselect tests/test_threads.py::test_fork_while_another_thread_computes
    ;;
  *)
    echo "address, thread, pool or python, not $kind"
    exit 2
    ;;
esac
echo "sanitizer $kind: no findings"
