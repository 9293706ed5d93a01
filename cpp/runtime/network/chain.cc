#include "runtime/network/chain.hpp"

#include <algorithm>
#include <chrono>

#include "runtime/layers/layer.hpp"

namespace dwsep::runtime {
namespace {

/// A shape in parts of adjacent elements: so much of one axis, all of those behind it, and one element of each before it.
class Parts {
 public:
  /// So many rows of each matrix.
  static Parts of_rows(const Dims& shape, std::int64_t rows) { return Parts(shape, shape.rank() - 2, rows); }

  /// About so many elements.
  static Parts of_elements(const Dims& shape, std::int64_t most) {
    std::int64_t behind = 1;
    int axis = shape.rank();
    while (axis > 0 && behind * shape[axis - 1] <= most) behind *= shape[--axis];
    if (axis == 0) return Parts(shape, -1, 1);  // all of it is one part, which may be empty
    return Parts(shape, axis - 1, std::max<std::int64_t>(1, most / behind));
  }

  std::int64_t count() const { return count_; }

  /// The part before which another matrix of a product is next: each begins so many parts after the one before.
  std::int64_t along() const { return along_; }

  /// The part of the array that has these elements of the shape, to which it is broadcast.
  Array of(const Array& a, std::int64_t part) const { return cut(a, part, axis_); }

  /// The whole matrix that rows of this part are multiplied by.
  Array matrix_of(const Array& a, std::int64_t part) const { return cut(a, part, axis_ - 1); }

 private:
  Parts(const Dims& shape, int axis, std::int64_t step)
      : shape_(shape), axis_(axis), step_(step), along_(axis < 0 ? 1 : ceil_div(shape[axis], step)), count_(along_) {
    for (int i = 0; i < axis_; ++i) count_ *= shape[i];
  }

  /// The part by the axes up to `last`, all of those behind it.
  Array cut(const Array& a, std::int64_t part, int last) const {
    Array y = a;
    float* data = a.as<float>();
    std::int64_t rest = part;
    for (int i = axis_; i >= 0; --i) {
      const std::int64_t size = i == axis_ ? along_ : shape_[i], begin = rest % size * (i == axis_ ? step_ : 1);
      rest /= size;
      const int at = i - (shape_.rank() - a.shape.rank());
      if (at < 0 || a.shape[at] == 1 || i > last) continue;
      data += begin * a.strides[at];
      y.shape[at] = i == axis_ ? std::min(step_, shape_[i] - begin) : 1;
    }
    y.data = data;
    return y;
  }

  const Dims& shape_;
  int axis_;
  std::int64_t step_, along_, count_;
};

}  // namespace

void run_chain(int thread, int threads, const ChainStep* steps, int count, float* slots, std::int64_t slot_floats) noexcept {
  const Dims& shape = steps[0].output->shape;
  // Each thread gets a part where there are enough elements.
  const bool products = steps[0].packed != nullptr;
  const Parts parts =
      products ? Parts::of_rows(shape, product_rows(shape))
               : Parts::of_elements(shape, std::clamp<std::int64_t>(ceil_div(shape.count(), threads), kChainPart / 8, kChainPart));
  const Range mine = part_of(parts.count(), thread, threads);
  Team alone;
  for (std::int64_t part = mine.begin; part < mine.end; ++part) {
    const Dims size = parts.of(*steps[0].output, part).shape;
    const auto in_slot = [&](int slot) { return Array{slots + slot * slot_floats, size, dense_strides(size)}; };
    for (const ChainStep* s = steps; s < steps + count; ++s) {
      std::array<Array, kChainInputs> inputs;
      for (int i = 0; i < s->input_count; ++i) {
        const int slot = s->slots[static_cast<std::size_t>(i)];
        const bool second = s->packed != nullptr && i == 1;
        inputs[static_cast<std::size_t>(i)] = slot >= 0 ? in_slot(slot)
                                              : second  ? parts.matrix_of(s->inputs[i], part)
                                                        : parts.of(s->inputs[i], part);
      }
      const Array output = s->slot >= 0 ? in_slot(s->slot) : parts.of(*s->output, part);
      const auto run = [&] {
        const Operands o{inputs.data(), output, s->input_count};
        if (s->packed == nullptr) return s->op->run(alone, o, Scratch());
        if (part == mine.begin || part % parts.along() == 0) s->op->product()->pack(inputs[1], s->packed);
        s->op->product()->multiply(o, s->packed);
      };
      if (s->seconds == nullptr) {
        run();
        continue;
      }
      const auto start = std::chrono::steady_clock::now();
      run();
      *s->seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
  }
}

}  // namespace dwsep::runtime
