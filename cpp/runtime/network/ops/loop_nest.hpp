// A loop nest over the elements of several arrays of one shape, with axes merged where strides allow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "runtime/layers/layer.hpp"
#include "runtime/network/array.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// Allowed column strides: 1 in all arrays, or also 0 for a broadcast array.
enum class Columns { adjacent, repeated };

template <std::size_t N>
class LoopNest {
 public:
  using Offsets = std::array<std::int64_t, N>;

  /// Axes that every array walks through as one become one. The last one stays if it is not 1 long: its stride is 1 in most arrays.
  LoopNest(const Dims& shape, const std::array<Dims, N>& strides, Columns columns = Columns::repeated) {
    for (int i = 0; i < shape.rank(); ++i) {
      if (shape[i] == 1) continue;
      Offsets s{};
      for (std::size_t k = 0; k < N; ++k) s[k] = strides[k][i];
      if (!axes_.empty() && joins(s, shape[i])) {
        axes_.back().size *= shape[i];
        axes_.back().strides = s;
      } else {
        axes_.push_back({shape[i], s});
      }
    }
    const Axis one{1, {}};
    // At least two: rows and columns. A single axis along which an array has another stride becomes the rows.
    if (axes_.empty()) axes_.push_back(one);
    const Offsets& last = axes_.back().strides;
    const auto fits = [&](std::int64_t s) { return s == 1 || (s == 0 && columns == Columns::repeated); };
    if (!std::all_of(last.begin(), last.end(), fits)) axes_.push_back(one);
    if (axes_.count == 1) axes_.insert_front(one);
    for (int i = 0; i + 1 < axes_.count; ++i) rows_ *= axes_.at[static_cast<std::size_t>(i)].size;
  }

  int axes() const { return axes_.count; }
  std::int64_t size(int axis) const { return axes_.at[static_cast<std::size_t>(axis)].size; }
  const Offsets& strides(int axis) const { return axes_.at[static_cast<std::size_t>(axis)].strides; }

  std::int64_t columns() const { return axes_.back().size; }
  const Offsets& column_strides() const { return axes_.back().strides; }  ///< each 0 or 1
  const Offsets& row_strides() const { return axes_.at[static_cast<std::size_t>(axes_.count - 2)].strides; }

  /// Calls f(offsets, rows, columns) for blocks that make up one thread's part.
  template <class F>
  void part(const Team& team, const F& f) const {
    if (rows_ == 0 || columns() == 0) return;
    const bool whole_rows = team.size() == 1 || rows_ >= 16 * team.size();
    const std::int64_t pieces = whole_rows ? 1 : (columns() + kPiece - 1) / kPiece;
    const Range mine = part_of(rows_ * pieces, team.rank(), team.size());
    if (whole_rows) return rows(mine, {0, columns()}, f);
    for (std::int64_t i = mine.begin; i < mine.end;) {
      const std::int64_t row = i / pieces, first = i % pieces, last = std::min(pieces, first + mine.end - i);
      rows({row, row + 1}, {first * kPiece, std::min(last * kPiece, columns())}, f);
      i += last - first;
    }
  }

 private:
  /// Few rows are divided at whole cache lines, so that threads do not share one.
  static constexpr std::int64_t kPiece = 64;

  struct Axis {
    std::int64_t size;
    Offsets strides;
  };
  struct Axes {
    std::array<Axis, Dims::kMaxRank + 2> at;
    int count = 0;
    bool empty() const { return count == 0; }
    Axis& back() { return at[static_cast<std::size_t>(count - 1)]; }
    const Axis& back() const { return at[static_cast<std::size_t>(count - 1)]; }
    void push_back(const Axis& a) { at[static_cast<std::size_t>(count++)] = a; }
    void insert_front(const Axis& a) {
      std::copy_backward(at.begin(), at.begin() + count, at.begin() + count + 1);
      at[0] = a;
      ++count;
    }
  };

  bool joins(const Offsets& inner, std::int64_t size) const {
    for (std::size_t k = 0; k < N; ++k) {
      if (axes_.back().strides[k] != inner[k] * size) return false;
    }
    return true;
  }

  /// Columns [columns) of rows [mine), as blocks along the last axis of rows. From block to block without divisions, which took as long as
  /// blocks of two rows.
  template <class F>
  void rows(Range mine, Range columns, const F& f) const {
    const int last = axes_.count - 2;
    std::array<std::int64_t, Dims::kMaxRank + 2> index;
    Offsets at{};
    const auto move = [&](int axis, std::int64_t steps) {
      for (std::size_t k = 0; k < N; ++k) at[k] += steps * strides(axis)[k];
    };
    std::int64_t rest = mine.begin;
    for (int i = last; i >= 0; rest /= size(i--)) {
      index[static_cast<std::size_t>(i)] = rest % size(i);
      move(i, rest % size(i));
    }
    move(last + 1, columns.begin);
    for (std::int64_t row = mine.begin; row < mine.end;) {
      const std::int64_t first = index[static_cast<std::size_t>(last)], count = std::min(size(last) - first, mine.end - row);
      f(at, count, columns.end - columns.begin);
      row += count;
      move(last, -first);
      index[static_cast<std::size_t>(last)] = 0;
      for (int i = last - 1; i >= 0; --i) {
        move(i, 1);
        if (++index[static_cast<std::size_t>(i)] < size(i)) break;
        move(i, -size(i));
        index[static_cast<std::size_t>(i)] = 0;
      }
    }
  }

  Axes axes_;
  std::int64_t rows_ = 1;
};

}  // namespace dwsep::runtime
