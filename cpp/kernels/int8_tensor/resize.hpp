// Linear resizing of int8, with weights of 11 bits: exact in integers, as XNNPACK has it.
#pragma once

#include "kernels/int8_tensor/bytes.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void int8_resize(const Int8ResizeWork& work) {
  const Int8ResizeWork w = work;  // bytes that are stored could be its own
  const I32 down = broadcast(w.down), flip = flip_bits(w.flip), half = broadcast(std::int32_t{1} << 21);
  const I8 y_flip = broadcast(static_cast<std::int8_t>(w.flip));
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
