// The int8 depthwise convolution with a channel multiplier, without dot products and with 16 registers: x is written out with each channel
// as often as outputs read it, a part that fits the stack at a time, and convolved as without a multiplier.
#pragma once

#include "kernels/int8/quad_depthwise_rows.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kRepeatBytes = 24 * 1024;  ///< of a part of x
constexpr std::int64_t kRepeatPanels = 3;         ///< at a time, at most

/// Repeats bytes of x `times` times.
class Repeats {
 public:
  explicit Repeats(std::int64_t times) : times_(times), few_(times < 16 ? times : 16), bytes_(16 / times), rest_(16 % times) {
    for (int i = 0; i < 2 * kQuadChannels; ++i) picks_[i] = static_cast<std::int8_t>(i / few_);
  }
  /// n bytes, and up to 31 more, from the `done`-th time of the first on. `room` bytes of `from` may be read.
  [[gnu::noinline]] void run(const std::int8_t* from, std::int64_t room, std::int64_t done, std::int64_t n, std::int8_t* to) const {
    if (rest_ == 0) {  // the same picks, 16 bytes after 16
      const I8 picks = this->picks(done);
      for (; n > 0 && room >= I8::kLanes; n -= 16, to += 16, from += bytes_, room -= bytes_) store(to, lane_pick(load(from), picks));
    }
    for (; n > 0; n -= 16, to += 16) {
      const I8 bytes = room >= I8::kLanes ? load(from) : load_first(from, static_cast<int>(room));
      store(to, lane_pick(bytes, picks(done)));
      done += rest_;
      const std::int64_t next = bytes_ + (done >= times_ ? 1 : 0);
      if (done >= times_) done -= times_;
      from += next;
      room -= next;
    }
  }
  /// n bytes each, 16 or more, of `count` pixels, `step` bytes from one to the next; of each 16 bytes and more may be read.
  [[gnu::noinline]] void pixels(const std::int8_t* from, std::int64_t inputs, std::int64_t step, std::int64_t input, std::int64_t done,
                                std::int64_t n, std::int64_t count, std::int8_t* to) const {
    for (std::int64_t at = 0; at < n; at += 16) {
      const std::int64_t begin = at < n - 16 ? at : n - 16, first = input + (done + begin) / times_,
                         last = inputs >= 16 && first > inputs - 16 ? inputs - 16 : first;
      const I8 picks = add(this->picks((done + begin) % times_), broadcast(static_cast<std::int8_t>(first - last)));
      const std::int8_t* x = from + last;
      std::int8_t* y = to + begin;
      std::int64_t i = count;
      for (; i > 1; i -= 2, x += 2 * step, y += 2 * n) store_pieces<2>(y, n, lane_pick(load_pieces<2>({x, x + step}, 16), picks), 16, 2);
      if (i > 0) store_pieces<2>(y, n, lane_pick(load_pieces<2>({x, x}, 16), picks), 16, 1);
    }
  }

 private:
  /// Of each 16 bytes, which begin with the `done`-th time of the first.
  [[gnu::always_inline]] inline I8 picks(std::int64_t done) const {
    const std::int64_t skip = done + few_ - times_;
    const std::int8_t* const p = picks_ + (skip > 0 ? skip : 0);
    return load_pieces<2>({p, p}, 16);
  }

  std::int64_t times_, few_, bytes_, rest_;  ///< 16 bytes are so many of x, and the rest
  std::int8_t picks_[2 * kQuadChannels];
};

inline std::int64_t within(std::int64_t i, std::int64_t least, std::int64_t most) { return i < least ? least : (i < most ? i : most); }

/// Whether a single output's part fits.
inline bool repeats_fit(const Problem& p) {
  return p.multiplier == 1 || ((p.kh - 1) * p.dilation_h + 1) * ((p.kw - 1) * p.dilation_w + 1) <= kRepeatBytes / kQuadChannels;
}

