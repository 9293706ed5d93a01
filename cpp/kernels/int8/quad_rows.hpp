// Rows of quads for the int8 depthwise convolution: four bytes of x interleaved, channel by channel, so that one product of quads
// multiplies four taps.
#pragma once

#include "kernels/int8/quad_repeated_row.hpp"
#include "kernels/registry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

/// Fills rows of quads of one panel.
class QuadRows {
 public:
  QuadRows(const Int8DepthwiseWork& w, std::int64_t channel)
      : w_(w),
        channel_(channel),
        n_(static_cast<int>(w.channels - channel < kQuadChannels ? w.channels - channel : kQuadChannels)),
        flip_(static_cast<std::uint8_t>(w.x_flip ^ Dot::kFlip)) {
    if (w.multiplier > 1) return;
    store(zero_, load_up_to(w.x_zero + channel, n_));
    if (kLean16 && w.channels - channel >= 2 * kQuadChannels) store(zero_ + kQuadChannels, load(w.x_zero + channel + kQuadChannels));
    // Of all pixels that may share a vector.
    if (n_ >= 16 && kQuadChannels % n_ == 0) {
      for (int i = n_; i < kQuadChannels; ++i) zero_[i] = zero_[i - n_];
    }
  }

  int channels() const { return n_; }

  /// The rows of groups of two rows, `bytes` from one to the next.
  void fill_groups(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int8_t* to, std::int64_t groups, std::int64_t bytes) {
    std::int64_t whole = l.step == 1 ? groups : 0;
    while (whole > 0 && !reads_whole(l, y + 2 * (whole - 1) + 3 * w_.dilation_h)) --whole;
    if (whole > 0) fill_next_to_each_other(l, y, first, to, whole, bytes);
    for (y += 2 * whole, to += whole * bytes, groups -= whole; groups > 0; --groups, y += 2, to += bytes) fill(l, y, first, 1, to);
  }

  /// As fill(), of two whole panels, `apart` bytes from one to the next.
  void fill_two(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int64_t wide, std::int8_t* to, std::int64_t apart) {
    wide_ = wide;
    right_ = (wide - 1) * w_.dilation_w;
    fill_whole<2>(l, y, first, to, apart);
  }

  /// The row whose first row of x is y and whose first column is `first`, of quads `wide` columns wide.
  void fill(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int64_t wide, std::int8_t* to) {
    wide_ = wide;
    right_ = (wide - 1) * w_.dilation_w;
    if (!kLean16 && w_.multiplier > 1) return RepeatedRow(w_, channel_, wide, flip_).fill(l, y, first, to);
    if (kLean16 && reads_whole(l, y + (wide == 1 ? 3 : 1) * w_.dilation_h)) return fill_whole<1>(l, y, first, to, 0);
    switch (l.pixels) {
      case 1:
        return fill_pixels<1>(l, y, first, to);
      case 2:
        return fill_pixels < 2 < kSixteens ? 2 : kSixteens > (l, y, first, to);
      default:
        return fill_pixels<kSixteens>(l, y, first, to);
    }
  }

 private:
  /// Whether vectors of a whole panel may be read of rows up to `last`: those of fewer channels end in the next pixel, or in the next row.
  /// 29x29x27 8.7 -> 8.1 us.
  bool reads_whole(const QuadLayout& l, std::int64_t last) const {
    if (n_ == kQuadChannels) return true;
    return n_ > 16 && l.pixels == 1 && last < w_.height - 1 && w_.x_pixel == w_.channels && w_.x_row >= w_.width * w_.x_pixel;
  }

  /// Where a row's quads find theirs; whether any row exists.
  [[gnu::always_inline]] inline bool find_rows(std::int64_t y, QuadSource (&from)[4]) const {
    bool some = false;
    for (int i = 0; i < 4; ++i) {
      const std::int64_t row = y + (wide_ == 1 ? i : i / 2) * w_.dilation_h;
      const bool exists = row >= 0 && row < w_.height;
      some = some || exists;
      from[i] = {exists ? w_.x + row * w_.x_row + channel_ : zero_, exists ? w_.x_pixel : 0};
    }
    return some;
  }

  /// Quads of one of the panels, some of whose columns are padding.
  [[gnu::noinline]] void half_edge(const QuadLayout& l, const QuadSource (&from)[4], std::int64_t column, std::int64_t channel,
                                   std::int8_t* to) const {
    I8 v[4];
    for (int i = 0; i < 4; ++i) {
      const std::int64_t x = column + i % 2 * right_;
      const bool inside = x >= 0 && x < w_.width;
      v[i] = bit_xor(load((inside ? from[i].at + x * from[i].pixel : zero_) + channel), broadcast(static_cast<std::int8_t>(flip_)));
    }
    store_quads(v[0], v[1], v[2], v[3], to, l.plane());
  }

