// One separable layer on a synthetic image: blurs a checkerboard, channel by channel, and mixes its three colours into grey.
//
// The weights are packed once, when the layer is made; the call then allocates nothing and may come from any thread.
#include <cmath>
#include <cstdio>
#include <vector>

#include "dwsep/dwsep.hpp"

int main() {
  constexpr std::int64_t kSize = 64, kChannels = 3, kTaps = 5;
  const dwsep::Shape shape{1, kSize, kSize, kChannels};  // N, H, W, C

  std::vector<float> image(kSize * kSize * kChannels);
  for (std::int64_t i = 0; i < kSize * kSize; ++i) {
    const bool white = ((i / kSize / 8) + (i % kSize / 8)) % 2 == 0;
    for (std::int64_t c = 0; c < kChannels; ++c) image[static_cast<std::size_t>(i * kChannels + c)] = white ? 1.0F : 0.0F;
  }

  const std::vector<float> box(kTaps * kTaps * kChannels, 1.0F / (kTaps * kTaps));  // KH, KW, C
  const std::vector<float> luma = {0.299F, 0.587F, 0.114F};                         // in, out
  dwsep::DepthwiseFilter depthwise;
  depthwise.weight = box.data();
  depthwise.kh = depthwise.kw = kTaps;
  depthwise.channels = kChannels;
  dwsep::PointwiseFilter pointwise;
  pointwise.weight = luma.data();
  pointwise.in = kChannels;
  pointwise.out = 1;

  dwsep::ConvOptions options;
  options.padding.mode = dwsep::Padding::Mode::valid;
  const dwsep::SeparableConv2D layer(depthwise, pointwise, options, dwsep::Activation::none(), dwsep::Activation::relu6());

  const dwsep::Shape out = layer.output_shape(shape);
  std::vector<float> grey(static_cast<std::size_t>(out.h * out.w * out.c));
  if (const dwsep::Status s = dwsep::try_run(layer, dwsep::dense(image.data(), shape), dwsep::dense(grey.data(), out)); !s.ok()) {
    std::fprintf(stderr, "%s\n", s.message());
    return 1;
  }

  const dwsep::Plan plan = layer.plan(shape);
  std::printf("%s (%s) on %s, %d thread(s)\n", plan.algorithm.c_str(), plan.kernel.c_str(), dwsep::isa().c_str(), plan.threads);
  for (std::int64_t row = 0; row < out.h; row += 4) {
    for (std::int64_t column = 0; column < out.w; column += 2) {
      std::putchar(" .:-=+*#%@"[std::lround(9.0F * grey[static_cast<std::size_t>(row * out.w + column)])]);
    }
    std::putchar('\n');
  }
}
