#include "runtime/network/ops/copy.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/dispatch.hpp"
#include "runtime/network/ops/elements.hpp"
#include "runtime/network/ops/loop_nest.hpp"

namespace dwsep::runtime {
namespace {

/// Places of an array's elements, from one contiguous run to the next.
template <class T>
class Runs {
 public:
  Runs(const Array& a, std::int64_t first) : a_(a), next_(first) {
    length_ = 1;
    outer_ = a.shape.rank();
    while (outer_ > 0 && (a.shape[outer_ - 1] == 1 || a.strides[outer_ - 1] == length_)) length_ *= a.shape[--outer_];
    locate();
  }
  T* at() const { return a_.as<T>() + offset_ + (next_ % length_); }
  std::int64_t left() const { return length_ - next_ % length_; }
  void advance(std::int64_t count) {
    next_ += count;
    if (next_ % length_ == 0) locate();
  }

 private:
  void locate() {
    std::int64_t run = next_ / length_;
    offset_ = 0;
    for (int i = outer_ - 1; i >= 0; --i) {
      offset_ += run % a_.shape[i] * a_.strides[i];
      run /= a_.shape[i];
    }
  }

  const Array& a_;
  std::int64_t next_, length_, offset_ = 0;
  int outer_;
};

/// y[column][row] = x[row][column]. Blocks of 16x16 keep to a few cache lines of each.
template <class T>
void transpose(const T* x, T* y, std::int64_t x_row, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t side = 16;
  for (std::int64_t r = 0; r < rows; r += side) {
    for (std::int64_t c = 0; c < columns; c += side) {
      const std::int64_t height = std::min(side, rows - r), width = std::min(side, columns - c);
      for (std::int64_t j = 0; j < width; ++j) {
        for (std::int64_t i = 0; i < height; ++i) y[(c + j) * y_row + r + i] = x[(r + i) * x_row + c + j];
      }
    }
  }
}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/// Eight rows of eight bytes. Each step exchanges the upper half of a piece of one row with the lower half of that of another.
inline void transpose_eight(const std::uint8_t* x, std::uint8_t* y, std::int64_t x_row, std::int64_t y_row) {
  std::uint64_t rows[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) std::memcpy(&rows[i], x + i * x_row, 8);
  const auto exchange = [&](int apart, int bits, std::uint64_t lower) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      if ((i & apart) != 0) continue;
      const std::uint64_t different = ((rows[i] >> bits) ^ rows[i + apart]) & lower;
      rows[i + apart] ^= different;
      rows[i] ^= different << bits;
    }
  };
  exchange(4, 32, 0x00000000FFFFFFFFU);
  exchange(2, 16, 0x0000FFFF0000FFFFU);
  exchange(1, 8, 0x00FF00FF00FF00FFU);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) std::memcpy(y + i * y_row, &rows[i], 8);
}

/// By cache lines of the output. 64 planes of 112x112 take 0.1 ms to become pixels; bytes one by one took 0.37, vectors of 16 no less than
/// this.
void transpose(const std::uint8_t* x, std::uint8_t* y, std::int64_t x_row, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  if (rows >= 2 && rows <= 4 && y_row == rows) {
    return active_kernels().int8.interleave(
        {reinterpret_cast<const std::int8_t*>(x), reinterpret_cast<std::int8_t*>(y), x_row, rows, columns});
  }
  const std::int64_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  for (std::int64_t first = 0; first < whole_rows; first += 64) {
    for (std::int64_t c = 0; c < whole_columns; c += 8) {
      for (std::int64_t r = first; r < std::min(first + 64, whole_rows); r += 8) {
        transpose_eight(x + r * x_row + c, y + c * y_row + r, x_row, y_row);
      }
    }
  }
  transpose<std::uint8_t>(x + whole_columns, y + whole_columns * y_row, x_row, y_row, rows, columns - whole_columns);
  transpose<std::uint8_t>(x + whole_rows * x_row, y + whole_rows, x_row, y_row, rows - whole_rows, whole_columns);
}

#endif

void transpose(const float* x, float* y, std::int64_t x_row, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  active_kernels().tensor.transpose({x, y, x_row, y_row, rows, columns});
}

