// Sums and products of two arrays of int8, of different scales.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class T>
inline void exchange(T& a, T& b) {
  const T other = a;
  a = b;
  b = other;
}

/// Whether no value can leave int32; zero points are added with saturation.
inline bool binary_within(const Int8BinaryWork& w) {
  const float a = w.a_scale < 0 ? -w.a_scale : w.a_scale, b = w.b_scale < 0 ? -w.b_scale : w.b_scale;
  return w.product ? a < 1e4F : a < 1e6F && b < 1e6F;
}

/// a * b + c, rounded once on every instruction set: plain x86-64 asks the library for it.
#if defined(__AVX2__) || defined(__aarch64__)
[[gnu::always_inline]] inline F32 rounded_once(F32 a, F32 b, F32 c) { return fma(a, b, c); }
#else
[[gnu::noinline]] inline F32 rounded_once(F32 a, F32 b, F32 c) {
  float x[kLanes], y[kLanes], z[kLanes];
  store(x, a);
  store(y, b);
  store(z, c);
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_fmaf(x[i], y[i], z[i]);
  return load(x);
}
#endif

/// Sums by fixed point. Bytes of a and b lie next to each other as int16, in the order of ByteNumbers; a multiplier of 21 bits is two.
struct FixedPoint {
  I8 a_flip, b_flip;
  I16 upper, lower;
  I32 bias;
  int shift;

  [[gnu::always_inline]] inline explicit FixedPoint(const Int8BinaryWork& w)
      : a_flip(broadcast(static_cast<std::int8_t>(w.a_flip ^ 0x80))),
        b_flip(broadcast(static_cast<std::int8_t>(w.b_flip ^ 0x80))),
        upper(pair(w.a_upper, w.b_upper)),
        lower(pair(w.a_lower, w.b_lower)),
        bias(broadcast(w.bias)),
        shift(w.shift) {}

  [[gnu::always_inline]] static inline I16 pair(std::int16_t a, std::int16_t b) {
    return reinterpret<std::int16_t>(
        broadcast(static_cast<std::int32_t>(static_cast<std::uint32_t>(b) << 16 | static_cast<std::uint16_t>(a))));
  }

  [[gnu::always_inline]] inline void sum(const std::int8_t* a, const std::int8_t* b, I32 (&v)[4]) const {
    const I8 x = bit_xor(load(a), a_flip), y = bit_xor(load(b), b_flip), none = broadcast(std::int8_t{0});
    const I8 half[2] = {lane_unpack_lower(x, y), lane_unpack_upper(x, y)};
    unroll<0, 4>([&](auto j) {
      const I16 both = reinterpret<std::int16_t>(j % 2 == 0 ? lane_unpack_lower(half[j / 2], none) : lane_unpack_upper(half[j / 2], none));
      v[j] = shift_right(add(add(shift_left<11>(dot_pairs(both, upper)), dot_pairs(both, lower)), bias), shift);
    });
  }
};

constexpr std::int64_t kSharedColumns = 2048;

