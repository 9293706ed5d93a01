// Runs under `valgrind --tool=callgrind --instr-atstart=no`: counts the instructions of one call of the layer that the arguments
// describe: kind size inputs outputs kernel stride activation expanded dilation groups.
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "dwsep/dwsep.hpp"

namespace {

using namespace dwsep;
using Int = std::int64_t;

struct Case {
  std::string kind, activation;
  Int size = 0, inputs = 0, outputs = 0, kernel = 0, stride = 0, expanded = 0, dilation = 0, groups = 0;
  Int width = 0, kernel_w = 0, stride_w = 0, dilation_w = 0;
};

struct Free {
  void operator()(float* p) const { std::free(p); }
};
using Floats = std::unique_ptr<float, Free>;

/// Numbers at a cache line, the same ones on every run; kernels take other ways at other alignments.
Floats floats(Int count) {
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + 63) / 64 * 64;
  Floats values(static_cast<float*>(std::aligned_alloc(64, bytes)));
  if (!values) throw std::bad_alloc();
  std::uint32_t state = 1;
  for (Int i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    values.get()[i] = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0F;
  }
  return values;
}

Activation activation_of(const std::string& name) {
  if (name == "relu6") return Activation::relu6();
  const auto* const found = std::find_if(std::begin(kActivations), std::end(kActivations), [&](const auto& a) { return name == a.name; });
  if (found == std::end(kActivations)) throw std::invalid_argument("no such activation: " + name);
  Activation activation;
  activation.kind = static_cast<ActivationKind>(found - std::begin(kActivations));
  return activation;
}

/// The layer; it copies its weights.
std::unique_ptr<Layer> layer_of(const Case& c) {
  const Activation act = activation_of(c.activation);
  ConvOptions options;
  options.stride_h = c.stride;
  options.stride_w = c.stride_w;
  options.dilation_h = c.dilation;
  options.dilation_w = c.dilation_w;
  const Int middle = c.expanded > 0 ? c.expanded : c.inputs;
  const Int times = c.kind == "depthwise" ? c.outputs / c.inputs : 1;
  const Floats taps = floats(c.kernel * c.kernel_w * middle * times), middle_bias = floats(middle * times), bias = floats(c.outputs);
  const DepthwiseFilter depthwise{taps.get(), c.kernel, c.kernel_w, middle, times, middle_bias.get()};
  const Floats matrix = floats(middle * c.outputs);
  const PointwiseFilter project{matrix.get(), middle, c.outputs, bias.get()};
  if (c.kind == "depthwise") return std::make_unique<DepthwiseConv2D>(depthwise, options, act);
  if (c.kind == "pointwise") return std::make_unique<PointwiseConv2D>(project, act);
  if (c.kind == "separable") return std::make_unique<SeparableConv2D>(depthwise, project, options, act, act);
  if (c.kind == "inverted") {
    const Floats expand = floats(c.inputs * middle);
    return std::make_unique<InvertedResidual>(PointwiseFilter{expand.get(), c.inputs, middle, middle_bias.get()}, depthwise, project,
                                              options, act, act, Activation::none());
  }
  if (c.kind != "standard") throw std::invalid_argument("kind: unknown, got " + c.kind);
  const Floats filters = floats(c.kernel * c.kernel_w * c.inputs / c.groups * c.outputs);
  return std::make_unique<Conv2D>(StandardFilter{filters.get(), c.kernel, c.kernel_w, c.inputs, c.outputs, c.groups, bias.get()}, options,
                                  act);
}

void count(const Case& c) {
  const std::unique_ptr<Layer> layer = layer_of(c);
  const Shape pixel{1, 1, 1, c.inputs}, in{1, c.size, c.width, c.inputs}, out = layer->output_shape(in);
  const Floats x = floats(in.h * in.w * in.c), y = floats(out.h * out.w * out.c);
  const auto call = [&](const Shape& from) { (*layer)(dense(x.get(), from), dense(y.get(), layer->output_shape(from)), nullptr, 1); };
  call(pixel);  // what is done once for the process belongs to no layer
  CALLGRIND_START_INSTRUMENTATION;
  call(in);
  CALLGRIND_DUMP_STATS;
  CALLGRIND_STOP_INSTRUMENTATION;
}

}  // namespace

namespace dwsep {

/// In place of cpp/runtime/memory/cache_sizes.cc: tiles and strips follow the caches, and a count must not follow the machine.
CacheSizes cache_sizes() noexcept { return {48 << 10, 1 << 20, 32 << 20}; }

}  // namespace dwsep

int main(int argc, char** argv) try {
  std::stringstream in;
  for (int i = 1; i < argc; ++i) in << argv[i] << ' ';
  Case c;
  in >> c.kind >> c.size >> c.inputs >> c.outputs >> c.kernel >> c.stride >> c.activation >> c.expanded >> c.dilation >> c.groups >>
      c.width >> c.kernel_w >> c.stride_w >> c.dilation_w;
  if (!in) throw std::invalid_argument("arguments: wanted fourteen fields, got " + in.str());
  count(c);
  std::cout << isa() << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
