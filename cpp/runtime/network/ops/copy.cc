#include "runtime/network/ops/copy.hpp"

#include <algorithm>

#include "runtime/network/ops/nest.hpp"

namespace dwsep::runtime {
namespace {

/// Where the elements of an array lie, from one run of adjacent elements to the next.
class Runs {
 public:
  Runs(const Array& a, std::int64_t first) : a_(a), next_(first) {
    length_ = 1;
    outer_ = a.shape.rank();
    while (outer_ > 0 && (a.shape[outer_ - 1] == 1 || a.strides[outer_ - 1] == length_)) length_ *= a.shape[--outer_];
    locate();
  }
  float* at() const { return a_.data + offset_ + (next_ % length_); }
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

}  // namespace

void copy_elements(const Team& team, const Dims& shape, const float* x, const Dims& x_strides, float* y, const Dims& y_strides) {
  const Nest<2> nest(shape, {y_strides, x_strides});
  const auto row = nest.row_strides(), column = nest.column_strides();
  nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r) {
      float* to = y + at[0] + r * row[0];
      const float* from = x + at[1] + r * row[1];
      if (columns == 1) {
        *to = *from;
      } else if (column[1] == 1) {
        std::copy_n(from, columns, to);
      } else {
        std::fill_n(to, columns, *from);
      }
    }
  });
}

void copy_in_order(const Team& team, const Array& x, const Array& y) {
  const Range mine = part_of(y.shape.count(), team.rank(), team.size());
  if (mine.begin == mine.end) return;
  Runs from(x, mine.begin), to(y, mine.begin);
  for (std::int64_t i = mine.begin; i < mine.end;) {
    const std::int64_t count = std::min({from.left(), to.left(), mine.end - i});
    std::copy_n(from.at(), count, to.at());
    from.advance(count);
    to.advance(count);
    i += count;
  }
}

void fill_elements(const Team& team, const Array& y, float value) {
  const Nest<1> nest(y.shape, {y.strides});
  nest.part(team, [&](const std::array<std::int64_t, 1>& at, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r) std::fill_n(y.data + at[0] + r * nest.row_strides()[0], columns, value);
  });
}

}  // namespace dwsep::runtime
