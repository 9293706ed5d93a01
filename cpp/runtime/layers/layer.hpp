// The interface behind the public Layer, and what all layers need.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>

#include "dwsep/layers.hpp"
#include "kernels/conv_work.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/layers/prepared_call.hpp"
#include "runtime/memory/scratch.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// What a layer wants its tensors to be.
struct LayerTypes {
  struct Type {
    DType dtype = DType::float32;
    std::optional<Quantization> quantization;

    Type() = default;
    explicit Type(const TensorType& t) : dtype(t.dtype) {
      if (t.quantization != nullptr) quantization = *t.quantization;
    }
  };
  Type x, y, residual;

  LayerTypes() = default;
  explicit LayerTypes(const TensorTypes& t) : x(t.x), y(t.y), residual(t.residual) {}
};
extern const LayerTypes kFloatTypes;

/// From one channel of x, and of y, to the next: 1, but for planes.
struct ChannelSteps {
  std::int64_t x, y;
};

/// What a call decides before it runs: the shape of y, and, unless that is empty, the size of its team and the bytes of scratch.
struct Decision {
  Shape x, y;
  int threads, team;
  std::int64_t scratch;
};

/// Immutable but for what the first call decided: one object serves all callers at once. A call is decide, which asks output_shape, which
/// checks x, and, unless the output is empty, useful_threads and scratch_bytes, and then run on every thread of a team.
class PackedLayer {
 public:
  PackedLayer() = default;
  virtual ~PackedLayer() { delete first_.load(std::memory_order_relaxed); }
  PackedLayer(const PackedLayer&) = delete;
  PackedLayer& operator=(const PackedLayer&) = delete;
  /// For a shape and a number of threads. The first is kept: most layers are called with one shape, and tiny ones took a fifth of their
  /// time to decide. Throws as output_shape does.
  Decision decide(const Shape& x, int threads) const;
  /// Throws std::invalid_argument when x does not fit.
  virtual Shape output_shape(const Shape& x) const = 0;
  virtual const LayerTypes& types() const noexcept { return kFloatTypes; }
  /// The useful number of threads, from 1 to `threads`.
  virtual int useful_threads(const Shape& x, int threads) const = 0;
  /// Bytes of scratch that are enough for any team of 1 to `threads`, which share it.
  virtual std::int64_t scratch_bytes(const Shape& /*x*/, int /*threads*/) const { return 0; }
  /// The part of one thread of the team: divides the work by team.size(). Neither throws nor allocates. The caller ensures that all
  /// threads are done, by a barrier or the end of the team, before anybody reads y or uses scratch again.
  virtual void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept = 0;
  /// Whether x, and y, may be planes, of one channel each, whose pixels are adjacent. run_planes takes and makes them.
  virtual bool takes_planes(const Shape& /*x*/) const { return false; }
  virtual bool makes_planes(const Shape& x) const { return takes_planes(x); }
  virtual void run_planes(Team& /*team*/, const ConstTensor& /*x*/, const Tensor& /*y*/, ChannelSteps /*steps*/,
                          Scratch /*scratch*/) const noexcept {}
  /// That call on one thread, for arrays of such shapes and strides, or null: where it is more than one work. The layer outlives it.
  virtual std::unique_ptr<PreparedCall> prepare(const ConstTensor& /*x*/, const Tensor& /*y*/, const ConstTensor* /*residual*/,
                                                Scratch /*scratch*/) const {
    return nullptr;
  }
  virtual Plan plan(const Shape& x, int threads) const = 0;
  /// Bytes of weights that the layer packed for itself, beside those that it was given packed.
  virtual std::int64_t packed_bytes() const { return 0; }

 private:
  mutable std::atomic<const Decision*> first_{nullptr};
};

/// The call of a layer in two parts, for callers that make y between them.
struct LayerCall {
  /// Throws std::invalid_argument where x does not fit. `threads` as a call has them.
  static Decision decide(const Layer& layer, const Shape& x, int threads);
  /// Tensors of the decision's shapes and of the layer's types, which nothing checks.
  static void run(const Layer& layer, const Decision& d, const ConstTensor& x, const Tensor& y, const ConstTensor* residual);
};

/// [begin, end) of `total` equal parts, for one of `parts`.
struct Range {
  std::int64_t begin, end;
};
inline Range part_of(std::int64_t total, int part, int parts) { return {total * part / parts, total * (part + 1) / parts}; }

/// The columns of a matrix in panels, all but the last of one width.
struct PanelSizes {
  std::int64_t panels, width, columns;
};

/// Whether the pixels of a tensor are evenly spaced, over all rows and images.
bool evenly_spaced(const ConstTensor& t);

/// Estimated time of the work on one core with the slowest kernels.
inline double estimated_seconds(double flops, double bytes) { return std::max(flops / 30e9, bytes / 20e9); }

/// A call shorter than about 4 us does not gain from a second thread.
int worthwhile_threads(int threads, double flops, double bytes);

/// What a call computes, by kernels that differ in speed.
struct Work {
  double products, depthwise;  ///< multiplications and additions
};
/// The same for a layer, by what AVX2 computes in a second: with 30e9 for all, half of the calls of 3 to 6 us took longer on two threads
/// than on one (AMD EPYC, Zen 3, 2026-11-29).
int worthwhile_threads(int threads, const Work& float_work, const Work& int8_work, double bytes);

/// Of `total` equal units that are such work those that take 4 us, the least that threads take of each other, as a call of Team::share
/// costs 0.2 us. Only with AVX2, where it was measured; else all.
std::int64_t worthwhile_piece(const Work& float_work, const Work& int8_work, std::int64_t total);

double tensor_bytes(const Shape& s, DType type = DType::float32);

}  // namespace dwsep::runtime
