// Weights that several networks have: models of one file for other sizes, or one file loaded twice.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {

/// An array of the same bytes that a network has already, else this one. `array` must not be written any more; its memory goes back to the
/// pages that are in use, if it was the last that was taken of them. Without pages in use there is no network, and the array stays.
std::shared_ptr<const void> shared_content(std::shared_ptr<const void> array, std::int64_t bytes);

template <class T>
std::shared_ptr<const T> shared_array_content(std::shared_ptr<const T> array, std::int64_t count) {
  return std::static_pointer_cast<const T>(shared_content(std::move(array), bytes_of<T>(count)));
}

}  // namespace dwsep::runtime
