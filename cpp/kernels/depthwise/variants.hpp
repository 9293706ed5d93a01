// The list of depthwise kernels. One line here is dispatched, tested and timed without further work; the first match wins.
#pragma once

#include <type_traits>

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// Tile heights and widths by the number of registers.
using Heights3 = Sizes<4, 3, 2, 1>;
using Widths3 = std::conditional_t<kRegisters == 32, Sizes<4, 1>, Sizes<2, 1>>;
using Widths3s2 = Sizes<2, 1>;
using Heights5 = std::conditional_t<kRegisters == 32, Sizes<7, 4, 3, 2, 1>, Sizes<3, 2, 1>>;
using Widths5 = Sizes<2, 1>;
using Heights7 = std::conditional_t<kRegisters == 32, Sizes<4, 2, 1>, Sizes<3, 1>>;
using Widths7 = std::conditional_t<kRegisters == 32, Sizes<4, 1>, Sizes<1>>;

constexpr DepthwiseVariant kDepthwise[] = {
    {"depthwise_3x3_s1", 3, 3, 1, 1, Tiled<Filter<3, 3, 1, 1>, Heights3, Widths3>::run},
    {"depthwise_3x3_s2", 3, 3, 2, 2, Tiled<Filter<3, 3, 2, 2>, Heights3, Widths3s2>::run},
    {"depthwise_5x5_s1", 5, 5, 1, 1, Tiled<Filter<5, 5, 1, 1>, Heights5, Widths5>::run},
    {"depthwise_5x5_s2", 5, 5, 2, 2, Tiled<Filter<5, 5, 2, 2>, Heights3, Widths5>::run},
    {"depthwise_7x7_s1", 7, 7, 1, 1, Tiled<Filter<7, 7, 1, 1>, Heights7, Widths7>::run},
    {"depthwise_7x7_s2", 7, 7, 2, 2, Tiled<Filter<7, 7, 2, 2>, Heights7, Widths5>::run},
    {"depthwise_generic", 0, 0, 0, 0, depthwise_generic},
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
