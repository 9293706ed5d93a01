// What the library tells about the machine and about itself.
#include "dwsep/cpu.hpp"

#include <chrono>
#include <fstream>

#if defined(__linux__)
#include <unistd.h>
#endif

#include "dwsep/threads.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/thread_pool.hpp"

namespace dwsep {
namespace {

#if defined(__linux__)
std::int64_t system_cache(int name, std::int64_t guess) {
  const long size = ::sysconf(name);
  return size > 0 ? size : guess;
}
#endif

}  // namespace

std::string isa() { return runtime::kernel_table().isa; }
std::vector<std::string> isas() { return runtime::runnable_isas(); }
int vector_lanes() { return runtime::kernel_table().lanes; }

std::vector<KernelInfo> kernels() {
  const KernelTable& t = runtime::kernel_table();
  std::vector<KernelInfo> list;
  for (int i = 0; i < t.depthwise_count; ++i) {
    const DepthwiseVariant& v = t.depthwise[i];
    list.push_back({"depthwise", v.name, v.kh, v.kw, v.stride_h, v.stride_w});
  }
  for (int v = 1; v <= t.max_panel_vectors; ++v) {
    list.push_back({"pointwise", "gemm_" + std::to_string(t.tile_rows[v - 1]) + "x" + std::to_string(v * t.lanes), 1, 1, 1, 1});
  }
  return list;
}

CacheSizes cache_sizes() {
  CacheSizes sizes{32 << 10, 512 << 10, 8 << 20};
#if defined(__linux__) && defined(_SC_LEVEL1_DCACHE_SIZE)
  sizes.l1d = system_cache(_SC_LEVEL1_DCACHE_SIZE, sizes.l1d);
  sizes.l2 = system_cache(_SC_LEVEL2_CACHE_SIZE, sizes.l2);
  sizes.l3 = system_cache(_SC_LEVEL3_CACHE_SIZE, sizes.l3);
#endif
  return sizes;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) {
      const std::size_t start = line.find_first_not_of(" \t:", line.find(':'));
      if (start != std::string::npos) return line.substr(start);
    }
  }
  return "unknown";
}

double time_fma(std::int64_t iterations, double* flops) {
  const KernelTable& t = runtime::kernel_table();
  float sink = 0.0F;
  const auto start = std::chrono::steady_clock::now();
  t.fma_chain(iterations, &sink);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (flops != nullptr) *flops = 2.0 * t.fma_chains * t.lanes * static_cast<double>(iterations);
  return elapsed.count();
}

int available_cpus() { return runtime::available_cpus(); }
void set_num_threads(int threads) { runtime::set_num_threads(threads); }
int num_threads() { return runtime::num_threads(); }

}  // namespace dwsep
