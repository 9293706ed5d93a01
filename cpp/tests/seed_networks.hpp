// Seeds for the fuzzer: every op of the random tests by itself, and small convolutional networks.
#pragma once

#include "dwsep/network.hpp"
#include "network_images.hpp"
#include "network_moves.hpp"
#include "runtime/network/bytes.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/file_format.hpp"
#include "runtime/network/network_impl.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::test {

/// A single op; if `open`, on inputs of any sizes, so that it can follow others.
inline std::vector<char> one_op(Case (*draw_case)(Random&), std::uint64_t seed, bool open) {
  Random random{std::mt19937_64(seed)};
  Case c = draw_case(random);
  runtime::NetworkDraft draft;
  std::vector<int> inputs;
  for (const Values& x : c.inputs) {
    Dims shape = x.shape;
    for (int axis = 0; open && axis < shape.rank(); ++axis) shape[axis] = -1;
    inputs.push_back(draft.add_input("x", shape));
  }
  draft.add_output("y", draft.add_step(c.d, inputs));
  return runtime::write_memory(draft);
}

using Attributes = std::map<std::string, NetworkAttribute>;

inline Attributes window(Int stride, Int dilation, Int padding) {
  return {{"stride", std::vector<Int>{stride, stride}},
          {"dilation", std::vector<Int>{dilation, dilation}},
          {"padding", std::vector<Int>{padding, padding, padding, padding}}};
}

/// Builds convolutions whose weights are small whole numbers.
class Convolutions {
 public:
  NetworkBuilder b;
  int x = 0;

  Convolutions() : numbers_(4096) {
    for (std::size_t i = 0; i < numbers_.size(); ++i) numbers_[i] = static_cast<float>(i % 7) - 3.0F;
  }
  ConstArray some(const Sizes& shape) const { return {numbers_.data(), shape}; }

  void standard(Attributes a, const Sizes& w, Int groups) {
    a["groups"] = std::vector<Int>{groups};
    a["kernel"] = std::vector<Int>{w[0], w[1]};
    x = b.step("standard", "a", {x}, a, {{"weight", some(w)}, {"bias", some({w[3]})}});
  }
  void depthwise(const Attributes& a, const Sizes& w) {
    x = b.step("depthwise", "b", {x}, a, {{"weight", some(w)}, {"bias", some({w[2] * w[3]})}});
  }
  void pointwise(Int in, Int out) { x = b.step("pointwise", "c", {x}, {}, {{"weight", some({in, out})}, {"bias", some({out})}}); }
  void separable(Attributes a, const Sizes& w, Int out, Int squeezed = 0) {
    const Int inner = w[2] * w[3];
    std::map<std::string, ConstArray> weights = {
        {"depthwise_weight", some(w)}, {"depthwise_bias", some({inner})}, {"weight", some({inner, out})}, {"bias", some({out})}};
    excite(a, weights, inner, squeezed);
    x = b.step("separable", "d", {x}, a, weights);
  }
  void inverted_residual(Attributes a, Int in, const Sizes& w, Int out, bool residual, Int squeezed = 0) {
    const Int inner = w[2] * w[3];
    std::map<std::string, ConstArray> weights = {{"expand_weight", some({in, w[2]})}, {"expand_bias", some({w[2]})},
                                                 {"depthwise_weight", some(w)},       {"depthwise_bias", some({inner})},
                                                 {"weight", some({inner, out})},      {"bias", some({out})}};
    excite(a, weights, inner, squeezed);
    x = b.step("inverted_residual", "e", residual ? std::vector<int>{x, x} : std::vector<int>{x}, a, weights);
  }
  std::vector<char> file() {
    b.output("y", x);
    b.metadata("name", "convolutions");
    return b.finish().to_memory();
  }

 private:
  void excite(Attributes& a, std::map<std::string, ConstArray>& weights, Int inner, Int squeezed) const {
    if (squeezed == 0) return;
    a["reduce_activation"] = std::string("silu");
    a["excite_activation"] = std::string("sigmoid");
    weights["reduce_weight"] = some({inner, squeezed});
    weights["reduce_bias"] = some({squeezed});
    weights["excite_weight"] = some({squeezed, inner});
    weights["excite_bias"] = some({inner});
  }

  std::vector<float> numbers_;
};

