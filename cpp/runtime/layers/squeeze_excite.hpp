// Squeeze-excite (Hu, Shen, Sun, Squeeze-and-Excitation Networks, 2018): one factor for each channel of an image, from the
// mean of its pixels by two small fully connected layers.
#pragma once

#include "runtime/layers/families.hpp"
#include "runtime/layers/stages.hpp"

namespace dwsep::runtime {

/// Both layers, packed for the instruction set in use. Throws std::invalid_argument when weights are missing or sizes out of range.
PackedSqueezeExcite checked_pack(const SqueezeExcite& s);

class SqueezeExciteStage {
 public:
  /// Throws std::invalid_argument when the layers do not fit each other or `channels`.
  SqueezeExciteStage(PackedSqueezeExcite packed, std::int64_t channels);

  /// One image's part of scratch.
  struct Image {
    float* row_sums;  ///< [output row][channel], rows `row` floats apart: what depthwise kernels leave
    std::int64_t row;
    float *mean, *reduced, *factors;
  };
  Image place(Scratch& scratch, std::int64_t rows) const;

  /// The factors from the row sums. Every thread of the team calls it and does a part; when it returns, they are complete.
  void run(const Image& image, std::int64_t rows, std::int64_t pixels, Team& team) const;

  double flops(std::int64_t images) const { return reduce_.flops(magnitude(images)) + excite_.flops(magnitude(images)); }
  double weight_bytes() const { return reduce_.weight_bytes() + excite_.weight_bytes(); }

 private:
  PointwiseStage reduce_, excite_;
};

}  // namespace dwsep::runtime
