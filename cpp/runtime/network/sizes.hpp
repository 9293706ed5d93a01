// Sizes of the public interface as the runtime has them.
#pragma once

#include <string>
#include <vector>

#include "dwsep/network.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/network/array.hpp"

namespace dwsep::runtime {

inline Dims dims_of(const Sizes& sizes, const char* what) {
  if (sizes.size() > static_cast<std::size_t>(Dims::kMaxRank)) reject(what, "at most 8 axes", std::to_string(sizes.size()));
  Dims d;
  for (const std::int64_t size : sizes) d.push_back(size);
  return d;
}

inline std::vector<Dims> dims_of(const std::vector<Sizes>& inputs) {
  std::vector<Dims> all;
  all.reserve(inputs.size());
  for (const Sizes& s : inputs) all.push_back(dims_of(s, "input"));
  return all;
}

/// Whether an array of this shape lacks its memory.
inline bool missing(const void* data, const Dims& shape) { return data == nullptr && shape.count() > 0; }

}  // namespace dwsep::runtime
