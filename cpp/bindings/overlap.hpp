// Which views share memory: one with itself, exactly; two with each other, conservatively.
#pragma once

#include "bindings/arrays.hpp"

namespace dwsep::python {

/// True if two elements of the view have a byte in common.
bool overlaps_itself(const View& v);

/// False if the views have no byte in common, as far as that shows in whole images, rows or pixels of adjacent parts of a larger
/// array: a crop next to a crop, channels next to channels.
bool may_overlap(const View& a, const View& b);

}  // namespace dwsep::python
