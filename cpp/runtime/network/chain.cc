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
  Parts(std::int64_t rows, const Dims& shape)
      : shape_(shape), axis_(shape.rank() - 2), step_(rows), along_(ceil_div(shape[axis_], rows)), count_(along_) {
    for (int i = 0; i < axis_; ++i) count_ *= shape[i];
  }

  Parts(const Dims& shape, std::int64_t most) : shape_(shape), axis_(shape.rank()) {
    std::int64_t behind = 1;
    while (axis_ > 0 && behind * shape[axis_ - 1] <= most) behind *= shape[--axis_];
    if (--axis_ < 0) return;  // all of it is one part
    step_ = std::max<std::int64_t>(1, most / behind);
    along_ = ceil_div(shape[axis_], step_);
    count_ = along_;
    for (int i = 0; i < axis_; ++i) count_ *= shape[i];
  }

  std::int64_t count() const { return count_; }

  /// The part before which another matrix of a product is next: each begins so many parts after the one before.
  std::int64_t along() const { return along_; }

  /// The part of the array that has these elements of the shape, to which it is broadcast; or whole matrices of it.
  Array of(const Array& a, std::int64_t part, bool whole = false) const {
    Array y = a;
    float* data = a.as<float>();
    std::int64_t rest = part;
    for (int i = axis_; i >= 0; --i) {
      const std::int64_t size = i == axis_ ? along_ : shape_[i], begin = rest % size * (i == axis_ ? step_ : 1);
      rest /= size;
      const int at = i - (shape_.rank() - a.shape.rank());
      if (at < 0 || a.shape[at] == 1 || (whole && i == axis_)) continue;
      data += begin * a.strides[at];
      y.shape[at] = i == axis_ ? std::min(step_, shape_[i] - begin) : 1;
    }
    y.data = data;
    return y;
  }

 private:
  const Dims& shape_;
  int axis_;
  std::int64_t step_ = 1, along_ = 1, count_ = 1;
};

}  // namespace

void run_chain(int thread, int threads, const ChainStep* steps, int count, float* slots, std::int64_t slot_floats) noexcept {
  const Dims& shape = steps[0].output->shape;
  // Each thread gets a part where there are enough elements.
  const bool products = steps[0].packed != nullptr;
  const Parts parts = products ? Parts(product_rows(shape), shape)
                               : Parts(shape, std::clamp<std::int64_t>(ceil_div(shape.count(), threads), kChainPart / 8, kChainPart));
  const Range mine = part_of(parts.count(), thread, threads);
  Team alone;
  for (std::int64_t part = mine.begin; part < mine.end; ++part) {
    const Dims size = parts.of(*steps[0].output, part).shape;
    const auto in_slot = [&](int slot) { return Array{slots + slot * slot_floats, size, dense_strides(size)}; };
    for (const ChainStep* s = steps; s < steps + count; ++s) {
      std::array<Array, kChainInputs> inputs;
      for (int i = 0; i < s->input_count; ++i) {
        const int slot = s->slots[static_cast<std::size_t>(i)];
        inputs[static_cast<std::size_t>(i)] = slot >= 0 ? in_slot(slot) : parts.of(s->inputs[i], part, s->packed != nullptr && i == 1);
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
