// Addresses of the rows of an image, for depthwise kernels.
#pragma once

#include "kernels/activation/epilogue.hpp"
#include "kernels/conv_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <int KH_, int KW_, int SH_, int SW_>
struct Filter {
  static constexpr int KH = KH_, KW = KW_, SH = SH_, SW = SW_;
};

/// Start of input row r, or null for a row of padding.
[[gnu::always_inline]] inline const float* input_row(const DepthwiseWork& w, std::int64_t r) {
  if (r < 0 || r >= w.height) return nullptr;
  return w.x + (r < w.ring ? r : r % w.ring) * w.x_row;
}

/// x clamped to [0, limit].
[[gnu::always_inline]] inline int clamp_to(std::int64_t x, int limit) { return x < 0 ? 0 : (x < limit ? static_cast<int>(x) : limit); }

/// How many channels behind the first the cache lines of pixels begin, in the input and the output alike; 0 where nothing is gained by
/// vectors that begin there, as with few channels, or where pixels are apart by no multiple of a line. If `halves`, of lines' halves there.
[[gnu::noinline]] inline std::int64_t shift_to_lines(const DepthwiseWork& w, bool halves = false) {
  constexpr std::int64_t kLine = 64 / sizeof(float);
  const std::int64_t strides = w.x_pixel | w.x_row | w.y_pixel | w.y_row, unit = halves && strides % kLine != 0 ? kLine / 2 : kLine;
  const auto past = [&](const float* p) { return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(p) / sizeof(float)) % unit; };
  const std::int64_t x = past(w.x);
  const bool fits = x == past(w.y) && strides % unit == 0 && w.x_vector == kLanes && w.v_end * kLanes <= w.channels &&
                    (w.v_end - w.v_begin) * kLanes >= (unit < kLine ? 10 : 8) * unit;
  return kLanes >= 8 && fits ? (unit - x) % unit : 0;
}

/// Channels of vector v that exist: all lanes, except in the last vector.
[[gnu::always_inline]] inline int valid_lanes(const DepthwiseWork& w, std::int64_t v) {
  const std::int64_t rest = w.channels - v * kLanes;
  return rest < kLanes ? static_cast<int>(rest) : kLanes;
}

/// Weights of the last kLanes channels, for a last vector that is not whole: some of them once more. Of filters of up to `Taps`.
template <int Taps>
struct LastChannels {
  float weights[(Taps + 1) * kLanes];

  void pack(const DepthwiseWork& w) {
    const std::int64_t taps = w.kh * w.kw * kLanes, rest = w.channels % kLanes;
    const float* const from = w.weights + w.channels / kLanes * taps;
    // The end of the vector before, then the last one; what these write too much is written again, but for a vector at the end.
    for (std::int64_t i = 0; i < taps; i += kLanes) {
      store(weights + i, load(from - taps + rest + i));
      store(weights + i + kLanes - rest, load(from + i));
    }
  }
};

/// Finishes pixels [ox, ox + pixels) of output rows from y_begin + row on: adds the residual, and
/// applies activations other than clips.
[[gnu::noinline]] inline void finish_pixels(const DepthwiseWork& w, std::int64_t row, int rows, std::int64_t ox, std::int64_t pixels,
                                            std::int64_t v_begin, std::int64_t v_end) {
  const std::int64_t first = v_begin * kLanes, columns = (v_end * kLanes < w.channels ? v_end * kLanes : w.channels) - first;
  float* y = w.y + row * w.y_row + ox * w.y_pixel + first;
  const float* residual = w.residual;
  if (residual != nullptr) residual += row * w.residual_row + ox * w.residual_pixel + first;
  for (int i = 0; i < rows; ++i, y += w.y_row) {
    if (residual == nullptr) {
      activate_block(y, pixels, w.y_pixel, columns, w.activation);
    } else {
      add_block(residual, w.residual_pixel, y, pixels, w.y_pixel, columns, w.activation);
      residual += w.residual_row;
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
