// Classifies a picture: `classify network.dwsep picture.ppm` prints the five largest values of its first output, each after its number.
//
// The picture (binary PPM, as `convert picture.jpg picture.ppm` writes it) is resized to the network's input and normalised as networks
// trained on ImageNet expect it. Inputs may be laid out as (1, H, W, 3) or as (1, 3, H, W).
#include <algorithm>
#include <cstdio>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "dwsep/dwsep.hpp"
#include "picture.hpp"

namespace {

void classify(const char* network_path, const char* picture_path) {
  const dwsep::Network network = dwsep::Network::load(network_path);
  const Picture picture = read_ppm(picture_path);
  dwsep::Sizes shape = network.inputs().at(0).shape;
  if (shape.size() != 4 || (shape[1] != 3 && shape[3] != 3)) throw std::runtime_error("need a network of one picture of 3 channels");
  const bool last = shape[3] == 3;
  shape[0] = 1;
  for (std::int64_t& size : shape) size = size < 0 ? 224 : size;  // where the network takes any size
  const std::int64_t h = shape[last ? 1 : 2], w = shape[last ? 2 : 3];

  constexpr float mean[] = {0.485F, 0.456F, 0.406F}, deviation[] = {0.229F, 0.224F, 0.225F};
  std::vector<float> x(static_cast<std::size_t>(h * w * 3));
  for (std::int64_t i = 0; i < h * w * 3; ++i) {
    const std::int64_t c = last ? i % 3 : i / (h * w), pixel = last ? i / 3 : i % (h * w);
    x[static_cast<std::size_t>(i)] = (sample(picture, pixel / w, h, pixel % w, w, c) / 255.0F - mean[c]) / deviation[c];
  }

  std::vector<std::vector<float>> results;
  std::vector<dwsep::OutputArray> pointers;
  for (const dwsep::Sizes& size : network.output_shapes({shape})) {
    const std::int64_t count = std::accumulate(size.begin(), size.end(), std::int64_t{1}, std::multiplies<>());
    pointers.emplace_back(results.emplace_back(static_cast<std::size_t>(count)).data());
  }
  network.run({{x.data(), shape}}, pointers);
  const std::vector<float>& y = results.at(0);

  std::vector<std::size_t> order(y.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto five = order.begin() + std::min<std::ptrdiff_t>(5, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), five, order.end(), [&](std::size_t a, std::size_t b) { return y[a] > y[b]; });
  std::for_each(order.begin(), five, [&](std::size_t i) { std::printf("%5zu  %g\n", i, static_cast<double>(y[i])); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: classify network.dwsep picture.ppm\n"), 2;
  const dwsep::Status done = dwsep::attempt([&] { classify(argv[1], argv[2]); });
  if (!done.ok()) std::fprintf(stderr, "classify: %s\n", done.message());
  return done.ok() ? 0 : 1;
}
