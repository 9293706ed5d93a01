// The registry of kernels: lists of entries for each instruction set. Dispatch, tests and benchmarks iterate over them.
//
// int8 kernels will be entries with other operand types, in separate folders of cpp/isa: float units do not depend on them.
#pragma once

#include <cstdint>

#include "dwsep/types.hpp"
#include "kernels/features.hpp"

namespace dwsep {

/// What a kernel computes. It fixes the type of the work that its function takes: DepthwiseWork for `depthwise`, and so on.
enum class Family : std::uint8_t {
  depthwise,
  pointwise,
  standard,
  map,
  unary,
  binary,
  reduce,
  reduce_rows,
  pool,
  softmax,
  softmax_steps,
  layer_norm,
  resize,
  blend,
  transpose,
  copy_nontemporal,
  fma_chain,
  read_stream,
  copy_stream,
};

/// Data types of a kernel's operands.
struct OperandTypes {
  DType x, weights, y;
};
constexpr OperandTypes kFloat32{DType::float32, DType::float32, DType::float32};

/// The parameters by which an entry is chosen. In an entry 0 matches any value.
struct Problem {
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t multiplier;     ///< depthwise
  std::int64_t panel_vectors;  ///< matrix products: vectors in a panel of packed weights
};

/// One kernel.
struct KernelEntry {
  const char* name;
  Family family;
  OperandTypes types;
  Features needs;
  Problem takes;
  bool (*also)(const Problem&);   ///< or null: a further condition, such as a bound
  void (*run)(const void* work);  ///< the work of its family
};

/// The entries that one translation unit compiled.
struct KernelList {
  const KernelEntry* entries;
  int count;
};

/// A folder of cpp/isa.
struct KernelSet {
  const char* isa;
  Features needs;
  bool complete;     ///< has float kernels of every family and can be named in DWSEP_ISA; others extend such a set
  int lanes;         ///< of a vector of floats
  bool half_panels;  ///< panels of packed weights may end in half a vector
  const KernelList* const* units;
  int unit_count;
};

}  // namespace dwsep
