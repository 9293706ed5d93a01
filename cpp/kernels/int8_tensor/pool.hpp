// Maximum and mean of windows of int8. Sums are exact, so that their order does not matter.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"
#include "kernels/pool/taps.hpp"
#include "simd/partial.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Taps of a window that lie inside the image, of a vector of channels.
struct ByteWindow {
  const std::int8_t* x;
  std::int64_t row, pixel, rows, columns;
  int channels;
  I8 flip;

  template <class F>
  [[gnu::always_inline]] inline void each(const F& f) const {
    Part<std::int8_t> part;
    const std::int8_t* at = x;
    for (std::int64_t r = 0; r < rows; ++r, at += row) {
      const std::int8_t* p = at;
      for (std::int64_t c = 0; c < columns; ++c, p += pixel) {
        // One instruction with masks (the mean of 112x112x32 took 164 us by copies, and takes 18), many without.
        if constexpr (kMasks) {
          f(bit_xor(load_up_to(p, channels), flip));
        } else {
          f(bit_xor(load(part.at(p, channels)), flip));
        }
      }
    }
  }

  [[gnu::always_inline]] inline I8 largest() const {
    I8 most = broadcast(std::int8_t{-128});
    each([&](I8 v) { most = maximum(most, v); });
    return most;
  }

  /// As real numbers, one tap after the other: each operation rounds.
  [[gnu::always_inline]] inline void real_sum(F32 zero, F32 scale, F32 (&total)[4]) const {
    unroll<0, 4>([&](auto j) { total[j] = broadcast(0.0F); });
    each([&](I8 v) {
      const I16 lower = widen_lower(v), upper = widen_upper(v);
      const I32 wide[4] = {widen_lower(lower), widen_upper(lower), widen_lower(upper), widen_upper(upper)};
      unroll<0, 4>([&](auto j) { total[j] = add(total[j], mul(sub(to_float(wide[j]), zero), scale)); });
    });
  }

  /// In int16, which hold 255 of them, and these in int32.
  [[gnu::always_inline]] inline void sum(I32 (&total)[4]) const {
    unroll<0, 4>([&](auto j) { total[j] = broadcast(std::int32_t{0}); });
    I16 lower = broadcast(std::int16_t{0}), upper = lower;
    int left = 255;
    const auto flush = [&] {
      total[0] = add(total[0], widen_lower(lower));
      total[1] = add(total[1], widen_upper(lower));
      total[2] = add(total[2], widen_lower(upper));
      total[3] = add(total[3], widen_upper(upper));
      lower = upper = broadcast(std::int16_t{0});
      left = 255;
    };
    each([&](I8 v) {
      lower = add(lower, widen_lower(v));
      upper = add(upper, widen_upper(v));
      if (--left == 0) flush();
    });
    flush();
  }
};

/// sum / count, half up, of integers of which float32 holds 2 sum + count. The quotient that is rounded down is at least 1 / (2 count) away
/// from the integer above, or is it.
[[gnu::always_inline]] inline F32 quotient_up(F32 sum, F32 count) { return floor(div(add(add(sum, sum), count), add(count, count))); }
[[gnu::always_inline]] inline F32 quotient_away(F32 sum, F32 count) { return copy_sign(quotient_up(abs(sum), count), sum); }

[[gnu::flatten]] inline void int8_pool(const Int8PoolWork& work) {
  const Int8PoolWork w = work;  // bytes that are stored could be its own
  const Rounding rounding(w.zero, w.lo, w.hi, w.y_flip, false);
  const F32 lo = broadcast(w.real_lo), hi = broadcast(w.real_hi), y_zero = broadcast(static_cast<float>(w.zero));
  for (std::int64_t oy = w.y_begin; oy < w.y_end; ++oy) {
    const PoolTaps rows(oy * w.stride_h - w.pad_top, w.kh, w.dilation_h, w.height);
    for (std::int64_t ox = 0; ox < w.out_width; ++ox) {
      const PoolTaps columns(ox * w.stride_w - w.pad_left, w.kw, w.dilation_w, w.width);
      const std::int64_t inside = rows.count * columns.count, all = w.include_padding ? w.kh * w.kw : inside, count = all > 0 ? all : 1;
      const std::int8_t* const x = w.x + (inside == 0 ? 0 : rows.first * w.x_row + columns.first * w.x_pixel);
      const std::int64_t at = oy * w.y_row + ox * w.y_pixel;
      std::int8_t* const y = static_cast<std::int8_t*>(w.y) + at;
      float* const real = static_cast<float*>(w.y) + at;
      const F32 scale = broadcast(w.scale / (w.per * static_cast<float>(count))), of = broadcast(static_cast<float>(count));
      // The zero point of all that is summed.
      const I32 zeros = broadcast(static_cast<std::int32_t>(inside) * w.x_zero);
      // Stored values of uint8 are 128 higher, those in the padding too: half of them away from zero is up.
      const bool up = w.ties == Ties::away && w.x_flip != 0;
      const I32 padding = broadcast(up ? static_cast<std::int32_t>(128 * (count - inside)) : 0);
      by_bytes(w.channels, [&](std::int64_t c, int n) {
        const ByteWindow window{x + c,
                                w.dilation_h * w.x_row,
                                w.dilation_w * w.x_pixel,
                                rows.count,
                                columns.count,
                                n,
                                broadcast(static_cast<std::int8_t>(w.x_flip))};
        if (w.max) return store_part(y + c, bit_xor(window.largest(), rounding.flip), n);
        I32 total[4];
        F32 v[4];
        if (w.ties == Ties::zero_first) {
          window.real_sum(broadcast(static_cast<float>(w.x_zero)), broadcast(w.scale), v);
          unroll<0, 4>([&](auto j) { v[j] = add(div(div(v[j], of), broadcast(w.per)), broadcast(w.first)); });
          return store_part(y + c, rounding.stored(v), n);
        }
        window.sum(total);
        if (w.ties == Ties::away) {
          unroll<0, 4>([&](auto j) {
            const F32 sum = to_float(sub(total[j], padding));
            v[j] = sub(up ? quotient_up(sum, of) : quotient_away(sum, of), y_zero);
          });
        } else {
          unroll<0, 4>([&](auto j) { v[j] = mul(to_float(sub(total[j], zeros)), scale); });
        }
        if (!w.real) return store_part(y + c, rounding.stored(v), n);
        clip_all(v, lo, hi);
        store_part(real + c, v, n);
      });
    }
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