/// Every kind of convolution, on images of 6x5 pixels.
inline std::vector<char> convolutions() {
  Convolutions c;
  Attributes gelu = window(1, 1, 1);
  gelu["activation"] = std::string("gelu");
  c.x = c.b.input("images", {-1, 6, 5, 3});
  c.standard(gelu, {3, 3, 3, 5}, 1);
  c.depthwise(window(1, 1, 1), {3, 3, 5, 1});
  c.separable(window(1, 1, 1), {3, 3, 5, 1}, 6);
  c.inverted_residual(window(1, 1, 1), 6, {3, 3, 9, 1}, 6, true, 2);
  c.x = c.b.step("binary", "f", {c.x, c.b.constant(c.some({1, 6}))}, {{"function", std::string("add")}}, {});
  c.pointwise(6, 4);
  return c.file();
}

/// Says of all packed weights of a file that they are for vectors of so many lanes.
inline void set_lanes(std::vector<char>& file, std::uint32_t lanes) {
  const runtime::Packing packing = runtime::packing_in_use();
  const auto used = static_cast<std::uint32_t>(packing.lanes), half = static_cast<std::uint32_t>(packing.half_panel);
  const std::uint32_t matrix[] = {static_cast<std::uint32_t>(runtime::Layout::matrix_panels), 2, used, half};
  const std::uint32_t depthwise[] = {static_cast<std::uint32_t>(runtime::Layout::depthwise_vectors), 1, used};
  const auto replace = [&](const void* record, std::size_t bytes) {
    const auto* const begin = static_cast<const char*>(record);
    for (auto at = file.begin(); (at = std::search(at, file.end(), begin, begin + bytes)) != file.end(); ++at) {
      std::memcpy(&*at + 2 * sizeof(lanes), &lanes, sizeof(lanes));
    }
  };
  replace(matrix, sizeof(matrix));
  replace(depthwise, sizeof(depthwise));
}

/// Strides, dilations, groups, multipliers, wide filters, squeeze-excite without a residual, on images of any size.
inline std::vector<std::vector<char>> more_convolutions() {
  std::vector<std::vector<char>> files;
  const auto add = [&](const auto& build) {
    Convolutions c;
    c.x = c.b.input("images", {-1, -1, -1, 2});
    build(c);
    files.push_back(c.file());
  };
  add([](Convolutions& c) { c.depthwise(window(2, 1, 1), {3, 3, 2, 3}), c.depthwise(window(1, 2, 2), {2, 3, 6, 1}); });
  for (const Int taps : {5, 7}) {
    for (const Int stride : {1, 2}) add([&](Convolutions& c) { c.depthwise(window(stride, 1, taps / 2), {taps, taps, 2, 1}); });
  }
  add([](Convolutions& c) { c.standard(window(2, 1, 1), {2, 3, 1, 6}, 2), c.standard(window(1, 1, 1), {3, 3, 1, 6}, 6); });
  add([](Convolutions& c) { c.separable(window(2, 1, 1), {3, 3, 2, 2}, 17, 3), c.separable(window(1, 1, 2), {5, 5, 17, 1}, 2); });
  add([](Convolutions& c) {
    c.inverted_residual(window(2, 1, 1), 2, {3, 3, 6, 1}, 4, false), c.inverted_residual(window(1, 1, 1), 4, {3, 3, 5, 2}, 4, true);
  });
  add([](Convolutions& c) { c.inverted_residual(window(2, 1, 2), 2, {5, 5, 9, 1}, 18, false, 2); });
  // Numbers of channels whose packing takes as many floats with vectors of any width: files for other instruction sets.
  for (const std::uint32_t lanes : {4U, 8U, 16U}) {
    add([](Convolutions& c) { c.pointwise(2, 32), c.depthwise(window(1, 1, 1), {3, 3, 32, 1}), c.pointwise(32, 32); });
    set_lanes(files.back(), lanes);
  }
  // An image that is large enough to be cut into strips.
  add([](Convolutions& c) {
    c.x = c.b.input("wide", {1, 24, 20, 8});
    c.separable(window(1, 1, 1), {3, 3, 8, 1}, 8);
  });
  // One small image with many channels: threads divide those.
  for (const Int squeezed : {0, 4}) {
    add([&](Convolutions& c) {
      c.x = c.b.input("deep", {1, 4, 4, 6});
      c.inverted_residual(window(1, 1, 1), 6, {3, 3, 48, 1}, 6, true, squeezed);
    });
  }
  return files;
}

