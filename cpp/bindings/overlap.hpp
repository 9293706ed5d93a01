// Which views share memory: one with itself, exactly; two with each other, on the safe side.
#pragma once

#include "bindings/arrays.hpp"

namespace dwsep::python {

/// True if two elements of the view have a byte in common.
bool overlaps_itself(const View& v);

/// False where the views have no byte in common, as far as that shows in whole images, rows or pixels that lie side by side in a larger
/// array: a crop beside a crop, channels beside channels.
bool may_overlap(const View& a, const View& b);

}  // namespace dwsep::python
