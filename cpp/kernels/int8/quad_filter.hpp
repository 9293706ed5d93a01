// How the taps of a depthwise filter are put into quads, and a filter's weights packed for it.
#pragma once

#include "kernels/int8/quad_pack.hpp"
#include "kernels/int8_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr int kQuadChannels = 4 * kLanes;  ///< of a panel: a vector of bytes

/// 16 registers without dot products: tiles hold twelve vectors of sums, and quads are loaded for each output that shares them, as part of
/// what flips them (R2, 3 columns).
constexpr bool kLean16 = kRegisters < 32 && Dot::kWeightVectors == 2;

/// A quad is four rows of a column, or a square of two rows and two columns. Outputs next to each other share quads where those of one
/// would be as many, or nearly.
struct QuadFilter {
  std::int64_t high, wide;             ///< rows and columns of x in a quad
  std::int64_t quads, steps;           ///< rows and columns of quads that a group of outputs reads
  std::int64_t down, along;            ///< rows and columns of outputs in a group
  std::int64_t shift;                  ///< filter rows from an output row to the next
  std::int64_t last_wide, last_steps;  ///< of the last row of quads
  bool shared;                         ///< both of two rows of outputs multiply quads that were xored once

  /// `stride`: of rows, or 0 where output rows begin anyhow; of columns too for squares.
  constexpr QuadFilter(std::int64_t kh, std::int64_t kw, std::int64_t stride, bool squares)
      : high(squares ? 2 : 4),
        wide(squares ? 2 : 1),
        quads((kh + 3) / 4),
        steps(kw),
        down(1),
        along(1),
        shift(stride),
        last_wide(0),
        last_steps(0),
        shared(false) {
    if (squares) {
      down = along = stride == 1 ? 2 : 1;
      quads = (kh + down) / 2;
      steps = (kw + along) / 2;
    } else if (stride > 0 && (kh + stride + 3) / 4 == quads) {
      down = 2;
    }
    last_wide = wide;
    last_steps = steps;
    shared = kLean16 && !squares && stride == 1 && (kh == 2 || kh == 3);
    // Two rows are left of a group's: squares, which are fewer. 5x5 takes 8 products an output instead of 10, or 9 of squares alone.
    if (kLean16 && !squares && stride == 1 && kh + down - 1 <= 4 * quads - 2) {
      last_wide = 2;
      last_steps = (kw + 1) / 2;
    }
  }
  constexpr std::int64_t products() const { return (quads - 1) * steps + last_steps; }
  constexpr std::int64_t outputs() const { return down * along; }
  /// Vectors of sums in registers at a time: with all four of a panel, tiles round their own sums, with two they have more columns and load
  /// less for a product. Four outputs with two vectors of three positions each load 0.6 operands a product, with four vectors of one 1.25.
  constexpr int group() const {
    if (shared) return 1;
    return outputs() == 4 || (kRegisters < 32 && (outputs() == 2 || quads * steps > kFewQuads)) ? 2 : 4;
  }

 private:
  static constexpr std::int64_t kFewQuads = 9;
};

/// Whether squares take fewer operations: for an output of a panel's vectors, products and what interleaving takes.
constexpr bool squares_are_less(std::int64_t kh, std::int64_t kw, std::int64_t stride) {
  // With the loads and stores of an interleaving where 16 registers multiply without dot products: four ports take the products beside it
  // (Zen 3: 112x112x64 with stride 2 134 -> 110 us, 28x28x96 7x7 31 -> 26; 15x15x200 8.0 -> 9.3).
  constexpr std::int64_t kProduct = Dot::kWeightVectors == 2 ? 4 : Dot::kSumRegisters,
                         kInterleave = Dot::kFlip != 0 ? 12 : (Dot::kWeightVectors == 2 && kRegisters < 32 ? 20 : 8);
  const QuadFilter squares(kh, kw, stride, true), columns(kh, kw, stride, false);
  const auto products = [](const QuadFilter& f) { return 4 * kProduct * f.products(); };
  // With 16 registers four outputs load as much as they multiply: 28x28x96 7x7 took 51 us, as columns of quads 39.
  const std::int64_t price = stride == 1 && kRegisters < 32 ? 10 : 9;
  // In quarters: a square of stride 1 serves four outputs, a column of quads `down`.
  const std::int64_t as_squares = 4 * products(squares) + kInterleave * (stride == 1 ? 1 : 4);
  return price * as_squares < 9 * (4 * products(columns) + 4 * kInterleave * stride * columns.quads / columns.down);
}

