// A network of int8 through the C++ and the C interface: the bits of the layers, and a file that holds the integers.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "c_calls.hpp"
#include "check.hpp"
#include "dwsep/dwsep.hpp"

namespace {

using namespace dwsep::test;
using Bytes = std::vector<std::int8_t>;
using Ints = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Attributes = std::map<std::string, dwsep::NetworkAttribute>;

constexpr std::int64_t kIn = 37, kOut = 21, kHeight = 6, kWidth = 5;

Bytes bytes(std::int64_t count, std::uint32_t seed) {
  Bytes values(static_cast<std::size_t>(count));
  for (std::int8_t& v : values) v = static_cast<std::int8_t>((seed = seed * 1664525U + 1013904223U) >> 24);
  return values;
}

/// depthwise, then pointwise.
struct Parts {
  Bytes filters = bytes(9 * kIn, 1), matrix = bytes(kIn * kOut, 2);
  std::vector<std::int32_t> bias = std::vector<std::int32_t>(kOut, 77);
  std::vector<float> filter_scales = std::vector<float>(kIn, 0.01F), matrix_scales = std::vector<float>(kOut, 0.002F);
  dwsep::Quantization x{{0.05F}, {3}}, middle{{0.1F}, {-8}}, y{{0.03F}, {5}};

  dwsep::Network network() const {
    dwsep::NetworkBuilder b;
    const Attributes window = {{"stride", Ints{2, 2}},        {"dilation", Ints{1, 1}},
                               {"padding", Ints{1, 1, 1, 1}}, {"activation", std::string("clip")},
                               {"activation_lo", Reals{0}},   {"activation_hi", Reals{6}},
                               {"to", std::string("int8")},   {"scale", Reals{static_cast<double>(0.1F)}},
                               {"zero_point", Ints{-8}}};
    const Attributes stored = {{"to", std::string("int8")}, {"scale", Reals{static_cast<double>(0.03F)}}, {"zero_point", Ints{5}}};
    int v = b.input("x", {-1, kHeight, kWidth, kIn}, dwsep::DType::int8, &x);
    v = b.step("depthwise", "a", {v}, window,
               {{"weight", {filters.data(), {3, 3, kIn, 1}}}, {"weight_scale", {filter_scales.data(), {kIn}}}});
    v = b.step(
        "pointwise", "b", {v}, stored,
        {{"weight", {matrix.data(), {kIn, kOut}}}, {"weight_scale", {matrix_scales.data(), {kOut}}}, {"bias", {bias.data(), {kOut}}}});
    b.output("y", v);
    return b.finish();
  }

  Bytes by_layers(const Bytes& images, std::int64_t n) const {
    const dwsep::Quantization each{filter_scales, std::vector<std::int32_t>(kIn, 0), 2},
        column{matrix_scales, std::vector<std::int32_t>(kOut, 0), 1};
    const dwsep::DepthwiseFilter f{filters.data(), 3, 3, kIn, 1, nullptr, dwsep::DType::int8, dwsep::DType::float32, &each};
    const dwsep::PointwiseFilter m{matrix.data(), kIn, kOut, bias.data(), dwsep::DType::int8, dwsep::DType::int32, &column};
    dwsep::ConvOptions options;
    options.stride_h = options.stride_w = 2;
    options.padding = {dwsep::Padding::Mode::explicit_, 1, 1, 1, 1};
    dwsep::TensorTypes first, second;
    first.x = {dwsep::DType::int8, &x};
    first.y = second.x = {dwsep::DType::int8, &middle};
    second.y = {dwsep::DType::int8, &y};
    const dwsep::DepthwiseConv2D depthwise(f, options, dwsep::Activation::clip(0, 6), first);
    const dwsep::PointwiseConv2D pointwise(m, dwsep::Activation::none(), second);
    const dwsep::Shape in{n, kHeight, kWidth, kIn}, inner{n, 3, 3, kIn}, out{n, 3, 3, kOut};
    Bytes between(static_cast<std::size_t>(n * 9 * kIn)), result(static_cast<std::size_t>(n * 9 * kOut));
    depthwise(dwsep::dense(images.data(), in), dwsep::dense(between.data(), inner));
    pointwise(dwsep::dense(static_cast<const std::int8_t*>(between.data()), inner), dwsep::dense(result.data(), out));
    return result;
  }
};

void by_c(const std::vector<char>& content, const Bytes& images, std::int64_t n, const Bytes& wanted) {
  Api api;
  const dwsep_api& f = api.functions;
  dwsep_network* network = nullptr;
  check(f.read_network(content.data(), content.size(), &network, api.message.data(), api.message.size()) == DWSEP_OK,
        "the content of a file");
  if (network == nullptr) return;
  dwsep_value value{};
  check(f.describe_input(network, 0, &value, nullptr, 0) == DWSEP_OK && value.dtype == DWSEP_INT8, "an input of int8");
  check(value.quantization.count == 1 && value.quantization.scales[0] == 0.05F && value.quantization.zero_points[0] == 3,
        "what it stands for");
  Bytes y(wanted.size());
  const dwsep_const_array input = {images.data(), {4, {n, kHeight, kWidth, kIn}}, DWSEP_INT8, &value.quantization};
  dwsep_array output = {y.data(), {4, {n, 3, 3, kOut}}, DWSEP_INT8, nullptr};
  for (const int threads : {1, 2}) {
    std::fill(y.begin(), y.end(), std::int8_t{0});
    check(f.run_network(network, &input, 1, &output, 1, threads, api.message.data(), api.message.size()) == DWSEP_OK, api.message.data());
    check(y == wanted, "the bits of the layers, by C");
  }
  output.dtype = DWSEP_UINT8;
  check(api.refused(f.run_network(network, &input, 1, &output, 1, 1, api.message.data(), api.message.size()), DWSEP_INVALID_ARGUMENT,
                    "outputs[0]: need type int8, got uint8"),
        "another type");
  f.delete_network(network);
}

}  // namespace

int main() {
  const Parts parts;
  const dwsep::Network network = parts.network();
  const std::vector<char> content = network.to_memory();
  check(content.size() < 4096 + parts.filters.size() + parts.matrix.size(), "a byte for each weight");
  check(dwsep::Network::from_memory(content.data(), content.size()).to_memory() == content, "the same file again");
  for (const std::int64_t n : {1, 3}) {
    const Bytes images = bytes(n * kHeight * kWidth * kIn, 3);
    const Bytes wanted = parts.by_layers(images, n);
    Bytes y(wanted.size());
    network.run({{images.data(), {n, kHeight, kWidth, kIn}, &parts.x}}, {y.data()}, 2);
    check(y == wanted && y.back() != 0, "the bits of the layers");
    by_c(content, images, n, wanted);
  }
  check(network.steps({{1, kHeight, kWidth, kIn}})[1].type == dwsep::DType::int8, "the type of a step");
  return summary(("networks of int8 on " + dwsep::isa()).c_str());
}