/// A copy whose two arrays are adjacent along different axes: many transposed matrices.
class Turn {
 public:
  explicit Turn(const LoopNest<2>& nest) : nest_(nest) {
    for (int i = 0; i < nest.axes(); ++i) {
      if (nest.size(i) == 1) continue;
      if (nest.strides(i)[0] == 1) to_ = i;
      if (nest.strides(i)[1] == 1) from_ = i;
    }
    for (int i = 0; i < nest.axes(); ++i) {
      if (i != to_ && i != from_) matrices_ *= nest.size(i);
    }
  }
  bool found() const { return to_ >= 0 && from_ >= 0 && to_ != from_; }

  /// Threads divide the matrices; or where these are few, the longer side of each, so that their parts of the output lie apart.
  template <class T>
  void run(const Team& team, const T* x, T* y) const {
    const std::int64_t rows = nest_.size(to_), columns = nest_.size(from_);
    const bool by_rows = rows > columns;
    const std::int64_t strips = matrices_ >= 8 * team.size() ? 1 : ceil_div(by_rows ? rows : columns, kStrip);
    const Range mine = part_of(matrices_ * strips, team.rank(), team.size());
    for (std::int64_t i = mine.begin; i < mine.end;) {
      const std::int64_t first = i % strips, last = std::min(strips, first + mine.end - i);
      const Range side{strips == 1 ? 0 : first * kStrip, strips == 1 ? kAll : last * kStrip};
      turn(x, y, i / strips, by_rows ? side : Range{0, kAll}, by_rows ? Range{0, kAll} : side);
      i += last - first;
    }
  }

 private:
  static constexpr std::int64_t kStrip = 64, kAll = std::int64_t{1} << 40;

  template <class T>
  void turn(const T* x, T* y, std::int64_t matrix, Range rows, Range columns) const {
    for (int i = nest_.axes() - 1; i >= 0; --i) {
      if (i == to_ || i == from_) continue;
      const std::int64_t at = matrix % nest_.size(i);
      y += at * nest_.strides(i)[0];
      x += at * nest_.strides(i)[1];
      matrix /= nest_.size(i);
    }
    const std::int64_t x_row = nest_.strides(to_)[1], y_row = nest_.strides(from_)[0];
    const std::int64_t height = std::min(rows.end, nest_.size(to_)) - rows.begin;
    const std::int64_t width = std::min(columns.end, nest_.size(from_)) - columns.begin;
    transpose(x + rows.begin * x_row + columns.begin, y + columns.begin * y_row + rows.begin, x_row, y_row, height, width);
  }

  const LoopNest<2>& nest_;
  int to_ = -1, from_ = -1;  ///< the axes that are adjacent in y and in x
  std::int64_t matrices_ = 1;
};

template <int N, class T>
void copy_rows_of(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(y + r * y_row, x + r * x_row, N * sizeof(T));
}

/// Rows of N elements or more, in whole pieces of N of which the last may overlap the one before.
template <int N, class T>
void copy_short_rows(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r, x += x_row, y += y_row) {
    for (std::int64_t c = 0; c + N <= columns; c += N) std::memcpy(y + c, x + c, N * sizeof(T));
    std::memcpy(y + columns - N, x + columns - N, N * sizeof(T));
  }
}

}  // namespace

/// A call of memcpy for each short row cost more than the row: 19,200 rows of four floats took 50 us.
template <class T>
void copy_rows(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  switch (columns) {
    case 1:
      return copy_rows_of<1>(x, x_row, y, y_row, rows);
    case 2:
      return copy_rows_of<2>(x, x_row, y, y_row, rows);
    case 3:
      return copy_rows_of<3>(x, x_row, y, y_row, rows);
    case 4:
      return copy_rows_of<4>(x, x_row, y, y_row, rows);
    case 8:
      return copy_rows_of<8>(x, x_row, y, y_row, rows);
    case 16:
      return copy_rows_of<16>(x, x_row, y, y_row, rows);
    default:
      break;
  }
  if (columns < 16) return copy_short_rows<4>(x, x_row, y, y_row, rows, columns);
  if (columns <= 64) return copy_short_rows<8>(x, x_row, y, y_row, rows, columns);
  for (std::int64_t r = 0; r < rows; ++r) std::copy_n(x + r * x_row, columns, y + r * y_row);
}

