// Linear resizing of int8, with weights of 11 bits: exact in integers, as XNNPACK has it.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The row between the two first, whole, and then its pixels, vectors of which reach into the next ones, written later. A row of 81 of 6
/// channels takes 280 ns, and by vectors of bytes 2,093 (AMD EPYC, Zen 3, AVX2, 2026-11-30).
[[gnu::always_inline]] inline void resize_few_channels(const Int8ResizeWork& w, I32 down, I32 flip, I32 half, I8 y_flip) {
  const std::int64_t n = w.in_width * w.channels, end = w.out_width * w.channels;
  const auto blend = [](I32 from, I32 to, I32 weight) { return add(shift_left<11>(from), mul(sub(to, from), weight)); };
  for (std::int64_t c = 0; c < n; c += kLanes) {
    const std::int64_t at = c + kLanes <= n ? c : n - kLanes;
    store(w.between + at, blend(widened_at(w.x[0] + at, flip), widened_at(w.x[1] + at, flip), down));
  }
  std::int8_t bytes[kByteLanes];
  for (std::int64_t i = 0, y = 0; i < w.out_width; ++i, y += w.channels) {
    const ResizeTaps& t = w.columns[i];
    const std::int32_t *const left = w.between + t.at[0] * w.channels, *const right = w.between + t.at[1] * w.channels;
    const I32 across = broadcast(static_cast<std::int32_t>(t.weight[1]));
    for (std::int64_t c = 0; c < w.channels; c += kLanes) {
      const I32 v = shift_right<22>(add(blend(load(left + c), load(right + c), across), half));
      store(bytes, bit_xor(narrow(v, v, v, v), y_flip));
      if (y + c + kLanes <= end) {
        __builtin_memcpy(w.y + y + c, bytes, kLanes);
      } else {
        __builtin_memcpy(w.y + y + c, bytes, static_cast<std::size_t>(w.channels - c < kLanes ? w.channels - c : kLanes));
      }
    }
  }
}

[[gnu::flatten]] inline void int8_resize(const Int8ResizeWork& work) {
  const Int8ResizeWork w = work;  // bytes that are stored could be its own
  const I32 down = broadcast(w.down), flip = flip_bits(w.flip), half = broadcast(std::int32_t{1} << 21);
  const I8 y_flip = broadcast(static_cast<std::int8_t>(w.flip));
  if constexpr (!kMasks) {
    if (w.between != nullptr && w.in_width * w.channels >= kLanes) return resize_few_channels(w, down, flip, half, y_flip);
  }
  Part<std::int8_t> copies[4];
  std::int8_t* y = w.y;
  for (std::int64_t i = 0; i < w.out_width; ++i, y += w.y_pixel) {
    const ResizeTaps& t = w.columns[i];
    const std::int64_t left = t.at[0] * w.x_pixel, right = t.at[1] * w.x_pixel;
    const I32 across = broadcast(static_cast<std::int32_t>(t.weight[1]));
    by_bytes(w.channels, [&](std::int64_t c, int n) {
      const std::int8_t* const corner[4] = {copies[0].at(w.x[0] + left + c, n), copies[1].at(w.x[0] + right + c, n),
                                            copies[2].at(w.x[1] + left + c, n), copies[3].at(w.x[1] + right + c, n)};
      const auto between = [&](int a, int b, int j) {
        const I32 from = widened_at(corner[a] + j * kLanes, flip), to = widened_at(corner[b] + j * kLanes, flip);
        return add(shift_left<11>(from), mul(sub(to, from), across));
      };
      I32 v[4];
      unroll<0, 4>([&](auto j) {
        const I32 top = between(0, 1, j), bottom = between(2, 3, j);
        v[j] = shift_right<22>(add(add(shift_left<11>(top), mul(sub(bottom, top), down)), half));
      });
      store_part(y + c, bit_xor(narrow(v[0], v[1], v[2], v[3]), y_flip), n);
    });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
