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
constexpr KernelEntry kInt8QuadDepthwiseOf[] = {
    int8_quad_depthwise<Out, 1, true>("int8_depthwise_squares_s1"), int8_quad_depthwise<Out, 2, true>("int8_depthwise_squares_s2"),
    int8_quad_depthwise<Out, 1, false>("int8_depthwise_quads_s1"),  int8_quad_depthwise<Out, 2, false>("int8_depthwise_quads_s2"),
    int8_quad_depthwise<Out, 0, false>("int8_depthwise_quads"),
};
constexpr KernelEntry kInt8QuadDepthwise[] = {
    kInt8QuadDepthwiseOf<std::int8_t>[0], kInt8QuadDepthwiseOf<std::int8_t>[1], kInt8QuadDepthwiseOf<std::int8_t>[2],
    kInt8QuadDepthwiseOf<std::int8_t>[3], kInt8QuadDepthwiseOf<std::int8_t>[4], kInt8QuadDepthwiseOf<float>[0],
    kInt8QuadDepthwiseOf<float>[1],       kInt8QuadDepthwiseOf<float>[2],       kInt8QuadDepthwiseOf<float>[3],
    kInt8QuadDepthwiseOf<float>[4],
};
extern constexpr KernelList unit_int8_quad_depthwise = list_of(kInt8QuadDepthwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
