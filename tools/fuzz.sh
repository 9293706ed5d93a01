#!/usr/bin/env bash
# Lets libFuzzer mutate .dwsep files, under the address and the undefined-behaviour sanitizer.   tools/fuzz.sh SECONDS [build directory]
# The seconds are the processor's: a machine that is busy or asleep makes no difference. Needs clang (CLANG=-18 takes clang-18). A finding
# is left in the build directory; the corpus stays there for the next run. Of the instruction sets only the plainest is built: instrumented
# kernels take minutes to compile.
set -euo pipefail

seconds=${1:?how many seconds}
here=$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)
work=${2:-$here/build/fuzz}
export compiler=clang++${CLANG--14} work
flags=(-std=c++17 -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer
  -ffp-contract=off -fno-math-errno -fvisibility=hidden -I. -Iinclude)
export flags_text=${flags[*]}

compile() {
  object=$work/objects/${1//\//_}.o
  # shellcheck disable=SC2086
  $compiler $flags_text -c "$1" -o "$object"
}
export -f compile

mkdir -p "$work/objects" "$work/corpus" "$work/seeds"
cd "$here/cpp"
sources=(isa/baseline isa/stubs)
if [ "$(uname -m)" = aarch64 ]; then sources=(isa/neon); fi
find "${sources[@]}" runtime tests/fuzz_dwsep_file.cc -name '*.cc' ! -path isa/stubs/baseline.cc -print0 |
  xargs -0 -n 1 -P "${DWSEP_BUILD_JOBS:-$(nproc)}" bash -euc 'compile "$1"' compile
"$compiler" -fsanitize=address,undefined,fuzzer "$work"/objects/*.o -o "$work/fuzz_dwsep_file" -pthread

cd "$work"
export UBSAN_OPTIONS=print_stacktrace=1
DWSEP_FUZZ_SEEDS=$work/seeds ./fuzz_dwsep_file -runs=0
DWSEP_FUZZ_SECONDS=$seconds ./fuzz_dwsep_file -max_len=8192 -timeout=0 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
  corpus seeds
echo 'fuzz: no findings'
