// Reports about the machine and the library.
#include "dwsep/cpu.hpp"

#include <fstream>

#include "dwsep/threads.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep {

std::string isa() { return runtime::active_kernels().isa; }
std::vector<std::string> isas() { return runtime::runnable_isas(); }
int vector_lanes() { return runtime::active_kernels().lanes; }

std::vector<std::string> features() { return runtime::names_of(runtime::detected_features()); }
std::vector<std::string> features_in_use() { return runtime::names_of(runtime::active_kernels().selection.features); }

std::vector<KernelInfo> kernels() {
  std::vector<KernelInfo> list;
  runtime::for_each_entry(runtime::active_kernels().selection, [&](const KernelEntry& e, const KernelSet& set) {
    const bool depthwise = e.family == Family::depthwise;
    if (!depthwise && e.family != Family::pointwise) return;
    const Problem p = depthwise ? e.takes : Problem{1, 1, 1, 1, 1, 1, 1, 0};
    list.push_back({depthwise ? "depthwise" : "pointwise", e.name, p.kh, p.kw, p.stride_h, p.stride_w, p.dilation_h, p.dilation_w,
                    p.multiplier, set.isa, name_of(e.types.x), name_of(e.types.y)});
  });
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
