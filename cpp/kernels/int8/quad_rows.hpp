// Rows of quads for the int8 depthwise convolution: the bytes of four rows of x interleaved, channel by channel, so that one product of
// quads multiplies four taps of a column.
#pragma once

#include "kernels/int8/quad_panel.hpp"
#include "kernels/int8_work.hpp"
#include "kernels/registry.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kQuadChannels = 4 * kLanes;          ///< of a panel: a vector of bytes
constexpr int kColumnBytes = 4 * kQuadChannels;    ///< of a column of quads
constexpr std::int64_t kQuadRowBytes = 64 * 1024;  ///< of rows of quads, on the stack; a quarter of it serves most filters
constexpr std::int64_t kQuadColumns = kQuadRowBytes / kColumnBytes;

/// Filter rows as quads: `rows` output rows share `quads` quads of input rows. Output row r begins r * shift filter rows further down.
struct QuadFilter {
  std::int64_t rows, quads, shift;

  /// Two output rows share quads where those of one would be as many. `down`: from one to the next, in filter rows, or 0 where that is no
  /// whole number.
  constexpr QuadFilter(std::int64_t kh, std::int64_t down) : rows(1), quads((kh + 3) / 4), shift(down) {
    if (down > 0 && (kh + down + 3) / 4 == quads) rows = 2;
  }
};

/// The four rows of a column interleaved: vector v has the quads of channels as channel_of() puts them.
struct QuadColumn {
  I8 v[4];

  [[gnu::always_inline]] inline QuadColumn(I8 a, I8 b, I8 c, I8 d) {
    const auto words = [](I8 x) { return reinterpret<std::int16_t>(x); };
    const I16 ab = words(lane_unpack_lower(a, b)), cd = words(lane_unpack_lower(c, d));
    const I16 ab_upper = words(lane_unpack_upper(a, b)), cd_upper = words(lane_unpack_upper(c, d));
    v[0] = reinterpret<std::int8_t>(lane_unpack_lower(ab, cd));
    v[1] = reinterpret<std::int8_t>(lane_unpack_upper(ab, cd));
    v[2] = reinterpret<std::int8_t>(lane_unpack_lower(ab_upper, cd_upper));
    v[3] = reinterpret<std::int8_t>(lane_unpack_upper(ab_upper, cd_upper));
  }
  [[gnu::always_inline]] inline void store_to(std::int8_t* to) const {
    unroll<0, 4>([&](auto j) { store(to + j * I8::kLanes, v[j]); });
  }
};

/// Channels of a panel from `channel` on.
inline int panel_channels(std::int64_t channels, std::int64_t channel) {
  return static_cast<int>(channels - channel < kQuadChannels ? channels - channel : kQuadChannels);
}

/// Fills a row of quads for input columns [begin, end) of one panel. With pairs the upper half of each vector is that of the pixel which
/// the next output column reads in the place of this one.
class QuadRow {
 public:
  QuadRow(const Int8DepthwiseWork& w, std::int64_t channel, bool pairs)
      : w_(w),
        channel_(channel),
        n_(panel_channels(w.channels, channel)),
        next_(pairs ? w.stride_w : 0),
        flip_(static_cast<std::uint8_t>(w.x_flip ^ Dot::kFlip)) {
    store(zero_, load_up_to(w.x_zero + channel, n_));
  }

  /// Input rows y, y + dilation_h, ... four of them.
  void fill(std::int64_t y, std::int64_t begin, std::int64_t end, std::int8_t* to) const {
    const std::int8_t* at[4];
    std::int64_t step[4];
    const std::int64_t inside = begin < 0 ? 0 : (begin < w_.width ? begin : w_.width);
    for (int i = 0; i < 4; ++i, y += w_.dilation_h) {
      const bool exists = y >= 0 && y < w_.height;
      at[i] = exists ? w_.x + y * w_.x_row + inside * w_.x_pixel + channel_ : zero_;
      step[i] = exists ? w_.x_pixel : 0;
    }
    if (next_ > 0) return fill_pairs(at, step, inside, begin, end, to);
    const I8 f = broadcast(static_cast<std::int8_t>(flip_)), z = bit_xor(load(zero_), f);
    const QuadColumn padding(z, z, z, z);
    std::int64_t x = begin;
    for (; x < end && x < 0; ++x, to += kColumnBytes) padding.store_to(to);
    const std::int64_t last = end < w_.width ? end : w_.width;
    if (x < last) {
      if (n_ < kQuadChannels) {
        columns(at, step, last - x, to, [&](const std::int8_t* p) { return bit_xor(load_first(p, n_), f); });
      } else if (flip_ != 0) {
        columns(at, step, last - x, to, [&](const std::int8_t* p) { return bit_xor(load(p), f); });
      } else {
        columns(at, step, last - x, to, [&](const std::int8_t* p) { return load(p); });
      }
      to += (last - x) * kColumnBytes;
      x = last;
    }
    for (; x < end; ++x, to += kColumnBytes) padding.store_to(to);
  }