constexpr std::int64_t kFlatColumns = 4, kMostFlat = 16;  ///< of a filter; vectors of weights' sixteenths

/// Filters of two or three rows and kLean16. Four rows of x are a quad, two pairs, for the weights (w0, w1, w2, 0) of one row of outputs
/// and (0, w0, w1, w2) of the next. For both x is xored with the signs of (w1, w0, w1, w2): the second row's products are exact as in
/// DotXor, the first row's once pairs are multiplied by signs, -1 or 1, where other products are by 1 to be added. Of a step and a vector
/// of sums:
struct SharedWeights {
  static constexpr std::int64_t kFlips = 0, kFirst = I8::kLanes, kSecond = 2 * I8::kLanes, kSigns = 3 * I8::kLanes, kStep = 4 * I8::kLanes;
  static constexpr std::int64_t kInitial = 4 * I8::kLanes;  ///< sums of the first row of a panel, before its steps

  I8 flips, first, second;
  I16 signs;

  [[gnu::always_inline]] static inline SharedWeights at(const std::int8_t* p) {
    return {load(p + kFlips), load(p + kFirst), load(p + kSecond), reinterpret<std::int16_t>(load(p + kSigns))};
  }
  /// Which the compiler will not load once more for each use.
  [[gnu::always_inline]] inline SharedWeights once() const {
    return {in_register(flips), in_register(first), in_register(second),
            reinterpret<std::int16_t>(in_register(reinterpret<std::int8_t>(signs)))};
  }
  /// Adds the products of quads to sums of both rows.
  [[gnu::always_inline]] inline void add(I32& row, I32& next, I8 x) const {
    const I8 quads = in_register(bit_xor(x, flips));
    row = DWSEP_ISA_NAMESPACE::add(row, dot_pairs(dot_pairs_saturated(first, quads), signs));
    next = DWSEP_ISA_NAMESPACE::add(next, dot_pairs(dot_pairs_saturated(second, quads), broadcast(std::int16_t{1})));
  }
};

/// Bytes of a panel's weights.
constexpr std::int64_t window_weight_bytes(const QuadFilter& f) {
  if (f.shared) return SharedWeights::kInitial + 4 * f.steps * SharedWeights::kStep;
  return 4 * f.outputs() * f.products() * Dot::kWeightVectors * I8::kLanes;
}

/// Pixels that share a vector, where a panel of so many channels leaves room.
constexpr int pixels_of(std::int64_t channels) {
  int pixels = 1;
  while (pixels < kSixteens && channels <= kQuadChannels / (2 * pixels)) pixels *= 2;
  return pixels;
}

/// Vectors of bytes until pixels of few, uneven channels, one after the other, begin a vector again; or 0 if these are too many.
constexpr std::int64_t period_of(std::int64_t channels) {
  std::int64_t common = 1;
  while (channels % (2 * common) == 0 && 2 * common <= kQuadChannels) common *= 2;
  return channels / common <= kMostFlat ? channels / common : 0;
}

constexpr std::int64_t kMostFlatTaps = 64, kFlatTapBytes = 24 * 1024;
/// Bytes of the weights of a vector of bytes, four taps to a quad.
constexpr std::int64_t flat_tap_bytes(std::int64_t kh, std::int64_t kw) { return (kh * kw + 3) / 4 * 4 * Dot::kWeightVectors * I8::kLanes; }

/// Vectors of weights of pixels one after the other, 0 where panels are multiplied: as those of panels are, for two rows of outputs; or of
/// quads of any four taps, which are interleaved for each output: for other filters of so few channels that vectors of panels would be half
/// empty (24 channels and more gain nothing), and for filters one row high.
struct FlatPeriods {
  std::int64_t rows = 0, taps = 0;

  constexpr FlatPeriods(const QuadFilter& f, std::int64_t kh, std::int64_t kw, std::int64_t channels, std::int64_t multiplier) {
    if (multiplier != 1) return;
    const std::int64_t period = period_of(channels);
    const bool by_rows = f.last_wide == 1 && f.shift == 1 && f.quads == 1 && f.down == 2 && kw <= kFlatColumns;
    const std::int64_t whole = (channels + kQuadChannels - 1) / kQuadChannels * kQuadChannels;
    const bool less = kLean16 ? channels + channels / 12 < whole : channels < 2 * kQuadChannels;
    if (by_rows && less && channels % 16 != 0) rows = period;
    if (rows > 0 || !kLean16 || (channels >= 16 && f.high > 1) || kh * kw > kMostFlatTaps) return;
    if (period * flat_tap_bytes(kh, kw) <= kFlatTapBytes) taps = period;
  }
  constexpr std::int64_t any() const { return rows + taps; }
  /// Whether quads of these rows are stored, one after the other (quad_linear.hpp), rather than interleaved in registers.
  constexpr bool linear(std::int64_t channels) const { return kLean16 && rows > 0 && (rows < 8 || channels > kQuadChannels); }
};
/// Whole panels of a filter one row high have these weights.
constexpr bool panels_are_flat(const QuadFilter& f, std::int64_t channels) { return f.high == 1 && channels % kQuadChannels == 0; }

