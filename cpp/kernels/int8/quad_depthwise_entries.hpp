// The depthwise convolutions of quads in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/quad_depthwise.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <class Out, int Down>
constexpr KernelEntry int8_quad_depthwise(const char* name) {
  Problem takes{};
  takes.stride_h = Down;
  takes.dilation_h = Down > 0 ? 1 : 0;
  takes.multiplier = takes.weight_zeros = 1;
  return packing_entry<int8::quad_depthwise<Out, Down>, int8::pack_quad_depthwise<Down>>(
      name, Family::depthwise, takes, sizeof(Out) == 1 ? kInt8 : kInt8ToFloat, int8::quads_fit);
}
constexpr KernelEntry kInt8QuadDepthwise[] = {
    int8_quad_depthwise<std::int8_t, 1>("int8_depthwise_quads_s1"), int8_quad_depthwise<std::int8_t, 2>("int8_depthwise_quads_s2"),
    int8_quad_depthwise<std::int8_t, 0>("int8_depthwise_quads"),    int8_quad_depthwise<float, 1>("int8_depthwise_quads_s1"),
    int8_quad_depthwise<float, 2>("int8_depthwise_quads_s2"),       int8_quad_depthwise<float, 0>("int8_depthwise_quads"),
};
extern constexpr KernelList unit_int8_quad_depthwise = list_of(kInt8QuadDepthwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
