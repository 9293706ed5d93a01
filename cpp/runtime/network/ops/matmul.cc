// NumPy's matmul of two computed arrays. The second one is packed into scratch for the pointwise kernels.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/network/ops/copy.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

/// One operand as a stack of matrices of which the innermost axis is adjacent.
struct Stack {
  float* data;
  Dims strides;  ///< of the batch axes
  std::int64_t row;
};

/// How b is packed: as a matrix of weights, but without half vectors.
PackedMatrix layout(std::int64_t k, std::int64_t columns) { return matrix_layout(k, columns, active_kernels().lanes, HalfPanel::none); }

/// Rows [range) of b. Moves of constant size: 197x64 takes 2.1 us for 4.5 (AMD EPYC, Zen 3, AVX2, 2026-11-29).
void pack_rows(const PackedMatrix& p, const float* b, std::int64_t row, Range range, float* out) {
  for (std::int64_t i = 0; i < p.panels; ++i) {
    const std::int64_t first = i * p.panel_vectors * p.lanes;
    const std::int64_t width = std::int64_t{i + 1 < p.panels ? p.panel_vectors : p.last_panel_vectors} * p.lanes;
    const std::int64_t exist = std::min(p.columns - first, width);
    float* const to = out + first * p.k;
    copy_rows(b + range.begin * row + first, row, to + range.begin * width, width, range.end - range.begin, exist);
    for (std::int64_t r = range.begin; r < range.end && exist < width; ++r) std::fill_n(to + r * width + exist, width - exist, 0.0F);
  }
}

