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
  const KernelSet& set = *runtime::kernel_table().set;
  std::vector<KernelInfo> list;
  for (int u = 0; u < set.unit_count; ++u) {
    for (int i = 0; i < set.units[u]->count; ++i) {
      const KernelEntry& e = set.units[u]->entries[i];
      const Problem& p = e.takes;
      const auto add = [&](const char* family, std::int64_t kh, std::int64_t kw, std::int64_t sh, std::int64_t sw) {
        list.push_back({family, e.name, static_cast<int>(kh), static_cast<int>(kw), static_cast<int>(sh), static_cast<int>(sw)});
      };
      if (e.family == Family::depthwise) add("depthwise", p.kh, p.kw, p.stride_h, p.stride_w);
      if (e.family == Family::pointwise) add("pointwise", 1, 1, 1, 1);
    }
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
