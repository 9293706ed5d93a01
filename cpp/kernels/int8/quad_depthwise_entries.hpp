// The depthwise convolutions of quads in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/quad_depthwise.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class Out, int Down, bool Squares>
constexpr KernelEntry int8_quad_depthwise(const char* name) {
  Problem takes{};
  takes.stride_h = Down;
  takes.dilation_h = Down == 2 || Squares ? 1 : 0;
  takes.weight_zeros = 1;
  return packing_entry<int8::quad_depthwise_by<Out, Down, Squares>, int8::pack_quad_depthwise<Down, Squares>>(
      name, Family::depthwise, takes, sizeof(Out) == 1 ? kInt8 : kInt8ToFloat, Squares ? int8::squares_fit : int8::quads_fit);
}
template <class Out>
constexpr KernelEntry kInt8QuadsOf[] = {
    int8_quad_depthwise<Out, 2, true>("int8_depthwise_squares_s2"),
    int8_quad_depthwise<Out, 1, false>("int8_depthwise_quads_s1"),
    int8_quad_depthwise<Out, 2, false>("int8_depthwise_quads_s2"),
    int8_quad_depthwise<Out, 0, false>("int8_depthwise_quads"),
};
template <class Out>
constexpr KernelEntry kInt8SquaresOf = int8_quad_depthwise<Out, 1, true>("int8_depthwise_squares_s1");

/// Squares of stride 1 are never fewer where the last row of quads can be squares.
template <bool Squares>
constexpr KernelEntry kInt8QuadDepthwise[] = {
    kInt8SquaresOf<std::int8_t>,  kInt8QuadsOf<std::int8_t>[0], kInt8QuadsOf<std::int8_t>[1], kInt8QuadsOf<std::int8_t>[2],
    kInt8QuadsOf<std::int8_t>[3], kInt8SquaresOf<float>,        kInt8QuadsOf<float>[0],       kInt8QuadsOf<float>[1],
    kInt8QuadsOf<float>[2],       kInt8QuadsOf<float>[3],
};
template <>
constexpr KernelEntry kInt8QuadDepthwise<false>[] = {
    kInt8QuadsOf<std::int8_t>[0], kInt8QuadsOf<std::int8_t>[1], kInt8QuadsOf<std::int8_t>[2], kInt8QuadsOf<std::int8_t>[3],
    kInt8QuadsOf<float>[0],       kInt8QuadsOf<float>[1],       kInt8QuadsOf<float>[2],       kInt8QuadsOf<float>[3],
};
extern constexpr KernelList unit_int8_quad_depthwise = list_of(kInt8QuadDepthwise<!int8::kLean16>);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