  /// Quads of a whole panel, where all columns of x are positions.
  [[gnu::noinline]] void fill_next_to_each_other(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int8_t* to,
                                                 std::int64_t groups, std::int64_t bytes) const {
    const std::int64_t plane = l.plane(), all = w_.width - first, end = all < l.vectors ? (all < 0 ? 0 : all) : l.vectors,
                       begin = first > 0 ? 0 : (-first < end ? -first : end), inside = end - begin;
    const I8 flip = broadcast(static_cast<std::int8_t>(flip_)), zero = bit_xor(load(zero_), flip);
    const std::int8_t* const column = w_.x + (first + begin) * w_.x_pixel + channel_;
    for (; groups > 0; --groups, y += 2, to += bytes - l.vectors * I8::kLanes) {
      const auto padding = [&](std::int64_t n) __attribute__((always_inline)) {
        for (; n > 0; --n, to += I8::kLanes) store_quads(zero, zero, zero, zero, to, plane);
      };
      padding(begin);
      const std::int8_t* x[4];
      std::int64_t pixel[4];
      unroll<0, 4>([&](auto i) __attribute__((always_inline)) {
        const std::int64_t row = y + i * w_.dilation_h;
        const bool exists = row >= 0 && row < w_.height;
        x[i] = exists ? column + row * w_.x_row : zero_;
        pixel[i] = exists ? w_.x_pixel : 0;
      });
      for (std::int64_t n = inside; n > 0; --n, to += I8::kLanes) {
        store_quads(bit_xor(load(x[0]), flip), bit_xor(load(x[1]), flip), bit_xor(load(x[2]), flip), bit_xor(load(x[3]), flip), to, plane);
        unroll<0, 4>([&](auto i) __attribute__((always_inline)) { x[i] += pixel[i]; });
      }
      padding(l.vectors - end);
    }
  }

  /// Quads of whole panels: what fill_pixels() does beside that takes 110 cycles, as long as 20 quads; and what a call does, 80, which two
  /// panels share.
  template <int Panels>
  [[gnu::noinline]] void fill_whole(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int8_t* to, std::int64_t apart) const {
    QuadSource from[4];
    find_rows(y, from);
    const std::int64_t plane = l.plane();
    const I8 flip = broadcast(static_cast<std::int8_t>(flip_));
    const std::int64_t na = from[0].pixel * l.step, nb = from[1].pixel * l.step, nc = from[2].pixel * l.step, nd = from[3].pixel * l.step;
    for (std::int64_t phase = 0; phase < l.phases; ++phase, ++first) {
      const std::int64_t all = l.positions(w_.width - right_ - first), end = all < l.vectors ? all : l.vectors, none = l.positions(-first),
                         begin = none < end ? none : end, column = first + begin * l.step;
      std::int64_t u = 0;
      const auto edges = [&](std::int64_t until) __attribute__((always_inline)) {
        for (; u < until; ++u, to += I8::kLanes) {
          unroll<0, Panels>([&](auto p) __attribute__((always_inline)) {
            if (right_ == 0) {
              const I8 padding = bit_xor(load(zero_ + p * kQuadChannels), flip);
              store_quads(padding, padding, padding, padding, to + p * apart, plane);
            } else {
              half_edge(l, from, first + u * l.step, p * kQuadChannels, to + p * apart);
            }
          });
        }
      };
      edges(begin);
      const auto at = [&](int i) __attribute__((always_inline)) { return from[i].at + (column + i % 2 * right_) * from[i].pixel; };
      const std::int8_t *a = at(0), *b = at(1), *c = at(2), *d = at(3);
      for (; u < end; ++u, to += I8::kLanes) {
        unroll<0, Panels>([&](auto p) __attribute__((always_inline)) {
          const auto x = [&](const std::int8_t* row) { return bit_xor(load(row + p * kQuadChannels), flip); };
          store_quads(x(a), x(b), x(c), x(d), to + p * apart, plane);
        });
        a += na;
        b += nb;
        c += nc;
        d += nd;
      }
      edges(l.vectors);
    }
  }

  template <int P>
  [[gnu::noinline]] void fill_pixels(const QuadLayout& l, std::int64_t y, std::int64_t first, std::int8_t* to) const {
    QuadSource from[4];
    const bool some = find_rows(y, from);
    for (std::int64_t phase = 0; phase < l.phases; ++phase, ++first) {
      // Vectors [begin, end) read pixels of x alone.
      const std::int64_t all = some ? l.positions(w_.width - right_ - first) / P : 0, end = all < l.vectors ? all : l.vectors;
      const std::int64_t none = (l.positions(-first) + P - 1) / P, begin = none < end ? none : end;
      for (std::int64_t u = 0; u < l.vectors; ++u, to += I8::kLanes) {
        if (u == begin && begin < end) {
          const std::int64_t done = inside<P>(l, from, first + u * P * l.step, end - begin, to);
          if (done > 0) {
            to += (done - 1) * I8::kLanes;
            u += done - 1;
            continue;
          }
        }
        edge<P>(l, from, first + u * P * l.step, some, to);
      }
    }
  }