/// Recurrent layers of each kind, the last with a state.
inline std::vector<char> recurrent_layers() {
  Convolutions c;
  const auto add = [&](const char* cell, const char* direction, Int directions, Int gates, Int in, Int units, std::vector<int> inputs) {
    const Attributes a = {{"cell", std::string(cell)},
                          {"direction", std::string(direction)},
                          {"clip", std::vector<double>{2.0}},
                          {"reset_after", std::vector<Int>{units % 2}}};
    c.x = c.b.step("recurrent", cell, inputs, a,
                   {{"input_weight", c.some({directions, in, gates * units})},
                    {"weight", c.some({directions, units, gates * units})},
                    {"bias", c.some({directions, gates * units})}});
  };
  const int steps = c.b.input("steps", {-1, -1, 3});
  add("plain", "reverse", 1, 1, 3, 5, {steps});
  c.b.output("plain", c.x);
  for (const Int units : {4, 7}) {
    add("gru", "both", 2, 3, 3, units, {steps});
    c.b.output("gru", c.x);
  }
  add("lstm", "forward", 1, 4, 3, 17, {steps, c.b.input("state", {1, -1, 17})});
  return c.file();
}

/// A convolution whose weights are not packed yet, as a program may write it.
inline std::vector<char> raw_convolution(const std::string& kind, const Dims& weights, Int groups) {
  const auto count = static_cast<std::uint64_t>(weights.count());
  runtime::ByteWriter w;
  for (const std::uint32_t v : {0U, 2U}) w.number(v);  // no metadata, two values
  w.number(runtime::RecordKind::input);
  w.text("x");
  w.type({});
  w.dims({1, 5, 5, weights[2] * groups});
  w.number(runtime::RecordKind::step);
  w.text(kind);
  w.text("s");
  for (const std::uint32_t v : {1U, 0U, 5U}) w.number(v);  // one input, number 0; five attributes
  const auto attribute = [&](const char* name, const std::vector<Int>& values) {
    w.text(name);
    w.number(runtime::AttributeKind::integers);
    w.list(values);
  };
  attribute("stride", {1, 1});
  attribute("dilation", {1, 1});
  attribute("padding", {1, 1, 1, 1});
  attribute("groups", {groups});
  attribute("kernel", {weights[0], weights[1]});
  w.number(std::uint32_t{1});
  w.text("weight");
  w.type({});
  w.number(runtime::Layout::row_major);
  w.list(std::vector<std::uint32_t>());
  w.dims(weights);
  w.number(std::uint32_t{1});
  for (const std::uint64_t v : {std::uint64_t{0}, count * sizeof(float)}) w.number(v);
  w.number(std::uint32_t{1});
  w.text("y");
  w.number(std::uint32_t{1});
  runtime::FileHeader header{};
  header.description_bytes = w.bytes().size();
  header.data_offset = (sizeof(header) + w.bytes().size() + 63) / 64 * 64;
  std::vector<char> file(static_cast<std::size_t>(header.data_offset) + static_cast<std::size_t>(count) * sizeof(float));
  std::memcpy(file.data(), &header, sizeof(header));
  std::copy(w.bytes().begin(), w.bytes().end(), file.begin() + sizeof(header));
  return file;
}

/// Outputs that are inputs, constants, or come twice; empty and scalar arrays.
inline std::vector<char> odd_outputs() {
  runtime::NetworkDraft draft;
  const auto one = std::make_shared<float>(1.0F);
  const int x = draft.add_input("x", {-1, 3}), empty = draft.add_input("empty", {0, 4}), scalar = draft.add_constant({}, one);
  for (const int value : {x, x, empty, scalar}) draft.add_output("y", value);
  return runtime::write_memory(draft);
}

inline std::vector<std::vector<char>> seed_files() {
  std::vector<std::vector<char>> files = more_convolutions();
  files.push_back(convolutions());
  files.push_back(odd_outputs());
  files.push_back(recurrent_layers());
  files.push_back(raw_convolution("standard", {3, 3, 2, 6}, 2));
  files.push_back(raw_convolution("depthwise", {3, 3, 3, 2}, 1));
  for (const auto draw_case :
       {activation_case, unary_case, binary_case, pool_case, reduce_case, softmax_case, layer_norm_case, matmul_case, resize_case,
        identity_case, reshape_case, transpose_case, concat_case, slice_case, pad_case, gather_case, expand_case, zero_insert_case}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) files.push_back(one_op(draw_case, seed, seed % 2 == 0));
  }
  return files;
}

}  // namespace dwsep::test
