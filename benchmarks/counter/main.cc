// Runs under `valgrind --tool=callgrind --instr-atstart=no`: counts the instructions of one call of the layer that the arguments
// describe: kind size inputs outputs kernel stride activation expanded dilation groups, width and what is along rows, data type.
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
  DType dtype = DType::float32;
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Numbers = std::unique_ptr<void, Free>;

/// Numbers of a type at a cache line, the same ones on every run; kernels take other ways at other alignments.
Numbers numbers(Int count, DType dtype = DType::float32) {
  Numbers memory(std::aligned_alloc(64, static_cast<std::size_t>((count * size_of(dtype) + 63) / 64 * 64)));
  if (!memory) throw std::bad_alloc();
  std::uint32_t state = 1;
  for (Int i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    if (dtype == DType::int8) {
      static_cast<std::int8_t*>(memory.get())[i] = static_cast<std::int8_t>(state >> 24);
    } else {
      static_cast<float*>(memory.get())[i] = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0F;
    }
  }
  return memory;
}

const Quantization kInput{{0.02F}, {3}, -1}, kOutput{{0.0235F}, {-128}, -1}, kWeights{{0.01F}, {0}, -1};

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
  const DType dtype = c.dtype, floats = DType::float32;
  const bool int8 = dtype == DType::int8;
  const Quantization* const scaled = int8 ? &kWeights : nullptr;
  const TensorType none{}, output = int8 ? TensorType{dtype, &kOutput} : none;
  const TensorTypes types{int8 ? TensorType{dtype, &kInput} : none, output, none, c.kind == "inverted" ? output : none,
                          c.kind == "inverted" || c.kind == "separable" ? output : none};
  const Int middle = c.expanded > 0 ? c.expanded : c.inputs;
  const Int times = c.kind == "depthwise" ? c.outputs / c.inputs : 1;
  const Numbers taps = numbers(c.kernel * c.kernel_w * middle * times, dtype), middle_bias = numbers(middle * times),
                bias = numbers(c.outputs);
  const DepthwiseFilter depthwise{taps.get(), c.kernel, c.kernel_w, middle, times, middle_bias.get(), dtype, floats, scaled};
  const Numbers matrix = numbers(middle * c.outputs, dtype);
  const PointwiseFilter project{matrix.get(), middle, c.outputs, bias.get(), dtype, floats, scaled};
  if (c.kind == "depthwise") return std::make_unique<DepthwiseConv2D>(depthwise, options, act, types);
  if (c.kind == "pointwise") return std::make_unique<PointwiseConv2D>(project, act, types);
  if (c.kind == "separable") return std::make_unique<SeparableConv2D>(depthwise, project, options, act, act, nullptr, types);
  if (c.kind == "inverted") {
    const Numbers expand = numbers(c.inputs * middle, dtype);
    const PointwiseFilter first{expand.get(), c.inputs, middle, middle_bias.get(), dtype, floats, scaled};
    return std::make_unique<InvertedResidual>(first, depthwise, project, options, act, act, Activation::none(), nullptr, types);
  }
  if (c.kind != "standard") throw std::invalid_argument("kind: unknown, got " + c.kind);
  const Numbers filters = numbers(c.kernel * c.kernel_w * c.inputs / c.groups * c.outputs, dtype);
  const StandardFilter filter{filters.get(), c.kernel, c.kernel_w, c.inputs, c.outputs, c.groups, bias.get(), dtype, floats, scaled};
  return std::make_unique<Conv2D>(filter, options, act, types);
}

template <class T>
void count(const Case& c) {
  const std::unique_ptr<Layer> layer = layer_of(c);
  const Shape pixel{1, 1, 1, c.inputs}, in{1, c.size, c.width, c.inputs}, out = layer->output_shape(in);
  const Numbers x = numbers(in.h * in.w * in.c, c.dtype), y = numbers(out.h * out.w * out.c, c.dtype);
  const auto call = [&](const Shape& from) {
    (*layer)(dense(static_cast<const T*>(x.get()), from), dense(static_cast<T*>(y.get()), layer->output_shape(from)), nullptr, 1);
  };
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
  std::string dtype;
  in >> c.kind >> c.size >> c.inputs >> c.outputs >> c.kernel >> c.stride >> c.activation >> c.expanded >> c.dilation >> c.groups >>
      c.width >> c.kernel_w >> c.stride_w >> c.dilation_w >> dtype;
  if (!in) throw std::invalid_argument("arguments: wanted fifteen fields, got " + in.str());
  if (dtype == "int8") c.dtype = DType::int8;
  c.dtype == DType::int8 ? count<std::int8_t>(c) : count<float>(c);
  std::cout << isa() << '\n';
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