  /// One vector, some of whose pixels are padding, or all.
  template <int P>
  [[gnu::always_inline]] void edge(const QuadLayout& l, const QuadSource (&from)[4], std::int64_t column, bool some,
                                   std::int8_t* to) const {
    I8 v[4];
    const I8 f = broadcast(static_cast<std::int8_t>(flip_));
    if (P == 1 && (!some || column + right_ < 0 || column >= w_.width)) {
      const I8 padding = bit_xor(load(zero_), f);
      return store_quads(padding, padding, padding, padding, to, l.plane());
    }
    each_source([&](auto i) __attribute__((always_inline)) {
      const std::int8_t* at[P];
      unroll<0, P>([&](auto p) __attribute__((always_inline)) {
        const std::int64_t x = column + p * l.step + i % 2 * right_;
        at[p] = x >= 0 && x < w_.width ? from[i].at + x * from[i].pixel : zero_;
      });
      v[i] = bit_xor(load_pieces<P>(at, n_), f);
    });
    store_quads(v[0], v[1], v[2], v[3], to, l.plane());
  }

  /// Returns how many vectors of `count` it filled: what is left are edges.
  template <int P>
  [[gnu::always_inline]] std::int64_t inside(const QuadLayout& l, const QuadSource (&from)[4], std::int64_t column, std::int64_t count,
                                             std::int8_t* to) const {
    const std::int64_t plane = l.plane();
    const I8 f = broadcast(static_cast<std::int8_t>(flip_));
    const std::int8_t* at[4];
    for (int i = 0; i < 4; ++i) at[i] = from[i].at + (column + i % 2 * right_) * from[i].pixel;
    const auto walk = [&](std::int64_t vectors, const auto& load_from) __attribute__((always_inline)) {
      const std::int8_t *a = at[0], *b = at[1], *c = at[2], *d = at[3];
      const std::int64_t na = from[0].pixel * l.step, nb = from[1].pixel * l.step, nc = from[2].pixel * l.step, nd = from[3].pixel * l.step;
      for (; vectors > 0; --vectors, to += I8::kLanes) {
        store_quads(load_from(a, na), load_from(b, nb), load_from(c, nc), load_from(d, nd), to, plane);
        a += P * na;
        b += P * nb;
        c += P * nc;
        d += P * nd;
      }
      at[0] = a;
      at[1] = b;
      at[2] = c;
      at[3] = d;
    };
    const auto pieces = [&](int n) {
      return [&, n ](const std::int8_t* p, std::int64_t next) __attribute__((always_inline)) {
        const std::int8_t* piece[P];
        unroll<0, P>([&](auto i) __attribute__((always_inline)) { piece[i] = p + i * next; });
        return bit_xor(load_pieces<P>(piece, n), f);
      };
    };
    if (P * n_ == kQuadChannels && (P == 1 || l.step * w_.x_pixel == n_)) {  // a run of bytes
      walk(count, [&](const std::int8_t* p, std::int64_t) { return bit_xor(load(p), f); });
      return count;
    }
    if constexpr (!kMasks || P > 1) {
      // Where pixels follow each other, whole vectors are read of all but the last: their bytes are a row's, and nobody uses those of
      // others. x_pixel, which may be 0, is no divisor.
      const std::int64_t last = w_.width * w_.channels - channel_ - I8::kLanes / P;
      const std::int64_t room = (last < 0 ? -1 : last / w_.channels) - column - right_ - (P - 1) * l.step;
      const std::int64_t safe = w_.x_pixel != w_.channels || room < 0 ? 0 : (l.positions(room + 1) + P - 1) / P,
                         whole = safe < count ? safe : count;
      walk(whole, pieces(I8::kLanes / P));
      if (!kMasks) return whole;
      count -= whole;
      walk(count, pieces(n_));
      return whole + count;
    }
    walk(count, pieces(n_));
    return count;
  }

  const Int8DepthwiseWork& w_;
  std::int64_t channel_;
  int n_;
  std::uint8_t flip_;
  std::int64_t wide_ = 1, right_ = 0;                                ///< columns of a quad, and from its first to its second
  alignas(64) std::int8_t zero_[(kLean16 ? 2 : 1) * kQuadChannels];  ///< kLean16: of the next panel too
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
