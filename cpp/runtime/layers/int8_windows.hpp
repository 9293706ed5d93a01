// Gathers windows: for each output pixel the inputs of one group under the filter, tap by tap, as rows of a matrix.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/layers/int8_stage.hpp"

namespace dwsep::runtime {

/// Rows of x with their padding, as many as a filter has, on the stack.
class PaddedRows {
 public:
  static constexpr std::int64_t kPiece = 16;  ///< bytes that may be read from where a run begins
  static constexpr std::int64_t kMostRows = 8;

  PaddedRows(const Geometry& g, const Int8Source& x, std::int64_t channels, unsigned char zero)
      : x_(x),
        kh_(g.kh),
        zero_(zero),
        left_(g.pad_left * channels),
        bytes_(((g.out_w - 1) * g.stride_w + g.kw) * channels),
        inside_(std::clamp<std::int64_t>(bytes_ - left_, 0, x.width * channels)) {
    if (fit()) std::fill_n(held_, kh_, kNone);
  }
  bool fit() const { return kh_ <= kMostRows && kh_ * row_bytes() <= kBytes; }

  /// Row y, which may be padding, from its first padding on.
  const std::int8_t* at(std::int64_t y) {
    const std::int64_t slot = (y % kh_ + kh_) % kh_;
    std::int8_t* const row = rows_ + slot * row_bytes();
    if (held_[slot] == y) return row;
    held_[slot] = y;
    std::memset(row, zero_, static_cast<std::size_t>(row_bytes()));
    if (y >= 0 && y < x_.height && inside_ > 0) std::memcpy(row + left_, x_.data + y * x_.row, static_cast<std::size_t>(inside_));
    return row;
  }

 private:
  static constexpr std::int64_t kBytes = 16 * 1024, kNone = std::numeric_limits<std::int64_t>::min();
  std::int64_t row_bytes() const { return bytes_ + kPiece; }

  const Int8Source& x_;
  std::int64_t kh_;
  unsigned char zero_;
  std::int64_t left_, bytes_, inside_;
  std::int64_t held_[kMostRows];
  std::int8_t rows_[kBytes];
};

class Windows {
 public:
  /// Windows lie `window` bytes apart.
  Windows(const Geometry& g, const Int8Source& x, std::int64_t channels, std::int8_t zero, std::int64_t window)
      : g_(g), x_(x), channels_(channels), run_(g.kw * channels), window_(window), zero_(static_cast<unsigned char>(zero)) {
    adjacent_ = x.pixel == channels && g.dilation_w == 1;
    if (adjacent_) inside_ = columns_inside(0, g.kw);
  }

  /// Output pixels of the image, counted row by row.
  void gather(Range pixels, std::int8_t* to) const {
    if (run_ <= PaddedRows::kPiece && x_.pixel == channels_ && g_.dilation_w == 1 && g_.dilation_h == 1) {
      PaddedRows rows(g_, x_, channels_, zero_);
      if (rows.fit()) return gather_pieces(rows, pixels, to);
    }
    for (std::int64_t first = pixels.begin; first < pixels.end;) {
      const std::int64_t y = first / g_.out_w, x = first % g_.out_w, count = std::min(pixels.end - first, g_.out_w - x);
      for (std::int64_t r = 0; r < g_.kh; ++r) gather_row(y * g_.stride_h - g_.pad_top + r * g_.dilation_h, {x, x + count}, to + r * run_);
      to += count * window_;
      first += count;
    }
  }

 private:
  /// Output columns of which `count` columns of x, from tap column `first` on, are all inside the image.
  Range columns_inside(std::int64_t first, std::int64_t count) const {
    const std::int64_t before = g_.pad_left - first, last = x_.width - count + before;
    return {before <= 0 ? 0 : (before + g_.stride_w - 1) / g_.stride_w, last < 0 ? 0 : last / g_.stride_w + 1};
  }

  /// Short runs are copied as whole pieces, pixel by pixel: what lies behind a run is overwritten by the next. 3x3 on RGB at 224x224 with
  /// stride 2: 32 us as two pieces of each run, 20 so. The last windows, behind which pieces would reach, are copied run by run.
  void gather_pieces(PaddedRows& rows, Range pixels, std::int8_t* to) const {
    const std::int64_t step = g_.stride_w * x_.pixel, end = (g_.kh - 1) * run_ + PaddedRows::kPiece;
    const std::int64_t whole = pixels.end - std::max<std::int64_t>(0, (end - 1) / window_);  // pixels before it are copied as pieces
    for (std::int64_t first = pixels.begin; first < pixels.end;) {
      const std::int64_t y = first / g_.out_w, x = first % g_.out_w, count = std::min(pixels.end - first, g_.out_w - x);
      const std::int8_t* from[PaddedRows::kMostRows] = {};
      for (std::int64_t r = 0; r < g_.kh; ++r) from[r] = rows.at(y * g_.stride_h - g_.pad_top + r) + x * step;
      const std::int64_t in_pieces = std::clamp<std::int64_t>(whole - first, 0, count);
      copy_pieces(from, step, in_pieces, to);
      for (std::int64_t i = in_pieces; i < count; ++i) {
        for (std::int64_t r = 0; r < g_.kh; ++r)
          std::memcpy(to + i * window_ + r * run_, from[r] + i * step, static_cast<std::size_t>(run_));
      }
      to += count * window_;
      first += count;
    }
  }

