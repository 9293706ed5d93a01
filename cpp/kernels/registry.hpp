// The registry of kernels: lists of entries for each instruction set. Dispatch, tests and benchmarks iterate over them.
//
// int8 kernels are entries with other operand types, in units of their own: float units do not depend on them.
#pragma once

#include <cstdint>

#include "dwsep/types.hpp"
#include "kernels/features.hpp"

namespace dwsep {

/// What a kernel computes. With the operand types it fixes the type of the work that its function takes: DepthwiseWork for `depthwise` of
/// float32, Int8DepthwiseWork where x is int8, and so on.
enum class Family : std::uint8_t {
  depthwise,
  pointwise,
  standard,
  grouped,
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
  int8_finish,
};

/// Data types of a kernel's operands.
struct OperandTypes {
  DType x, weights, y;
};
constexpr OperandTypes kFloat32{DType::float32, DType::float32, DType::float32};
constexpr OperandTypes kInt8{DType::int8, DType::int8, DType::int8};
constexpr OperandTypes kInt8ToFloat{DType::int8, DType::int8, DType::float32};  ///< the sums as real numbers
constexpr OperandTypes kFloatToInt8{DType::float32, DType::float32, DType::int8};

/// The parameters by which an entry is chosen. In an entry 0 matches any value.
struct Problem {
  std::int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t multiplier;        ///< depthwise
  std::int64_t panel_vectors;     ///< matrix products: vectors in a panel of packed weights
  std::int64_t weight_zeros = 0;  ///< int8: 1 where weights have no zero points, 2 where they do
  std::int64_t y_scales = 0;      ///< int8: 1 where y has one scale and zero point, 2 where it has one for each channel
};

/// One kernel.
struct KernelEntry {
  const char* name;
  Family family;
  OperandTypes types;
  Features needs;
  Problem takes;
  bool (*also)(const Problem&);        ///< or null: a further condition, such as a bound
  void (*run)(const void* work);       ///< the work of its family
  void (*pack)(void* work) = nullptr;  ///< int8 convolutions: an Int8PackWork
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
