// The registry of kernels: what an instruction set offers, as lists of entries. Dispatch, tests and benchmarks all walk these lists.
#pragma once

#include <cstdint>

namespace dwsep {

/// What a kernel computes, and so the type of the work that its function takes: DepthwiseWork for `depthwise`, and so on.
enum class Family : std::uint8_t {
  depthwise,
  pointwise,
  standard,
  map,
  unary,
  binary,
  fold,
  fold_rows,
  pool,
  softmax,
  softmax_steps,
  layer_norm,
  resize,
  blend,
  transpose,
  store_far,
  fma_chain,
  read_stream,
  copy_stream,
};

/// What a kernel is asked for, as far as one may decline it. In an entry 0 stands for any.
struct Problem {
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t multiplier;     ///< depthwise
  std::int64_t panel_vectors;  ///< matrix products: vectors in a panel of packed weights
};

/// One kernel.
struct KernelEntry {
  const char* name;
  Family family;
  Problem takes;
  void (*run)(const void* work);  ///< the work of its family
};

/// The entries that one translation unit compiled.
struct KernelList {
  const KernelEntry* entries;
  int count;
};

/// All that is compiled for one instruction set. Of the entries of a family the first that fits is taken; the last fits everything.
struct KernelSet {
  const char* isa;
  int lanes;         ///< of a vector of floats
  bool half_panels;  ///< panels of packed weights may end in half a vector
  const KernelList* const* units;
  int unit_count;
};

}  // namespace dwsep
