// Gathers windows: for each output pixel the inputs of one group under the filter, tap by tap, as rows of a matrix.
#pragma once

#include <algorithm>
#include <cstring>

#include "runtime/layers/int8_stage.hpp"

namespace dwsep::runtime {

class Windows {
 public:
  /// Windows lie `window` bytes apart.
  Windows(const Geometry& g, const Int8Source& x, std::int64_t channels, std::int8_t zero, std::int64_t window)
      : g_(g), x_(x), channels_(channels), run_(g.kw * channels), window_(window), zero_(static_cast<unsigned char>(zero)) {
    if (x.pixel == channels && g.dilation_w == 1) {
      const std::int64_t last = x.width - g.kw + g.pad_left;
      inside_ = {divided_up(g.pad_left, g.stride_w), last < 0 ? 0 : last / g.stride_w + 1};
    }
  }

  /// Output pixels of the image, counted row by row.
  void gather(Range pixels, std::int8_t* to) const {
    for (std::int64_t first = pixels.begin; first < pixels.end;) {
      const std::int64_t y = first / g_.out_w, x = first % g_.out_w, count = std::min(pixels.end - first, g_.out_w - x);
      for (std::int64_t r = 0; r < g_.kh; ++r) gather_row(y * g_.stride_h - g_.pad_top + r * g_.dilation_h, {x, x + count}, to + r * run_);
      to += count * window_;
      first += count;
    }
  }

 private:
  static std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

  /// One row of taps for output pixels [xs) of a row, the first at `to`, those of others a window further.
  void gather_row(std::int64_t row, Range xs, std::int8_t* to) const {
    if (row < 0 || row >= x_.height) {
      for (std::int64_t x = xs.begin; x < xs.end; ++x, to += window_) std::memset(to, zero_, static_cast<std::size_t>(run_));
      return;
    }
    const std::int8_t* const from = x_.data + row * x_.row;
    const std::int64_t begin = std::clamp(inside_.begin, xs.begin, xs.end), end = std::clamp(inside_.end, begin, xs.end);
    for (std::int64_t x = xs.begin; x < begin; ++x) gather_taps(from, x, to + (x - xs.begin) * window_);
    copy_runs(from + (begin * g_.stride_w - g_.pad_left) * x_.pixel, g_.stride_w * x_.pixel, end - begin, to + (begin - xs.begin) * window_,
              window_);
    for (std::int64_t x = end; x < xs.end; ++x) gather_taps(from, x, to + (x - xs.begin) * window_);
  }

  /// Runs of run_ bytes, most often short: two pieces that overlap take no call (nine bytes: 3x3 on RGB).
  void copy_runs(const std::int8_t* from, std::int64_t from_step, std::int64_t count, std::int8_t* to, std::int64_t to_step) const {
    const auto copy = [&](auto piece) {
      constexpr std::size_t kSize = sizeof(piece);
      for (std::int64_t i = 0; i < count; ++i, from += from_step, to += to_step) {
        char first[kSize], last[kSize];
        std::memcpy(first, from, kSize);
        std::memcpy(last, from + run_ - kSize, kSize);
        std::memcpy(to, first, kSize);
        std::memcpy(to + run_ - kSize, last, kSize);
      }
    };
    struct Sixteen {
      char bytes[16];
    };
    if (run_ >= 4 && run_ <= 8) return copy(std::int32_t{});
    if (run_ > 8 && run_ <= 16) return copy(std::int64_t{});
    if (run_ > 16 && run_ <= 32) return copy(Sixteen{});
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * to_step, from + i * from_step, static_cast<std::size_t>(run_));
  }

  void gather_taps(const std::int8_t* row, std::int64_t x, std::int8_t* to) const {
    const auto n = static_cast<std::size_t>(channels_);
    for (std::int64_t c = 0; c < g_.kw; ++c, to += channels_) {
      const std::int64_t column = x * g_.stride_w - g_.pad_left + c * g_.dilation_w;
      if (column < 0 || column >= x_.width) {
        std::memset(to, zero_, n);
      } else {
        std::memcpy(to, row + column * x_.pixel, n);
      }
    }
  }

  const Geometry& g_;
  const Int8Source& x_;
  std::int64_t channels_, run_, window_;
  Range inside_{0, 0};  ///< output columns whose taps of a row are adjacent bytes, all inside the image
  unsigned char zero_;
};

}  // namespace dwsep::runtime
