// Peaks of the machine: multiply-adds, reads, copies.
#include <algorithm>
#include <chrono>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/reject.hpp"

namespace dwsep {
namespace {

template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// `count` floats, written once so that their pages exist.
runtime::AlignedArray<float> touched(std::int64_t count) {
  runtime::AlignedArray<float> floats = runtime::aligned_array<float>(count);
  std::fill(floats.get(), floats.get() + count, 1.0F);
  return floats;
}

}  // namespace

double time_fma(std::int64_t iterations, double* flops) {
  const runtime::ActiveKernels& t = runtime::active_kernels();
  float sink = 0.0F;
  std::int64_t done = 0;
  const double seconds = seconds_of([&] { t.fma_chain({iterations, &sink, &done}); });
  if (flops != nullptr) *flops = static_cast<double>(done);
  return seconds;
}

std::vector<std::string> int8_sets() {
  std::vector<std::string> names;
  for (const runtime::DotChain& chain : runtime::dot_chains()) names.emplace_back(chain.set);
  return names;
}

double time_dot(const std::string& set, std::int64_t iterations, double* ops) {
  for (const runtime::DotChain& chain : runtime::dot_chains()) {
    if (set != chain.set) continue;
    float sink = 0.0F;
    std::int64_t done = 0;
    const double seconds = seconds_of([&] { chain.run({iterations, &sink, &done}); });
    if (ops != nullptr) *ops = static_cast<double>(done);
    return seconds;
  }
  std::string all;
  for (const std::string& name : int8_sets()) all += (all.empty() ? "" : ", ") + name;
  runtime::reject("set", "one of " + all, "\"" + set + "\"");
}

double time_read(std::int64_t bytes, std::int64_t rounds, double* moved) {
  const runtime::ActiveKernels& t = runtime::active_kernels();
  const std::int64_t count = runtime::round_up(bytes / std::int64_t{sizeof(float)}, kStreamFloats);
  const runtime::AlignedArray<float> x = touched(count);
  float sink = 0.0F;
  if (moved != nullptr) *moved = static_cast<double>(runtime::bytes_of<float>(count)) * static_cast<double>(rounds);
  return seconds_of([&] {
    for (std::int64_t i = 0; i < rounds; ++i) t.read_stream({x.get(), count, &sink});
  });
}

double time_copy(std::int64_t bytes, std::int64_t rounds, double* moved) {
  const runtime::ActiveKernels& t = runtime::active_kernels();
  const std::int64_t count = runtime::round_up(bytes / std::int64_t{2 * sizeof(float)}, kStreamFloats);
  const runtime::AlignedArray<float> x = touched(2 * count);
  if (moved != nullptr) *moved = static_cast<double>(runtime::bytes_of<float>(2 * count)) * static_cast<double>(rounds);
  return seconds_of([&] {
    for (std::int64_t i = 0; i < rounds; ++i) t.copy_stream({x.get(), count, x.get() + count});
  });
}

}  // namespace dwsep