/// `shared`: all rows read the same b, of at most kSharedColumns, which is made numbers once.
template <bool Product>
[[gnu::flatten, gnu::noinline]] inline void int8_binary_rows(const Int8BinaryWork& work, bool shared) {
  const Int8BinaryWork w = work;  // bytes that are stored could be its own
  const Rounding rounding(w.zero, w.lo, w.hi, w.y_flip, binary_within(w));
  const ByteNumbers a_numbers(w.a_flip, w.a_zero), b_numbers(w.b_flip, w.b_zero);
  const F32 a_scale = broadcast(w.a_scale), b_scale = broadcast(w.b_scale);
  const F32 lo = broadcast(w.real_lo), hi = broadcast(w.real_hi), first = broadcast(w.first);
  const FixedPoint fixed(w);
  alignas(64) float numbers[kSharedColumns + kByteLanes];
  Part<std::int8_t> a_copy, b_copy;
  const auto store_numbers = [&](float* to, const F32(&v)[4]) { unroll<0, 4>([&](auto j) { store(to + j * kLanes, v[j]); }); };
  if (shared) {
    float* to = numbers;
    by_bytes(w.columns, [&](std::int64_t c, int n) {
      F32 v[4];
      b_numbers.at(b_copy.at(w.b + c, n), v);
      store_numbers(to, v);
      to += kByteLanes;
    });
  }
  for (std::int64_t r = 0; r < w.rows; ++r) {
    const std::int8_t* const a = w.a + r * w.a_row;
    const std::int8_t* const b = w.b + r * w.b_row;
    std::int8_t* const y = static_cast<std::int8_t*>(w.y) + r * w.y_row;
    float* const real = static_cast<float*>(w.y) + r * w.y_row;
    if (w.a_alone) store(a_copy.copy, broadcast(*a));
    if (w.b_alone) store(b_copy.copy, broadcast(*b));
    const float* from = numbers;
    by_bytes(w.columns, [&](std::int64_t c, int n) {
      if (!Product && w.shift != 0) {
        I32 sums[4];
        fixed.sum(w.a_alone ? a_copy.copy : a_copy.at(a + c, n), w.b_alone ? b_copy.copy : b_copy.at(b + c, n), sums);
        return store_part(y + c, rounding.packed(sums), n);
      }
      F32 v[4], other[4];
      a_numbers.at(w.a_alone ? a_copy.copy : a_copy.at(a + c, n), v);
      if (shared) {
        unroll<0, 4>([&](auto j) { other[j] = load(from + j * kLanes); });
        from += kByteLanes;
      } else {
        b_numbers.at(w.b_alone ? b_copy.copy : b_copy.at(b + c, n), other);
      }
      if (Product) {
        unroll<0, 4>([&](auto j) { v[j] = mul(mul(v[j], other[j]), a_scale); });
        if (w.zero_first) unroll<0, 4>([&](auto j) { v[j] = add(v[j], first); });
      } else if (w.zero_first) {
        unroll<0, 4>([&](auto j) { v[j] = rounded_once(v[j], a_scale, rounded_once(other[j], b_scale, first)); });
      } else {
        unroll<0, 4>([&](auto j) { v[j] = add(mul(v[j], a_scale), mul(other[j], b_scale)); });
      }
      if (!w.real) return store_part(y + c, rounding.packed(v), n);
      clip_all(v, lo, hi);
      lane_transpose(v);
      store_part(real + c, v, n);
    });
  }
}

/// As many columns as many rows have together, so that vectors are full: what all rows read is copied as often.
/// 112x112x32 times a factor for each channel took 213 us by rows of 32 columns.
template <bool Product>
inline void int8_binary_joined(const Int8BinaryWork& work) {
  Int8BinaryWork w = work;
  const bool one_a = w.a_row == 0, dense = (one_a ? w.b_row : w.a_row) == w.columns && w.y_row == w.columns;
  const std::int64_t rows = w.columns % kByteLanes == 0 ? 1 : kSharedColumns / w.columns;
  if ((w.a_row != 0 && w.b_row != 0) || (one_a && w.b_row == 0) || w.a_alone || w.b_alone || !dense || w.columns > kSharedColumns ||
      w.rows < 2 * rows || (one_a && !Product && w.zero_first)) {
    return int8_binary_rows<Product>(w, false);
  }
  if (one_a) {
    exchange(w.a, w.b);
    exchange(w.a_row, w.b_row);
    exchange(w.a_zero, w.b_zero);
    exchange(w.a_flip, w.b_flip);
    if (!Product) exchange(w.a_scale, w.b_scale);
    exchange(w.a_upper, w.b_upper);
    exchange(w.a_lower, w.b_lower);
  }
  std::int8_t repeated[kSharedColumns];
  for (std::int64_t r = 0; r < rows; ++r) __builtin_memcpy(repeated + r * w.columns, w.b, static_cast<std::size_t>(w.columns));
  w.b = repeated;
  const std::int64_t columns = w.columns, all = w.rows * columns, whole = w.rows / rows;
  w.columns = rows * columns;
  w.rows = whole;
  w.a_row = w.y_row = w.columns;
  int8_binary_rows<Product>(w, true);
  const std::int64_t done = whole * w.columns;
  if (done == all) return;
  w.a += done;
  w.y = w.real ? static_cast<void*>(static_cast<float*>(w.y) + done) : static_cast<std::int8_t*>(w.y) + done;
  w.columns = all - done;
  w.rows = 1;
  int8_binary_rows<Product>(w, true);
}

inline void int8_binary(const Int8BinaryWork& w) { w.product ? int8_binary_joined<true>(w) : int8_binary_joined<false>(w); }

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
