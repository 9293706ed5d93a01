// Non-maximum suppression: of boxes that overlap, those with the highest scores.
#include <algorithm>
#include <cmath>

#include "runtime/layers/layer.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

struct Box {
  float top, left, bottom, right;

  float area() const { return (bottom - top) * (right - left); }
};

/// Whether the boxes share more than a part of what they cover together.
bool overlap(const Box& a, const Box& b, float most) {
  const Box both{std::max(a.top, b.top), std::max(a.left, b.left), std::min(a.bottom, b.bottom), std::min(a.right, b.right)};
  if (both.bottom <= both.top || both.right <= both.left) return false;
  const float area = both.area(), covered = a.area() + b.area() - area;
  return a.area() > 0 && b.area() > 0 && covered > 0 && area / covered > most;
}

class Suppress final : public PlainOp {
 public:
  explicit Suppress(const Description& d)
      : PlainOp(d),
        most_(d.integer("most", 0, std::int64_t{1} << 31)),
        overlap_(static_cast<float>(d.number("overlap"))),
        centered_(d.flag("centered")),
        bounded_(d.has("least_score")),
        least_score_(bounded_ ? static_cast<float>(d.number("least_score")) : 0.0F) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    const Dims &boxes = inputs[0], &scores = inputs[1];
    if (boxes.rank() != 3 || scores.rank() != 3 || boxes[2] != 4 || boxes[0] != scores[0] || boxes[1] != scores[2]) {
      reject("inputs", "boxes (N, boxes, 4) and scores (N, classes, boxes)", to_string(boxes) + " and " + to_string(scores));
    }
    checked({scores[0], scores[1], std::min(most_, boxes[1]), 3});
    return {scores[0] * scores[1] * std::min(most_, boxes[1]), 3};
  }

  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    Op::infer_type(d, inputs);
    return {DType::int64};
  }

  std::int64_t scratch_bytes(const std::vector<Dims>& inputs, const Dims& y, int threads) const override {
    return measure([&](Scratch& scratch) { Pieces(scratch, inputs[1], y, threads); });
  }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    const Array &scores = o.inputs[1], &y = o.output;
    const Pieces pieces(scratch, scores.shape, y.shape, team.size());
    const std::int64_t classes = scores.shape[1], pairs = scores.shape[0] * classes, each = y.shape[0] / pairs;
    const Range mine = part_of(pairs, team.rank(), team.size());
    for (std::int64_t pair = mine.begin; pair < mine.end; ++pair) {
      const float* const score = scores.as<float>() + pair / classes * scores.strides[0] + pair % classes * scores.strides[1];
      pieces.counts[pair] = select(o.inputs[0], pair / classes, score, pieces.order[team.rank()], pieces.chosen + pair * each, each);
    }
    team.barrier();
    if (team.rank() > 0) return;
    std::int64_t row = 0;
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      for (std::int64_t i = 0; i < pieces.counts[pair]; ++i)
        write(y, row++, pair / classes, pair % classes, pieces.chosen[pair * each + i]);
    }
    while (row < y.shape[0]) write(y, row++, -1, -1, -1);
  }

  double flops(const std::vector<Dims>& inputs, const Dims&) const override { return 32.0 * static_cast<double>(inputs[1].count()); }

 private:
  struct Pieces {
    std::int64_t *counts, *chosen;
    PerThread<std::int64_t> order;

    Pieces(Scratch& scratch, const Dims& scores, const Dims& y, int threads)
        : counts(scratch.take<std::int64_t>(scores[0] * scores[1])),
          chosen(scratch.take<std::int64_t>(y[0])),
          order(scratch.take_each<std::int64_t>(threads, scores[2])) {}
  };

  static void write(const Array& y, std::int64_t row, std::int64_t image, std::int64_t label, std::int64_t box) {
    std::int64_t* const to = y.as<std::int64_t>() + row * y.strides[0];
    to[0] = image;
    to[1] = label;
    to[2] = box;
  }

  Box box(const Array& boxes, std::int64_t image, std::int64_t i) const {
    const float* const b = boxes.as<float>() + image * boxes.strides[0] + i * boxes.strides[1];
    if (centered_) return {b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
    return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
  }

  /// Writes the boxes of one image and class, the highest score first, and returns their number. What is no number has no place.
  std::int64_t select(const Array& boxes, std::int64_t image, const float* score, std::int64_t* order, std::int64_t* chosen,
                      std::int64_t most) const {
    std::int64_t* end = order;
    for (std::int64_t i = 0; i < boxes.shape[1]; ++i) {
      if (bounded_ ? score[i] > least_score_ : !std::isnan(score[i])) *end++ = i;
    }
    std::sort(order, end, [&](std::int64_t a, std::int64_t b) { return score[a] > score[b] || (score[a] == score[b] && a < b); });
    std::int64_t count = 0;
    for (const std::int64_t* next = order; next != end && count < most; ++next) {
      const Box b = box(boxes, image, *next);
      const bool covered =
          std::any_of(chosen, chosen + count, [&](std::int64_t other) { return overlap(b, box(boxes, image, other), overlap_); });
      if (!covered) chosen[count++] = *next;
    }
    return count;
  }

  std::int64_t most_;
  float overlap_;
  bool centered_, bounded_;
  float least_score_;
};

constexpr AttributeSchema kSuppressAttributes[] = {{"most", AttributeType::integer},
                                                   {"overlap", AttributeType::real},
                                                   {"centered", AttributeType::flag},
                                                   {"least_score", AttributeType::real, Presence::optional}};
constexpr OpSchema kSuppressOps[] = {{"non_max_suppression", make<Suppress>, 2, 2, kSuppressAttributes}};

}  // namespace

ConstSpan<OpSchema> suppress_ops() { return kSuppressOps; }

}  // namespace dwsep::runtime