  int channels() const { return n_; }

 private:
  template <class Load>
  [[gnu::always_inline]] static inline void pair_columns(const std::int8_t* const (&at)[4], const std::int64_t (&step)[4],
                                                         std::int64_t next, std::int64_t count, std::int8_t* to, const Load& from) {
    const std::int8_t *a = at[0], *b = at[1], *c = at[2], *d = at[3];
    // A row of padding is one pixel, read again and again.
    const std::int64_t na = step[0] == 0 ? 0 : next, nb = step[1] == 0 ? 0 : next, nc = step[2] == 0 ? 0 : next,
                       nd = step[3] == 0 ? 0 : next;
    for (; count > 0; --count, to += kColumnBytes) {
      QuadColumn(from(a, na), from(b, nb), from(c, nc), from(d, nd)).store_to(to);
      a += step[0];
      b += step[1];
      c += step[2];
      d += step[3];
    }
  }

  /// at: column `inside` of each row.
  void fill_pairs(const std::int8_t* const (&at)[4], const std::int64_t (&step)[4], std::int64_t inside, std::int64_t begin,
                  std::int64_t end, std::int8_t* to) const {
    const I8 f = broadcast(static_cast<std::int8_t>(flip_));
    const auto exists = [&](std::int64_t x) { return x >= 0 && x < w_.width; };
    for (std::int64_t x = begin; x < end;) {
      const std::int64_t last = end < w_.width - next_ ? end : w_.width - next_;
      if (x >= 0 && x < last) {  // both pixels exist
        const std::int8_t* const first[4] = {at[0] + (x - inside) * step[0], at[1] + (x - inside) * step[1], at[2] + (x - inside) * step[2],
                                             at[3] + (x - inside) * step[3]};
        const std::int64_t next = next_ * w_.x_pixel;
        const auto halves = [&](const std::int8_t* p, std::int64_t d, int n) { return bit_xor(load_halves(p, p + d, n), f); };
        if (n_ == kQuadChannels / 2) {
          pair_columns(first, step, next, last - x, to,
                       [&](const std::int8_t* p, std::int64_t d) { return halves(p, d, kQuadChannels / 2); });
        } else {
          pair_columns(first, step, next, last - x, to, [&](const std::int8_t* p, std::int64_t d) { return halves(p, d, n_); });
        }
        to += (last - x) * kColumnBytes;
        x = last;
        continue;
      }
      const auto pixel = [&](int i, std::int64_t column) { return exists(column) ? at[i] + (column - inside) * step[i] : zero_; };
      const auto from = [&](int i) { return bit_xor(load_halves(pixel(i, x), pixel(i, x + next_), n_), f); };
      QuadColumn(from(0), from(1), from(2), from(3)).store_to(to);
      ++x;
      to += kColumnBytes;
    }
  }

  template <class Load>
  [[gnu::always_inline]] static inline void columns(const std::int8_t* const (&at)[4], const std::int64_t (&step)[4], std::int64_t count,
                                                    std::int8_t* to, const Load& from) {
    const std::int8_t *a = at[0], *b = at[1], *c = at[2], *d = at[3];
    for (; count > 0; --count, to += kColumnBytes) {
      QuadColumn(from(a), from(b), from(c), from(d)).store_to(to);
      a += step[0];
      b += step[1];
      c += step[2];
      d += step[3];
    }
  }

  const Int8DepthwiseWork& w_;
  std::int64_t channel_;
  int n_;
  std::int64_t next_;
  std::uint8_t flip_;
  alignas(64) std::int8_t zero_[kQuadChannels];
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
