// Misuse from C++ that the library can detect: an error that names the argument, without side effects.
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"

namespace {

using dwsep::Activation;
using dwsep::Shape;
using dwsep::test::check;

constexpr std::int64_t kChannels = 6, kOut = 10;
std::vector<float> memory(16 * kOut);  // whatever is read and written

/// Whether body() ends in an invalid argument with such a message.
template <class Body>
bool refused(const Body& body, const char* start) {
  const dwsep::Status status = dwsep::attempt(body);
  const bool right = status.code() == dwsep::StatusCode::invalid_argument;
  return right && std::strncmp(status.message(), start, std::strlen(start)) == 0;
}

dwsep::ConstTensor reads(const Shape& shape) { return dwsep::dense(std::as_const(memory).data(), shape); }
dwsep::Tensor writes(const Shape& shape) { return dwsep::dense(memory.data(), shape); }

void shapes(const dwsep::Layer& layer) {
  const auto call = [&](const Shape& in, const Shape& out) { return [&, in, out] { layer(reads(in), writes(out)); }; };
  const char* const sizes = "x: need sizes between 0 and 2^48";
  check(refused(call({-1, 4, -4, kChannels}, {-1, 4, -4, kOut}), sizes), "negative sizes");
  check(refused(call({1, std::int64_t{1} << 49, 4, kChannels}, {}), sizes), "2^49 rows");
  check(refused([&] { static_cast<void>(layer.plan({-5, 4, 4, kChannels})); }, sizes), "a plan for a negative batch");
  check(refused(call({1, 4, 4, kChannels + 1}, {1, 4, 4, kOut}), "x: "), "other channels");
  check(refused(call({1, 4, 4, kChannels}, {1, 4, 3, kOut}), "y: need shape"), "another result");
}

void pointers(const dwsep::Layer& layer) {
  const Shape in{1, 4, 4, kChannels}, out{1, 4, 4, kOut}, none{0, 4, 4, kChannels};
  dwsep::ConstTensor no_x = reads(in), no_residual = reads(out), no_images = reads(none);
  dwsep::Tensor no_y = writes(out), no_results = writes({0, 4, 4, kOut});
  no_x.data = no_residual.data = no_images.data = nullptr;
  no_y.data = no_results.data = nullptr;
  check(refused([&] { layer(no_x, writes(out)); }, "x: need a pointer"), "no x");
  check(refused([&] { layer(reads(in), no_y); }, "y: need a pointer"), "no y");
  check(refused([&] { layer(reads(in), writes(out), &no_residual); }, "residual: need a pointer"), "no residual");
  check(dwsep::try_run(layer, no_images, no_results).ok(), "nothing needs no memory");
  check(refused([&] { layer(reads(in), writes(out), nullptr, -1); }, "threads: "), "negative threads");
}

void weights() {
  const auto pointwise = [](const float* w, std::int64_t in, std::int64_t out) {
    return [=] { dwsep::PointwiseConv2D({w, in, out, nullptr}, Activation::none()); };
  };
  const auto depthwise = [](const float* w, std::int64_t kh, std::int64_t kw, std::int64_t channels, std::int64_t multiplier) {
    return [=] { dwsep::DepthwiseConv2D({w, kh, kw, channels, multiplier, nullptr}, {}, Activation::none()); };
  };
  const auto standard = [](const float* w, std::int64_t kh, std::int64_t kw, std::int64_t in, std::int64_t out) {
    return [=] { dwsep::Conv2D({w, kh, kw, in, out, 1, nullptr}, {}, Activation::none()); };
  };
  constexpr std::int64_t kMany = std::int64_t{1} << 31;
  const float* const w = memory.data();
  const char* const name = "weights: ";
  check(refused(pointwise(nullptr, 4, 4), name), "no weights of a matrix");
  check(refused(depthwise(nullptr, 3, 3, 4, 1), name), "no weights of a filter");
  check(refused(standard(nullptr, 3, 3, 4, 4), name), "no weights of a standard filter");
  check(refused(pointwise(w, 2 * kMany, 2 * kMany), name), "2^64 weights");
  check(refused(pointwise(w, 1, INT64_MAX), name), "2^63 outputs");
  check(refused(depthwise(w, 1, 1, kMany * kMany, 4), name), "2^64 channels");
  check(refused(depthwise(w, 1, 1, 2 * kMany, 2 * kMany), name), "a multiplier of 2^32");
  check(refused(depthwise(w, kMany, kMany, 4, 1), name), "2^64 taps");
  check(refused(standard(w, kMany, kMany, 4, 1), name), "2^64 standard weights");
  check(refused(standard(w, 4, 4, kMany, kMany / 2), name), "2^65 standard weights");
}

/// Only float32 is computed with: of all else the argument is named, and what it was.
void types(const dwsep::Layer& layer) {
  using dwsep::DType;
  const Shape in{1, 4, 4, kChannels}, out{1, 4, 4, kOut};
  const dwsep::Quantization half{{0.5F}, {3}, -1};
  for (int id = 1; id < dwsep::kDTypes; ++id) {
    const auto type = static_cast<DType>(id);
    const std::string wrong = std::string(": need type float32, got ") + dwsep::name_of(type);
    dwsep::ConstTensor x = reads(in), residual = reads(out);
    dwsep::Tensor y = writes(out);
    x.dtype = residual.dtype = y.dtype = type;
    check(refused([&] { layer(x, writes(out)); }, ("x" + wrong).c_str()), "a type of x");
    check(refused([&] { layer(reads(in), y); }, ("y" + wrong).c_str()), "a type of y");
    check(refused([&] { layer(reads(in), writes(out), &residual); }, ("residual" + wrong).c_str()), "a type of the residual");
    const auto filter = [&](DType weights, DType bias) {
      return [=] { dwsep::PointwiseConv2D({memory.data(), 4, 4, memory.data(), weights, bias}, Activation::none()); };
    };
    check(refused(filter(type, DType::float32), ("weights" + wrong).c_str()), "a type of weights");
    check(refused(filter(DType::float32, type), ("bias" + wrong).c_str()), "a type of a bias");
    check(refused(
              [&] {
                dwsep::DepthwiseConv2D({memory.data(), 3, 3, 4, 1, nullptr, type}, {}, Activation::none());
              },
              ("weights" + wrong).c_str()),
          "a type of depthwise weights");
    check(refused(
              [&] {
                dwsep::Conv2D({memory.data(), 1, 1, 4, 4, 1, nullptr, type}, {}, Activation::none());
              },
              ("weights" + wrong).c_str()),
          "a type of standard weights");
  }
  dwsep::ConstTensor unknown = reads(in), scaled = dwsep::dense(std::as_const(memory).data(), in, &half);
  unknown.dtype = static_cast<DType>(99);
  check(refused([&] { layer(unknown, writes(out)); }, "x: need type float32, got "), "a type that is not known");
  check(refused([&] { layer(scaled, writes(out)); }, "x: need no quantization"), "floats with a scale");
  const auto quantized = [&] {
    dwsep::PointwiseConv2D({memory.data(), 4, 4, nullptr, DType::float32, DType::float32, &half}, Activation::none());
  };
  check(refused(quantized, "weights: need no quantization"), "weights with a scale");
}

void options() {
  const auto activated = [](const Activation& a) { return [=] { dwsep::PointwiseConv2D({memory.data(), 4, 4, nullptr}, a); }; };
  check(refused(activated(Activation::clip(3, 1)), "activation: "), "a clip to nothing");
  check(refused(activated(Activation::clip(NAN, 1)), "activation: "), "a clip to NaN");
  check(refused(activated({static_cast<dwsep::ActivationKind>(99), 0, 0}), "activation: "), "activation 99");
  check(refused(activated({dwsep::ActivationKind::leaky_relu, INFINITY, 0}), "activation: "), "an infinite slope");
  dwsep::ConvOptions padding;
  padding.padding.mode = static_cast<dwsep::Padding::Mode>(9);
  const auto convolving = [](const dwsep::ConvOptions& o) {
    return [=] { dwsep::DepthwiseConv2D({memory.data(), 3, 3, 4, 1, nullptr}, o, Activation::none()); };
  };
  check(refused(convolving(padding), "padding: "), "padding 9");
  const auto with = [&](std::int64_t dwsep::ConvOptions::*field, const char* start) {
    dwsep::ConvOptions o;
    o.*field = 0;
    check(refused(convolving(o), start), start);
  };
  with(&dwsep::ConvOptions::stride_h, "stride: need");
  with(&dwsep::ConvOptions::stride_w, "stride: need");
  with(&dwsep::ConvOptions::dilation_h, "dilation: need");
  with(&dwsep::ConvOptions::dilation_w, "dilation: need");
}

void networks() {
  dwsep::NetworkBuilder builder;
  using Attributes = std::map<std::string, dwsep::NetworkAttribute>;
  using Weights = std::map<std::string, dwsep::ConstArray>;
  const int x = builder.input("x", {-1, 4});
  const Weights matrix{{"weight", {memory.data(), {4, 3}}}};
  const Weights misspelt{{"weight", {memory.data(), {4, 3}}}, {"bais", {memory.data(), {3}}}};
  check(refused([&] { builder.step("pointwise", "p", {x}, {}, misspelt); }, "node 'p' (pointwise): bais: "), "weights without a meaning");
  check(refused(
            [&] {
              builder.step("depthwise", "d", {x}, {}, {{"weight", {memory.data(), {1, 1, 4, 1}}}});
            },
            "node 'd' (depthwise): stride: "),
        "a node that is named once");
  const Weights unused{{"weight", {memory.data(), {4, 3}}}, {"weight.7", {memory.data(), {3}}}};
  check(refused([&] { builder.step("pointwise", "p", {x}, {}, unused); }, "node 'p' (pointwise): weight.7: need weights of this kind"),
        "weights that nothing reads");
  const Attributes number{{"activation", std::vector<std::int64_t>{1}}};
  check(refused([&] { builder.step("activation", "a", {x}, number, {}); }, "node 'a' (activation): activation: need a string"),
        "a number for a string");
  using Numbers = std::vector<std::int64_t>;
  const Attributes window{{"stride", Numbers{1, 1}},
                          {"dilation", Numbers{1, 1}},
                          {"padding", Numbers{0, 0, 0, 0}},
                          {"groups", Numbers{1}},
                          {"kernel", Numbers{1, 1}}};
  for (const dwsep::Sizes& shape : std::vector<dwsep::Sizes>{{1, 1, 4}, {1, 1, 0, 4}, {1, 1, 2, 2, 1}}) {
    check(refused(
              [&] {
                builder.step("standard", "s", {x}, window, {{"weight", {memory.data(), shape}}});
              },
              "node 's' (standard): weight: need 4 axes"),
          "weights of other axes, or of none");
  }
  check(refused([&] { builder.constant({nullptr, {8}}); }, "constant: need a pointer"), "a constant from nowhere");
  check(refused(
            [&] {
              builder.step("pointwise", "p", {x}, {}, {{"weight", {nullptr, {4, 3}}}});
            },
            "weights 'weight': need a pointer"),
        "weights from nowhere");
  check(refused([] { static_cast<void>(dwsep::Network::from_memory(nullptr, 100)); }, "data: need a pointer"), "a file from nowhere");
  const std::vector<std::uint8_t> small(16);
  check(refused(
            [&] {
              builder.step("pointwise", "p", {x}, {}, {{"weight", {small.data(), {4, 4}}}});
            },
            "node 'p' (pointwise): weights 'weight': need type float32, as x has, got uint8"),
        "weights of bytes");
  const Attributes unknown_attribute{{"activatoin", std::string("tanh")}};
  check(refused([&] { builder.step("pointwise", "p", {x}, unknown_attribute, matrix); }, "node 'p' (pointwise): activatoin: "),
        "an unknown attribute");
  builder.output("y", builder.step("pointwise", "p", {x}, {}, matrix));
  dwsep::Network network = builder.finish();
  const dwsep::ConstArray nowhere{nullptr, {2, 4}}, somewhere{memory.data(), {2, 4}};
  check(refused([&] { network.run({nowhere}, {memory.data()}); }, "input 'x': need a pointer"), "no input");
  check(refused([&] { network.run({somewhere}, {nullptr}); }, "output 'y': need a pointer"), "nowhere to put an output");
  const std::vector<std::int8_t> bytes(8);
  std::vector<std::int32_t> words(16);
  const dwsep::Quantization half{{0.5F}, {3}, -1};
  const dwsep::ConstArray scaled{memory.data(), {2, 4}, &half}, unknown{memory.data(), {2, 4}, static_cast<dwsep::DType>(99)};
  check(refused([&] { network.run({{bytes.data(), {2, 4}}}, {memory.data()}); }, "input 'x': need type float32, got int8"), "bytes");
  check(refused([&] { network.run({unknown}, {memory.data()}); }, "input 'x': need type float32, got an unknown type"), "an unknown type");
  check(refused([&] { network.run({scaled}, {memory.data()}); }, "input 'x': need no quantization"), "an input with a scale");
  check(refused([&] { network.run({somewhere}, {words.data()}); }, "output 'y': need type float32, got int32"), "int32 results");
  check(network.inputs()[0].dtype == dwsep::DType::float32 && !network.outputs()[0].quantization, "what a network takes and gives");
  check(refused([&] { network.run({somewhere}, {memory.data()}, -3); }, "threads: "), "negative threads of a network");
  check(refused([&] { network.run({somewhere}, {}); }, "outputs: "), "no outputs");
  const dwsep::Network other = std::move(network);
  check(network.inputs().size() == other.inputs().size(), "a network that was moved from");  // NOLINT(bugprone-use-after-move)
}

void moved() {
  dwsep::PointwiseConv2D first({memory.data(), kChannels, kOut, nullptr}, Activation::none());
  const dwsep::PointwiseConv2D second = std::move(first);
  const Shape in{1, 1, 2, kChannels};
  check(first.output_shape(in) == second.output_shape(in), "a layer that was moved from");  // NOLINT(bugprone-use-after-move)
}

}  // namespace

int main() {
  const dwsep::Conv2D layer({memory.data(), 1, 1, kChannels, kOut, 1, nullptr}, {}, Activation::none());
  shapes(layer);
  pointers(layer);
  weights();
  types(layer);
  options();
  networks();
  moved();
  return dwsep::test::summary("misuse");
}
