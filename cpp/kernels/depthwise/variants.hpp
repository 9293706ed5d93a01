// The list of depthwise kernels. One line here is dispatched, tested and timed without further work; the first match wins.
#pragma once

#include <type_traits>

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/walk.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Tile heights and widths by the number of registers.
constexpr bool kMany = kRegisters == 32;
using Heights3 = Sizes<4, 3, 2, 1>;
using Heights5 = std::conditional_t<kMany, Sizes<7, 4, 3, 2, 1>, Sizes<3, 2, 1>>;
using Heights7 = std::conditional_t<kMany, Sizes<4, 2, 1>, Sizes<3, 1>>;

// Four rows with stride 1 need 25 registers; GCC 12 has them on NEON and yet spills two vectors for each multiply-add.
template <int Stride>
using SlideHeights3 = std::conditional_t<Stride == 1 && !kMasks, Sizes<3, 2, 1>, Heights3>;
template <int Stride>
using Best3 = std::conditional_t<kMany, Sliding<Filter<3, 3, Stride, Stride>, SlideHeights3<Stride>>,
                                 Tiled<Filter<3, 3, Stride, Stride>, Heights3, 2, 1>>;

constexpr DepthwiseVariant kDepthwise[] = {
    {"depthwise_3x3_s1", 3, 3, 1, 1, Best3<1>::run},
    {"depthwise_3x3_s2", 3, 3, 2, 2, Best3<2>::run},
    {"depthwise_5x5_s1", 5, 5, 1, 1, Tiled<Filter<5, 5, 1, 1>, Heights5, 2, 1>::run},
    {"depthwise_5x5_s2", 5, 5, 2, 2, Tiled<Filter<5, 5, 2, 2>, Heights3, 2, 1>::run},
    {"depthwise_7x7_s1", 7, 7, 1, 1, Tiled<Filter<7, 7, 1, 1>, Heights7, kMany ? 4 : 1, 1>::run},
    {"depthwise_7x7_s2", 7, 7, 2, 2, Tiled<Filter<7, 7, 2, 2>, Heights7, 2, 1>::run},
    {"depthwise_generic", 0, 0, 0, 0, depthwise_generic},
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