class Matmul final : public PlainOp, public MatrixProduct {
 public:
  explicit Matmul(const Description& d) : PlainOp(d) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    const Dims &a = inputs[0], &b = inputs[1];
    if (a.rank() == 0 || b.rank() == 0) reject("inputs", "arrays of one axis or more", to_string(a) + " and " + to_string(b));
    if (a.back() != (b.rank() == 1 ? b[0] : b[b.rank() - 2])) {
      reject("inputs", "as many columns in the first as rows in the second", to_string(a) + " and " + to_string(b));
    }
    Dims y = broadcast(batch_of(a), batch_of(b));
    if (a.rank() > 1) y.push_back(a[a.rank() - 2]);
    if (b.rank() > 1) y.push_back(b.back());
    return checked(y);
  }

  std::int64_t scratch_bytes(const std::vector<Dims>& inputs, const Dims&, int threads) const override {
    const Dims &a = inputs[0], &b = inputs[1];
    const std::int64_t copies = std::min<std::int64_t>(broadcast(batch_of(a), batch_of(b)).count(), threads);
    return measure([&](Scratch& scratch) { pieces(scratch, layout(a.back(), b.rank() == 1 ? 1 : b.back()), static_cast<int>(copies)); });
  }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    const Array &a = o.inputs[0], &b = o.inputs[1];
    Product p(o);
    const bool one_b = std::all_of(p.b.strides.begin(), p.b.strides.end(), [](std::int64_t s) { return s == 0; });
    const PackedMatrix panels = layout(a.shape.back(), b.shape.rank() == 1 ? 1 : b.shape.back());
    const PerThread<float> packed = pieces(scratch, panels, team.size());
    if (one_b) {
      pack_together(team, panels, p.b.data, p.b.row, packed[0]);
      p.multiply_part(team, panels, packed[0], {0, p.batches});
    } else if (p.batches >= team.size()) {
      const Range mine = part_of(p.batches, team.rank(), team.size());
      float* const own = packed[team.rank()];
      std::fill_n(own, panels.bias_floats(), 0.0F);
      for (std::int64_t i = mine.begin; i < mine.end; ++i) {
        pack_rows(panels, p.at(p.b, i), p.b.row, {0, panels.k}, own + panels.bias_floats());
        p.multiply(panels, own, i, {0, p.rows}, {0, panels.panels});
      }
    } else {
      for (std::int64_t i = 0; i < p.batches; ++i) {
        if (i > 0) team.barrier();
        pack_together(team, panels, p.at(p.b, i), p.b.row, packed[0]);
        p.multiply_part(team, panels, packed[0], {i, i + 1});
      }
    }
  }

  const MatrixProduct* product() const override { return this; }
  std::int64_t packed_floats(const Dims& b) const override {
    const PackedMatrix p = layout(b[b.rank() - 2], b.back());
    return p.weight_floats() + p.bias_floats();
  }
  void pack(const Array& b, float* to) const noexcept override {
    const int rank = b.shape.rank();
    Team alone;
    pack_together(alone, layout(b.shape[rank - 2], b.shape.back()), b.as<float>(), b.strides[rank - 2], to);
  }
  void multiply(const Operands& o, const float* packed) const noexcept override {
    const Product p(o);
    const PackedMatrix panels = layout(o.inputs[0].shape.back(), o.output.shape.back());
    p.multiply(panels, packed, 0, {0, p.rows}, {0, panels.panels});
  }

  double flops(const std::vector<Dims>& inputs, const Dims& y) const override {
    return 2.0 * static_cast<double>(inputs[0].back()) * static_cast<double>(y.count());
  }

 private:
  struct Product {
    Stack a, b, y;
    Dims batch;
    std::int64_t batches, rows;

    explicit Product(const Operands& o) {
      const Array &first = o.inputs[0], &second = o.inputs[1];
      const int axes = (first.shape.rank() > 1 ? 1 : 0) + (second.shape.rank() > 1 ? 1 : 0);
      for (int i = 0; i + axes < o.output.shape.rank(); ++i) batch.push_back(o.output.shape[i]);
      batches = batch.count();
      rows = first.shape.rank() > 1 ? first.shape[first.shape.rank() - 2] : 1;
      a = stack(first);
      b = stack(second);
      if (second.shape.rank() == 1) b.row = second.strides[0];
      y = {o.output.as<float>(), {}, 0};
      for (int i = 0; i < batch.rank(); ++i) y.strides.push_back(o.output.strides[i]);
      if (first.shape.rank() > 1) y.row = o.output.strides[batch.rank()];
    }

    Stack stack(const Array& x) const {
      Array matrices{x.data, batch_of(x.shape), {}};
      for (int i = 0; i < matrices.shape.rank(); ++i) matrices.strides.push_back(x.strides[i]);
      return {x.as<float>(), broadcast_strides(matrices, batch), x.shape.rank() > 1 ? x.strides[x.shape.rank() - 2] : 0};
    }

    float* at(const Stack& s, std::int64_t i) const {
      float* p = s.data;
      for (int axis = batch.rank() - 1; axis >= 0; --axis) {
        p += i % batch[axis] * s.strides[axis];
        i /= batch[axis];
      }
      return p;
    }

    /// A thread's part of the products [some), which share packed panels: of their rows, or where these are few of the panels.
    void multiply_part(const Team& team, const PackedMatrix& panels, const float* packed, Range some) const {
      const std::int64_t all = (some.end - some.begin) * rows;
      const bool by_panels = all < 8 * team.size() && panels.panels >= team.size();
      const Range mine = by_panels ? Range{0, all} : part_of(all, team.rank(), team.size());
      const Range my_panels = by_panels ? part_of(panels.panels, team.rank(), team.size()) : Range{0, panels.panels};
      for (std::int64_t row = mine.begin; row < mine.end;) {
        const std::int64_t first = row % rows, last = std::min(rows, first + mine.end - row);
        multiply(panels, packed, some.begin + row / rows, {first, last}, my_panels);
        row += last - first;
      }
    }

    void multiply(const PackedMatrix& panels, const float* packed, std::int64_t i, Range some, Range my_panels) const {
      GemmWork w = panels.work();
      w.a = at(a, i) + some.begin * a.row;
      w.a_row = a.row;
      w.b = packed + panels.bias_floats();
      w.bias = packed;
      w.y = at(y, i) + some.begin * y.row;
      w.y_row = y.row;
      w.rows = some.end - some.begin;
      w.block_rows = gemm_block_rows(panels.k);
      w.panel_begin = my_panels.begin;
      w.panel_end = my_panels.end;
      active_kernels().gemm(w);
    }
  };

  static Dims batch_of(const Dims& d) {
    Dims batch;
    for (int i = 0; i + 2 < d.rank(); ++i) batch.push_back(d[i]);
    return batch;
  }

  /// Zeros for a bias, then the panels.
  static PerThread<float> pieces(Scratch& scratch, const PackedMatrix& p, int copies) {
    return scratch.take_each<float>(copies, p.weight_floats() + p.bias_floats());
  }

  static void pack_together(Team& team, const PackedMatrix& panels, const float* b, std::int64_t row, float* scratch) {
    if (team.rank() == 0) std::fill_n(scratch, panels.bias_floats(), 0.0F);
    pack_rows(panels, b, row, part_of(panels.k, team.rank(), team.size()), scratch + panels.bias_floats());
    team.barrier();
  }
};

constexpr OpSchema kMatmulOps[] = {{"matmul", make<Matmul>, 2, 2}};

}  // namespace

ConstSpan<OpSchema> matmul_ops() { return kMatmulOps; }

}  // namespace dwsep::runtime
