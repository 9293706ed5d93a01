#include "runtime/network/array.hpp"

#include <algorithm>

namespace dwsep::runtime {

bool possible(const Dims& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || size > kMaxCount / count) return false;
    count *= std::max<std::int64_t>(size, 1);
  }
  return true;
}

std::string to_string(const Dims& d) {
  std::string text = "(";
  for (int i = 0; i < d.rank(); ++i) text += (i > 0 ? ", " : "") + std::to_string(d[i]);
  return text + (d.rank() == 1 ? ",)" : ")");
}

Dims dense_strides(const Dims& shape) {
  Dims strides = shape;
  std::int64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

bool is_dense(const Dims& shape, const Dims& strides) {
  std::int64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != stride) return false;
    stride *= shape[i];
  }
  return true;
}

}  // namespace dwsep::runtime