template void copy_rows(const std::uint8_t*, std::int64_t, std::uint8_t*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows(const std::uint16_t*, std::int64_t, std::uint16_t*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows(const float*, std::int64_t, float*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows(const std::int64_t*, std::int64_t, std::int64_t*, std::int64_t, std::int64_t, std::int64_t);

namespace {

template <int N, class T>
void copy_rows_of(const T* x, const std::int64_t* places, T* y, std::int64_t y_row, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(y + r * y_row, x + places[r], N * sizeof(T));
}

}  // namespace

template <class T>
void copy_rows_at(const T* x, const std::int64_t* places, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns) {
  if (columns == 1) return copy_rows_of<1>(x, places, y, y_row, rows);
  if (columns == 3) return copy_rows_of<3>(x, places, y, y_row, rows);
  for (std::int64_t r = 0; r < rows; ++r) copy_rows(x + places[r], 0, y + r * y_row, 0, 1, columns);
}

template void copy_rows_at(const std::uint8_t*, const std::int64_t*, std::uint8_t*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows_at(const std::uint16_t*, const std::int64_t*, std::uint16_t*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows_at(const float*, const std::int64_t*, float*, std::int64_t, std::int64_t, std::int64_t);
template void copy_rows_at(const std::int64_t*, const std::int64_t*, std::int64_t*, std::int64_t, std::int64_t, std::int64_t);

template <class T>
void copy_elements(const Team& team, const Dims& shape, const T* x, const Dims& x_strides, T* y, const Dims& y_strides) {
  const LoopNest<2> nest(shape, {y_strides, x_strides});
  const Turn turn(nest);
  if (turn.found()) return turn.run(team, x, y);
  const auto row = nest.row_strides(), column = nest.column_strides();
  nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t rows, std::int64_t columns) {
    T* to = y + at[0];
    const T* from = x + at[1];
    if (column[1] == 1 || columns == 1) {
      copy_rows(from, row[1], to, row[0], rows, columns);
    } else {
      for (std::int64_t r = 0; r < rows; ++r) std::fill_n(to + r * row[0], columns, from[r * row[1]]);
    }
  });
}

template void copy_elements(const Team&, const Dims&, const std::uint8_t*, const Dims&, std::uint8_t*, const Dims&);
template void copy_elements(const Team&, const Dims&, const std::uint16_t*, const Dims&, std::uint16_t*, const Dims&);
template void copy_elements(const Team&, const Dims&, const float*, const Dims&, float*, const Dims&);
template void copy_elements(const Team&, const Dims&, const std::int64_t*, const Dims&, std::int64_t*, const Dims&);

void copy_view(const Team& team, const Array& x, const Dims& x_strides, std::int64_t offset, const Array& y) {
  with_size(y.dtype, [&](auto element) {
    using T = decltype(element);
    copy_elements(team, y.shape, x.as<const T>() + offset, x_strides, y.as<T>(), y.strides);
  });
}

namespace {

/// The elements of a dense array are in order under any shape: that of the other one makes an ordinary copy of it, which may be a turn.
/// 64x56x56 turned pixels to 3584x56 took 1,541 us by runs of one element, 37 so.
template <class T>
void copy_in_order_as(const Team& team, const Array& x, const Array& y) {
  if (y.dense()) return copy_elements(team, x.shape, x.as<const T>(), x.strides, y.as<T>(), dense_strides(x.shape));
  if (x.dense()) return copy_elements(team, y.shape, x.as<const T>(), dense_strides(y.shape), y.as<T>(), y.strides);
  const Range mine = part_of(y.shape.count(), team.rank(), team.size());
  if (mine.begin == mine.end) return;
  Runs<T> from(x, mine.begin), to(y, mine.begin);
  for (std::int64_t i = mine.begin; i < mine.end;) {
    const std::int64_t count = std::min({from.left(), to.left(), mine.end - i});
    std::copy_n(from.at(), count, to.at());
    from.advance(count);
    to.advance(count);
    i += count;
  }
}

}  // namespace

void copy_in_order(const Team& team, const Array& x, const Array& y) {
  with_size(y.dtype, [&](auto element) { copy_in_order_as<decltype(element)>(team, x, y); });
}

}  // namespace dwsep::runtime
