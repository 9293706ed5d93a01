// Which instruction sets this processor has, which one is used, and the kernels compiled for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace dwsep {

/// One entry of the list of kernel variants that drives dispatch, tests and benchmarks.
struct KernelInfo {
  std::string family;              ///< "depthwise", "pointwise", ...
  std::string name;                ///< e.g. "depthwise_3x3_s1", "gemm_7x32"
  int kernel_h = 0, kernel_w = 0;  ///< 0: any
  int stride_h = 0, stride_w = 0;  ///< 0: any
};

struct CacheSizes {
  std::int64_t l1d = 0, l2 = 0, l3 = 0;  ///< bytes, as the system reports them, with safe guesses where it does not
};

/// The instruction set in use: "avx512", "avx2", "baseline" or "neon". Chosen at the first use: the best that the processor has,
/// or the one named by the environment variable DWSEP_ISA; std::invalid_argument, here or from whatever else is used first, if it names
/// none.
std::string isa();
/// All that this processor can run, best first.
std::vector<std::string> isas();
/// Floats in one vector of the instruction set in use.
int vector_lanes();
/// The kernels of the instruction set in use.
std::vector<KernelInfo> kernels();
CacheSizes cache_sizes() noexcept;
/// The processor's name, as it calls itself.
std::string cpu_name();

/// Seconds that `iterations` rounds of independent fused multiply-adds take in registers; `flops` gets their number.
double time_fma(std::int64_t iterations, double* flops);

/// Seconds that `rounds` passes over about `bytes` of memory take, all of it touched before. `moved` gets the bytes of all passes:
/// those read, or, for the copy of one half to the other, those read and those written.
double time_read(std::int64_t bytes, std::int64_t rounds, double* moved);
double time_copy(std::int64_t bytes, std::int64_t rounds, double* moved);

}  // namespace dwsep
#pragma GCC visibility pop
