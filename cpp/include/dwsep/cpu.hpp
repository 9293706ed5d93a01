// Which instruction sets this processor has, which one is used, and the kernels compiled for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace dwsep {

/// One entry of the registry of kernels, which drives dispatch, tests and benchmarks: what it takes, 0 for any.
struct KernelInfo {
  std::string family;  ///< "depthwise" or "pointwise"
  std::string name;    ///< e.g. "depthwise_3x3_s1", "gemm_7x32"
  std::int64_t kernel_h = 0, kernel_w = 0;
  std::int64_t stride_h = 0, stride_w = 0;
  std::int64_t dilation_h = 0, dilation_w = 0;
  std::int64_t multiplier = 0;
  std::string isa;                  ///< the set of kernels that it is of: the instruction set in use, or one that adds int8 kernels to it
  std::string dtype, output_dtype;  ///< "float32" or "int8"
};

struct CacheSizes {
  std::int64_t l1d = 0, l2 = 0, l3 = 0;  ///< bytes, as the system reports them, with safe guesses where it does not
};

/// The instruction set in use: "avx512", "avx2", "baseline" or "neon". Chosen at the first use: the best that the processor has,
/// or what the environment variable DWSEP_ISA says: the name of an instruction set, features to do without, or both, as in "avx512",
/// "-vnni" or "avx512,-vnni". std::invalid_argument, here or from whatever else is used first, if it says anything else.
std::string isa();
/// All that this processor can run, best first.
std::vector<std::string> isas();
/// The features of the processor that kernels ask for ("avx2", "fma", "vnni", ...): all that it has, and those that may be used after what
/// DWSEP_ISA says.
std::vector<std::string> features();
std::vector<std::string> features_in_use();
/// Floats in one vector of the instruction set in use.
int vector_lanes();
/// The kernels of the instruction set in use.
std::vector<KernelInfo> kernels();
CacheSizes cache_sizes() noexcept;
/// The processor's name, as it calls itself.
std::string cpu_name();

/// Seconds that `iterations` rounds of independent fused multiply-adds take in registers; `flops` gets their number.
double time_fma(std::int64_t iterations, double* flops);

/// The sets of kernels with int8 products that this processor can run, best first: instruction sets, and sets that add to them
/// ("avx512vnni", ...).
std::vector<std::string> int8_sets();
/// Seconds that `iterations` rounds of int8 products of one of them take; `ops` gets the number of operations, two for a multiply-add.
/// std::invalid_argument for another name.
double time_dot(const std::string& set, std::int64_t iterations, double* ops);

/// Seconds that `rounds` passes over about `bytes` of memory take, all of it touched before. `moved` gets the bytes of all passes:
/// those read, or, for the copy of one half to the other, those read and those written.
double time_read(std::int64_t bytes, std::int64_t rounds, double* moved);
double time_copy(std::int64_t bytes, std::int64_t rounds, double* moved);

}  // namespace dwsep
#pragma GCC visibility pop