/// Weights as SharedWeights of a panel's steps, to `out`.
template <class D, class Tap>
[[gnu::noinline, gnu::cold]] inline void pack_shared_weights(std::int64_t steps, const Tap& tap, std::int8_t* out, ColumnSums& first_row) {
  const I8 zero = broadcast(std::int8_t{0}), one = broadcast(std::int8_t{1}), even = broadcast(std::int8_t{-2});
  const auto sign = [&](I8 s) { return bit_xor(bit_and(s, even), one); };
  for (std::int64_t step = 0; step < steps; ++step) {
    const I8 w0 = tap(0, step), w1 = tap(1, step), w2 = tap(2, step);
    const auto a0 = D::split(w0, zero), a1 = D::split(w1, zero), a2 = D::split(w2, zero);
    const I8 upper = bit_xor(a0.sign, a1.sign), lower = bit_xor(a1.sign, a2.sign);
    const I8 rows[4][4] = {{a1.sign, a0.sign, a1.sign, a2.sign},
                           {a0.magnitude, a1.magnitude, a2.magnitude, zero},
                           {zero, a0.magnitude, a1.magnitude, a2.magnitude},
                           {sign(upper), upper, sign(lower), lower}};
    for (int i = 0; i < 4; ++i) {
      I8 v[4];
      interleave_rows(rows[i], v);
      for (int j = 0; j < 4; ++j) store(out + (step * 4 + j) * SharedWeights::kStep + i * I8::kLanes, v[j]);
    }
    first_row.add_row(bit_and(w0, a1.sign));
    first_row.add_row(bit_and(w1, a0.sign));
    first_row.add_row(bit_and(w2, a1.sign));
  }
  first_row.flush();
}

/// Whether the last panel, of some channels, is packed once more as the last 32: where its neighbour is computed by the same call it is
/// read and stored as vectors, not as pieces. Pixels of up to 16 channels share vectors instead where filters are large.
constexpr bool ends_whole(const QuadFilter& f, std::int64_t channels, std::int64_t multiplier) {
  const std::int64_t rest = channels % kQuadChannels;
  const bool pays = rest > 16 || (rest > 0 && rest < 16 && f.quads * f.steps <= 4);
  return kLean16 && f.high > 1 && channels > kQuadChannels && pays && multiplier == 1;
}

