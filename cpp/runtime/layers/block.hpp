// [1x1 expansion ->] depthwise [-> squeeze-excite] -> 1x1 projection in one call: SeparableConv2D and InvertedResidual, without the wide
// tensors in between. What lies between the stages is in scratch, as much of it as stays in cache, and the shapes of a call decide on one
// of three strategies:
//
// rows      Threads take blocks of output rows: the depthwise output of a block, then its projection. With an expansion, a ring holds just
//           as many expanded rows as a block needs.
// image     Image by image, whole depthwise outputs: threads divide its rows, and the pixels or the output channels of the projection. For
//           squeeze-excite, whose projection waits for the sums over the image, and where few pixels meet many weights.
// channels  The same for small images, of which there are few rows: threads divide the expanded channels, some panels at a time. No row is
//           expanded twice.
//
// All give the same bits.
#pragma once

#include <optional>

#include "runtime/layers/cache_blocks.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/squeeze_excite.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

class Block final : public PackedLayer {
 public:
  /// Throws std::invalid_argument when the weights do not fit each other.
  explicit Block(PackedBlock packed);

  Shape output_shape(const Shape& x) const override;
  int useful_threads(const Shape& x, int threads) const override;
  std::int64_t scratch_bytes(const Shape& x, int threads) const override;
  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override;
  Plan plan(const Shape& x, int threads) const override;

 private:
  enum class Strategy { rows, image, channels };

  struct Call {
    Geometry g;
    const ConstTensor& x;
    const Tensor& y;
    const ConstTensor* residual;
  };
  /// Expanded activations in scratch: [vector][row slot][pixel][lane], so that depthwise reads whole lines whatever the channels are.
  /// With a channel multiplier, whose vectors read across vectors: [row slot][pixel][channel].
  struct Ring {
    float* data;
    std::int64_t rows, row, pixel, vector, floats;
  };
  /// What a ring holds: rows before `end` of an image, or held them.
  struct RingState {
    std::int64_t image = -1, end = 0;
  };
  /// The depthwise output of an image, whose channels lie in one or more segments: data is its pixel 0.
  struct DepthwiseOutput {
    float* data;
    std::int64_t pixel;
    const Segment* segments;
    std::int64_t segment_count;
  };
  struct Layout {
    CacheBlock block;         ///< output rows and columns at a time
    Ring ring;                ///< with the place of thread 0's
    PerThread<float> rings;   ///< with an expansion
    PerThread<float> output;  ///< of depthwise: of a block for each thread, of the image for all, or of the image's channels for each
    std::int64_t pixel;       ///< its pixel stride
    SqueezeExciteStage::Image excite;
    Ring ring_of(int rank) const {
      Ring own = ring;
      own.data = rings[rank];
      return own;
    }
  };
  /// Threads that may divide the channels: their segments are on the stack, 24 bytes each, as a run can fail for nothing, memory included.
  static constexpr int kMaxParts = 64;

  // block.cc: what a call does, and in what memory.
  Strategy strategy(const Geometry& g, const Shape& x, int threads) const;
  Layout layout(Strategy strategy, const Geometry& g, const Shape& x, int threads, Scratch& scratch) const;
  Ring ring_of(std::int64_t rows, std::int64_t width, std::int64_t vectors) const;
  double flops(const Geometry& g, const Shape& x) const;
  double weight_bytes() const;
  int lanes() const { return depthwise_.packed().lanes; }
  Range all_vectors() const { return {0, depthwise_.packed().vectors}; }
  Range all_panels() const { return {0, project_.packed().panels}; }
  /// Panels of expanded channels of an image that a thread takes at a time.
  std::int64_t panels_at_once(const Shape& x) const;
  /// First and last vector of expanded channels of a range of panels.
  Range vectors_of(Range panels) const;

  // The strategies, a file each: one thread's part.
  void run_rows(const Team& team, const Call& c, const Layout& l) const;
  void run_unexpanded_rows(const Team& team, const Call& c, const Layout& l) const;
  void run_image(Team& team, const Call& c, const Layout& l) const;
  void run_channels(Team& team, const Call& c, const Layout& l) const;

  // block_steps.cc: the stages on a part of an image.
  /// Expands rows into slots of the ring, panels [panels) only; the ring's vector 0 is `first_vector`.
  void run_expand(const Call& c, std::int64_t image, Range rows, Range panels, std::int64_t first_vector, const Ring& ring) const;
  /// Expands what output rows read and the ring does not hold yet.
  void fill_ring(const Call& c, std::int64_t image, Range output_rows, const Ring& ring, RingState* state) const;
  /// Where depthwise reads expanded rows.
  static Source source_of(const Call& c, const Ring& ring, std::int64_t first_vector = 0);
  /// An area of the depthwise output, to pixels from y on; leaves the sums of its rows in `excite` if there is any.
  void run_depthwise(const Call& c, const Source& x, const Area& area, float* y, std::int64_t pixel,
                     const SqueezeExciteStage::Image& excite = {}) const;
  /// Output pixels of an image, from their depthwise output.
  void run_projection(const Call& c, std::int64_t image, Range pixels, Range panels, const DepthwiseOutput& d) const;
  /// A thread's part of the projection of a whole image; first of squeeze-excite, if there is any.
  void project_image(Team& team, const Call& c, std::int64_t image, const DepthwiseOutput& d, const Layout& l) const;

  std::optional<PointwiseStage> expand_;
  DepthwiseStage depthwise_;
  PointwiseStage project_;
  std::optional<SqueezeExciteStage> squeeze_excite_;
};

}  // namespace dwsep::runtime
