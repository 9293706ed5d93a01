#include "runtime/network/ops/plain_op.hpp"

#include <algorithm>

namespace dwsep::runtime {

void PlainOp::check_sizes(const char* what, const Dims& d) const {
  if (!possible(d)) reject(what, "sizes of at least 0 and at most 2**40 elements", to_string(d));
}

void PlainOp::check_inputs(const std::vector<Dims>& inputs, std::size_t count) const {
  if (inputs.size() != count) reject("inputs", std::to_string(count) + " arrays", std::to_string(inputs.size()));
  for (const Dims& d : inputs) check_sizes("input", d);
}

void PlainOp::check_rank(const Dims& input, int rank) const {
  if (input.rank() != rank) reject("input", "an array of " + std::to_string(rank) + " axes", to_string(input));
}

Dims PlainOp::checked(const Dims& output) const {
  check_sizes("output", output);
  return output;
}

int PlainOp::axis_of(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank) {
    reject("axis", "a value from " + std::to_string(-rank) + " to " + std::to_string(rank - 1), std::to_string(axis));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Dims PlainOp::broadcast(const Dims& a, const Dims& b) const {
  Dims y;
  const int rank = std::max(a.rank(), b.rank());
  for (int i = 0; i < rank; ++i) {
    const int in_a = i - (rank - a.rank()), in_b = i - (rank - b.rank());
    const std::int64_t p = in_a < 0 ? 1 : a[in_a], q = in_b < 0 ? 1 : b[in_b];
    if (p != q && p != 1 && q != 1) reject("shapes", "sizes that are equal or 1", to_string(a) + " and " + to_string(b));
    y.push_back(p == 1 ? q : p);
  }
  return checked(y);
}

Dims broadcast_strides(const Array& a, const Dims& shape) {
  Dims strides;
  const int missing = shape.rank() - a.shape.rank();
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = i - missing;
    strides.push_back(axis < 0 || a.shape[axis] == 1 ? 0 : a.strides[axis]);
  }
  return strides;
}

int one_of(const Description& d, const char* attribute, ConstSpan<const char*> names) {
  const std::string& name = d.string(attribute);
  std::string all;
  int index = 0;
  for (const char* const known : names) {
    if (name == known) return index;
    all += (index++ > 0 ? ", " : "") + std::string(known);
  }
  d.reject(attribute, "one of " + all, "'" + name + "'");
}

}  // namespace dwsep::runtime
