#!/usr/bin/env bash
# No function that one folder of cpp/isa compiled may be linked in place of another's: it might need a processor that is not there. So
# their objects must share no weak symbol, neither with each other nor with the rest.   tools/check_symbols.sh <build directory or archive>
set -euo pipefail

build=${1:?the directory of a build, such as that of cmake -S cpp, or of setup.py}
mapfile -t isa < <(find "$build" -path '*isa/*/*.o' | sort)
[ "${#isa[@]}" -gt 0 ] || { echo "no objects of cpp/isa under $build"; exit 1; }

# Weak (V, v, W, w) and unique (u) symbols are safe only if their names contain the file's own namespace. Others are a hazard, shared
# here or not: the C++ library may bring its own copies.
status=0
for object in "${isa[@]}"; do
  namespace=$(basename "$(dirname "$object")")
  # Both ways of writing them: c++filt does not know all of clang's names for lambdas, and a name may spell the namespace in two parts.
  if weak=$("${NM:-nm}" --defined-only "$object" | grep -E '^[0-9a-f]+ [VvWwu] ' | grep -v "5dwsep${#namespace}$namespace" |
    "${CXXFILT:-c++filt}" | grep -v "dwsep::$namespace::"); then
    echo "$object defines weak symbols outside of its namespace:"
    echo "$weak"
    status=1
  fi
  if constructors=$("${OBJDUMP:-objdump}" -h "$object" | grep -E '\.(init_array|ctors)'); then
    echo "$object has static initialisers: $constructors"
    status=1
  fi
done
[ "$status" -ne 0 ] || echo "${#isa[@]} objects of cpp/isa: no weak symbols but their own, no static initialisers"
exit "$status"