[[gnu::noinline, gnu::cold]] inline void repeat_channels(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t y_size,
                                                         void (*convolve)(const Int8DepthwiseWork&, const QuadFilter&)) {
  alignas(64) std::int8_t copies[kRepeatBytes + kQuadChannels], zeros[(kRepeatPanels + 1) * kQuadChannels];
  const Repeats repeats(w.multiplier);
  const std::int64_t inputs = w.channels / w.multiplier, high = (w.kh - 1) * w.dilation_h + 1, span = (w.kw - 1) * w.dilation_w + 1;
  Int8DepthwiseWork part = w;
  part.multiplier = 1;
  for (part.panel_begin = w.panel_begin; part.panel_begin < w.panel_end; part.panel_begin = part.panel_end) {
    const std::int64_t left = w.panel_end - part.panel_begin, first = part.panel_begin * kQuadChannels, rest = w.channels - first;
    std::int64_t panels = left <= kRepeatPanels ? left : 2;
    if (high * span * panels * kQuadChannels > kRepeatBytes) panels = 1;
    part.panel_end = part.panel_begin + panels;
    const std::int64_t channels = panels * kQuadChannels < rest ? panels * kQuadChannels : rest, input = first / w.multiplier,
                       done = first % w.multiplier, most = kRepeatBytes / channels;
    repeats.run(w.x_zero + input, inputs - input, done, channels, zeros);
    // Counted from channel 0.
    part.x = copies - first;
    part.x_zero = zeros - first;
    part.x_pixel = channels;
    // Columns of which eight rows of y fit, or one.
    const std::int64_t some = most / (high + 7 * w.stride_h), wide = some < span ? most / high : some,
                       strip = within((wide - span) / w.stride_w + 1, 1, w.out_width);
    for (std::int64_t ox = 0; ox < w.out_width; ox += strip) {
      part.out_width = w.out_width - ox < strip ? w.out_width - ox : strip;
      const std::int64_t x = ox * w.stride_w - w.pad_left, begin = within(x, 0, w.width);
      part.width = within(x + (part.out_width - 1) * w.stride_w + span, begin, w.width) - begin;
      part.pad_left = begin - x;
      part.x_row = part.width * channels;
      const std::int64_t fit = (most / (part.width > 0 ? part.width : 1) - high) / w.stride_h + 1, rows = fit > 1 ? fit / 2 * 2 : 1;
      for (std::int64_t oy = w.y_begin; oy < w.y_end; oy += rows) {
        part.y_begin = 0;
        part.y_end = w.y_end - oy < rows ? w.y_end - oy : rows;
        const std::int64_t y = oy * w.stride_h - w.pad_top, top = within(y, 0, w.height);
        part.height = within(y + (part.y_end - 1) * w.stride_h + high, top, w.height) - top;
        part.pad_top = top - y;
        for (std::int64_t row = 0; row < part.height; ++row) {
          const std::int8_t* from = w.x + (top + row) * w.x_row + begin * w.x_pixel;
          std::int8_t* to = copies + row * part.x_row;
          const bool run = w.x_pixel == inputs;
          if (run && channels == w.channels) {
            repeats.run(from, (w.width - begin) * inputs, 0, part.x_row, to);
            continue;
          }
          // Pixels of which 16 bytes of each piece may be read.
          const std::int64_t room = (w.width - begin - 1) * inputs - 16, few = run && room >= 0 ? room / inputs : 0,
                             all = inputs >= 16 ? part.width : (few < part.width ? few : part.width), i = channels >= 16 ? all : 0;
          repeats.pixels(from, inputs, w.x_pixel, input, done, channels, i, to);
          for (std::int64_t j = i; j < part.width; ++j) {
            repeats.run(from + j * w.x_pixel + input, inputs - input, done, channels, to + j * channels);
          }
        }
        part.y = static_cast<std::byte*>(w.y) + ((oy - w.y_begin) * w.y_row + ox * w.y_pixel) * y_size;
        if (w.residual.data != nullptr) {
          part.residual.data = w.residual.data + (oy - w.y_begin) * w.residual.row + ox * w.residual.pixel;
        }
        convolve(part, f);
      }
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
