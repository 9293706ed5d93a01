// Depthwise 3x3 in the registry: sliding along the row where its outputs in progress fit the registers.
#pragma once

#include "kernels/depthwise/heights.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Four rows with stride 1 need 25 registers; GCC 12 has them on NEON and yet spills two vectors for each multiply-add.
template <int Stride>
using SlideHeights3 = std::conditional_t<Stride == 1 && !kMasks, Sizes<3, 2, 1>, Heights3>;
template <int Stride>
using Best3 = std::conditional_t<kMany, Sliding<Filter<3, 3, Stride, Stride>, SlideHeights3<Stride>>,
                                 Tiled<Filter<3, 3, Stride, Stride>, Heights3, 2, 1>>;

constexpr KernelEntry kDepthwise3x3[] = {
    entry<Best3<1>::run>("depthwise_3x3_s1", Family::depthwise, square(3, 1)),
    entry<Best3<2>::run>("depthwise_3x3_s2", Family::depthwise, square(3, 2)),
};
extern constexpr KernelList unit_depthwise_3x3 = list_of(kDepthwise3x3);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
