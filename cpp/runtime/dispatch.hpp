// The kernels of the instruction set in use.
#pragma once

#include <string>
#include <vector>

#include "kernels/conv_work.hpp"
#include "kernels/grouped_work.hpp"
#include "kernels/int8_tensor_work.hpp"
#include "kernels/memory_work.hpp"
#include "kernels/registry.hpp"
#include "kernels/standard_work.hpp"
#include "kernels/tensor_work.hpp"
#include "runtime/selection.hpp"

namespace dwsep::runtime {

/// The function of an entry, with the type of its work.
template <class Work>
class Kernel {
 public:
  Kernel() = default;
  explicit Kernel(const KernelEntry& entry) : run_(entry.run) {}
  void operator()(const Work& work) const { run_(&work); }

 private:
  void (*run_)(const void*) = nullptr;
};

struct TensorKernels {
  Kernel<MapWork> map;
  Kernel<UnaryWork> unary;
  Kernel<BinaryWork> binary;
  Kernel<ReduceWork> reduce;
  Kernel<ReduceRowsWork> reduce_rows;
  Kernel<PoolWork> pool;
  Kernel<SoftmaxWork> softmax;
  Kernel<SoftmaxStepsWork> softmax_steps;
  Kernel<LayerNormWork> layer_norm;
  Kernel<ResizeWork> resize;
  Kernel<BlendWork> blend;
  Kernel<TransposeWork> transpose;
};

/// On int8.
struct Int8TensorKernels {
  Kernel<Int8BinaryWork> binary;
  Kernel<Int8PoolWork> pool;
  Kernel<Int8ResizeWork> resize;
  Kernel<TableWork> table;
  Kernel<QuantizeWork> quantize;
  Kernel<DequantizeWork> dequantize;
  Kernel<BytePlanesWork> interleave;
};

/// The chosen kernels, looked up once: a call costs one load more than a direct one.
struct ActiveKernels {
  Selection selection;
  const char* isa;
  int lanes;
  HalfPanel half_panel;  ///< how matrices hold a last half vector of columns
  Kernel<GemmWork> gemm;
  Kernel<StandardWork> standard;
  Kernel<GroupedWork> grouped;
  Kernel<NontemporalCopyWork> copy_nontemporal;
  Kernel<FmaChainWork> fma_chain;
  Kernel<ReadStreamWork> read_stream;
  Kernel<CopyStreamWork> copy_stream;
  TensorKernels tensor;
  Int8TensorKernels int8;
};

/// Chosen once, at the first use: the best for this processor, or what DWSEP_ISA names (selection.hpp). An unknown or unsupported value
/// throws std::invalid_argument, every time.
const ActiveKernels& active_kernels();

/// The first entry of a family that fits a problem.
const KernelEntry& kernel_for(Family family, const Problem& problem, const OperandTypes& types = kFloat32);

/// Names of the instruction sets this processor can run, best first.
std::vector<std::string> runnable_isas();

/// The loop of int8 products of a set.
struct DotChain {
  const char* set;
  Kernel<FmaChainWork> run;
};
/// Those that this processor can run, best first.
std::vector<DotChain> dot_chains();

/// The name of the matrix product on panels of so many vectors: its register tile, rows x columns.
std::string gemm_name(int panel_vectors);

}  // namespace dwsep::runtime