/// [panel][group of vectors][row of quads][step][vector][output][lane][byte]
[[gnu::noinline, gnu::cold]] inline void pack_quad_filter(Int8PackWork& w, const QuadFilter& f) {
  constexpr std::int64_t kBytes = Dot::kWeightVectors * I8::kLanes;
  const std::int64_t panel_bytes = window_weight_bytes(f);
  const int group = f.group();
  w.panels = (w.columns + kQuadChannels - 1) / kQuadChannels;
  w.panel_columns = kQuadChannels;
  w.together = kLean16 ? f.down : 0;
  const std::int64_t multiplier = kLean16 ? 1 : w.channel_multiplier;  // kLean16: x has been written out
  const FlatPeriods flat_of(f, w.kh, w.kw, w.columns, multiplier);
  const std::int64_t taps = panels_are_flat(f, w.columns) ? 0 : flat_of.taps, tap_bytes = flat_tap_bytes(w.kh, w.kw),
                     flats = w.panels + taps + flat_of.rows, all = flats + (ends_whole(f, w.columns, multiplier) ? 1 : 0);
  w.sums = all * kQuadChannels;
  w.bytes = (all - taps) * panel_bytes + taps * tap_bytes;
  if (w.packed == nullptr) return;
  auto* const out = static_cast<std::int8_t*>(w.packed);
  const I8 zero = broadcast(std::int8_t{0});
  const auto store_weights = [](auto weights, std::int8_t* to) {
    if constexpr (Dot::kWeightVectors == 2) {
      store(to, weights.magnitude);
      store(to + I8::kLanes, weights.sign);
    } else {
      store(to, weights);
    }
  };
  for (std::int64_t panel = 0; panel < all; ++panel) {
    const bool flat = panel >= w.panels && panel < flats, by_taps = flat && taps > 0,  // of pixels one after the other
        linear = flat && flat_of.linear(w.columns);
    const std::int64_t first = flat               ? (panel - w.panels) * kQuadChannels % w.columns
                               : panel < w.panels ? panel * kQuadChannels
                                                  : w.columns - kQuadChannels,
                       left = w.columns - first;
    const int channels = static_cast<int>(left < kQuadChannels ? left : kQuadChannels), repeats = flat ? 1 : pixels_of(left);
    // A tap's weights, once for each of the pixels that share a vector.
    const auto tap = [&](std::int64_t ky, std::int64_t kx) __attribute__((noinline)) {
      if (ky < 0 || ky >= w.kh || kx < 0 || kx >= w.kw) return zero;
      std::int8_t row[kQuadChannels] = {};
      for (int r = 0; r < repeats; ++r) {
        __builtin_memcpy(row + r * (kQuadChannels / repeats), w.weights + (ky * w.kw + kx) * w.weights_row + first,
                         static_cast<std::size_t>(channels));
      }
      for (std::int64_t i = linear ? 0 : left, c = linear ? first : 0; flat && i < kQuadChannels; ++i) {  // the next pixels
        row[linear ? channel_of(Order::packed, 4, static_cast<int>(i) / kLanes, static_cast<int>(i) % kLanes) : i] =
            w.weights[(ky * w.kw + kx) * w.weights_row + c];
        if (++c == w.columns) c = 0;
      }
      return load(row);
    };
    ColumnSums sums;
    for (std::int64_t ky = 0; ky < w.kh; ++ky) {
      for (std::int64_t kx = 0; kx < w.kw; ++kx) sums.add_row(tap(ky, kx));
    }
    sums.flush();
    ColumnSums first_row;  // what its flips add
    if constexpr (kLean16) {
      for (std::int64_t t = 0; by_taps && t < w.kh * w.kw; t += 4) {
        I8 row[4], v[4];
        for (int byte = 0; byte < 4; ++byte) row[byte] = tap((t + byte) / w.kw, (t + byte) % w.kw);
        interleave_rows(row, v);
        std::int8_t* const to = out + w.panels * panel_bytes + (panel - w.panels) * tap_bytes + t * kBytes;
        for (int j = 0; j < 4; ++j) store_weights(Dot::split(v[j], zero), to + j * kBytes);
      }
      if (f.shared && !by_taps) pack_shared_weights<Dot>(f.steps, tap, out + panel * panel_bytes + SharedWeights::kInitial, first_row);
    }
    for (std::int64_t o = 0; !f.shared && !by_taps && o < f.outputs(); ++o) {
      const std::int64_t above = o / f.along * f.shift, before = o % f.along;
      for (std::int64_t quad = 0; quad < f.quads; ++quad) {
        const bool last = quad == f.quads - 1;
        const std::int64_t wide = last ? f.last_wide : f.wide;
        for (std::int64_t step = 0; step < (last ? f.last_steps : f.steps); ++step) {
          I8 row[4], v[4];
          for (int byte = 0; byte < 4; ++byte) {
            row[byte] = tap(f.high * quad + byte / wide - above, wide * step + byte % wide - before);
          }
          interleave_rows(row, v);
          for (int j = 0; j < 4; ++j) {
            const std::int64_t vector = (j / group * f.products() + quad * f.steps + step) * group + j % group;
            std::int8_t* const to = out + panel * panel_bytes + (vector * f.outputs() + o) * kBytes;
            store_weights(Dot::split(v[j], zero), to);
          }
        }
      }
    }
    for (int j = 0; j < 4; ++j) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int channel = channel_of(Order::packed, 4, j, lane) % (kQuadChannels / repeats);
        const std::int64_t c = flat ? (first + (linear ? j * kLanes + lane : channel)) % w.columns : first + channel,
                           at = panel * kQuadChannels + j * kLanes + lane;
        const bool exists = c < w.columns;
        const std::uint32_t initial = exists ? static_cast<std::uint32_t>(w.bias[c]) -
                                                   static_cast<std::uint32_t>(w.x_zeros[c / w.channel_multiplier]) * sums.sum(channel)
                                             : 0;
        w.initial[at] = static_cast<std::int32_t>(initial + sums.correction(channel));
        if (f.shared && !by_taps) {
          reinterpret_cast<std::int32_t*>(out + panel * panel_bytes)[j * kLanes + lane] =
              static_cast<std::int32_t>(initial - first_row.sum(channel));
        }
        w.multiplier[at] = exists ? w.multipliers[c] : 0.0F;
      }
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
