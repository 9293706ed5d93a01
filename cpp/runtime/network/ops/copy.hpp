// Moving elements from one array to another.
#pragma once

#include "runtime/network/array.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// y[i] = x[i] for all i of the shape, for one thread's part. Strides of x may be any, those of y end in 1 where that axis is not 1 long.
/// T: a type of with_size.
template <class T>
void copy_elements(const Team& team, const Dims& shape, const T* x, const Dims& x_strides, T* y, const Dims& y_strides);

/// y = the elements of x from `offset` on, with other strides.
void copy_view(const Team& team, const Array& x, const Dims& x_strides, std::int64_t offset, const Array& y);

/// Rows of adjacent elements from x to y, which do not overlap. T: as above.
template <class T>
void copy_rows(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns);

/// Row i of y is the one that begins at places[i] of x.
template <class T>
void copy_rows_at(const T* x, const std::int64_t* places, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns);

/// The same elements in the same order, whatever the shapes.
void copy_in_order(const Team& team, const Array& x, const Array& y);

}  // namespace dwsep::runtime
