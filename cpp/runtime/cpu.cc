// What the library tells about the machine and about itself.
#include "dwsep/cpu.hpp"

#include <fstream>

#include "dwsep/threads.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep {

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
    list.push_back({"pointwise", runtime::gemm_name(v), 1, 1, 1, 1});
  }
  return list;
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

int available_cpus() { return runtime::available_cpus(); }
void set_num_threads(int threads) { runtime::set_num_threads(threads); }
int num_threads() { return runtime::num_threads(); }

}  // namespace dwsep