  /// Of three rows most often, which are then in registers: bytes that are stored could be the array's.
  void copy_pieces(const std::int8_t* const* from, std::int64_t step, std::int64_t count, std::int8_t* to) const {
    constexpr auto kPiece = static_cast<std::size_t>(PaddedRows::kPiece);
    const std::int64_t run = run_, window = window_, kh = g_.kh;
    const std::int8_t *const a = from[0], *const b = kh == 3 ? from[1] : a, *const c = kh == 3 ? from[2] : a;
    for (std::int64_t i = 0; i < count; ++i, to += window) {
      if (kh == 3) {
        std::memcpy(to, a + i * step, kPiece);
        std::memcpy(to + run, b + i * step, kPiece);
        std::memcpy(to + 2 * run, c + i * step, kPiece);
      } else {
        for (std::int64_t r = 0; r < kh; ++r) std::memcpy(to + r * run, from[r] + i * step, kPiece);
      }
    }
  }

  /// One row of taps for output pixels [xs) of a row, the first at `to`, those of others a window further.
  void gather_row(std::int64_t row, Range xs, std::int8_t* to) const {
    if (row < 0 || row >= x_.height) {
      for (std::int64_t x = xs.begin; x < xs.end; ++x, to += window_) std::memset(to, zero_, static_cast<std::size_t>(run_));
      return;
    }
    const std::int8_t* const from = x_.data + row * x_.row;
    if (!adjacent_) {
      for (std::int64_t c = 0; c < g_.kw; ++c) gather_tap(from, c, xs, to + c * channels_);
      return;
    }
    const std::int64_t begin = std::clamp(inside_.begin, xs.begin, xs.end), end = std::clamp(inside_.end, begin, xs.end);
    for (std::int64_t x = xs.begin; x < begin; ++x) gather_taps(from, x, to + (x - xs.begin) * window_);
    copy_runs(from + (begin * g_.stride_w - g_.pad_left) * x_.pixel, run_, end - begin, to + (begin - xs.begin) * window_);
    for (std::int64_t x = end; x < xs.end; ++x) gather_taps(from, x, to + (x - xs.begin) * window_);
  }

  /// One tap of output pixels of a row.
  void gather_tap(const std::int8_t* row, std::int64_t tap, Range xs, std::int8_t* to) const {
    const std::int64_t first = tap * g_.dilation_w;
    const Range inside = columns_inside(first, 1);
    const std::int64_t begin = std::clamp(inside.begin, xs.begin, xs.end), end = std::clamp(inside.end, begin, xs.end);
    const auto n = static_cast<std::size_t>(channels_);
    for (std::int64_t x = xs.begin; x < begin; ++x) std::memset(to + (x - xs.begin) * window_, zero_, n);
    copy_runs(row + (begin * g_.stride_w - g_.pad_left + first) * x_.pixel, channels_, end - begin, to + (begin - xs.begin) * window_);
    for (std::int64_t x = end; x < xs.end; ++x) std::memset(to + (x - xs.begin) * window_, zero_, n);
  }

  /// Runs of so many bytes for output pixels next to each other, most often short: two pieces that overlap take no call (nine bytes: 3x3 on
  /// RGB).
  void copy_runs(const std::int8_t* from, std::int64_t run, std::int64_t count, std::int8_t* to) const {
    const std::int64_t from_step = g_.stride_w * x_.pixel;
    const auto copy = [&](auto piece) {
      constexpr std::size_t kSize = sizeof(piece);
      for (std::int64_t i = 0; i < count; ++i, from += from_step, to += window_) {
        char first[kSize], last[kSize];
        std::memcpy(first, from, kSize);
        std::memcpy(last, from + run - kSize, kSize);
        std::memcpy(to, first, kSize);
        std::memcpy(to + run - kSize, last, kSize);
      }
    };
    struct Sixteen {
      char bytes[16];
    };
    if (run >= 4 && run <= 8) return copy(std::int32_t{});
    if (run > 8 && run <= 16) return copy(std::int64_t{});
    if (run > 16 && run <= 32) return copy(Sixteen{});
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * window_, from + i * from_step, static_cast<std::size_t>(run));
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
  bool adjacent_;       ///< taps of a row are adjacent bytes
  Range inside_{0, 0};  ///< output columns whose taps of a row are then all inside the image
  unsigned char zero_;
};

}  // namespace dwsep::runtime
