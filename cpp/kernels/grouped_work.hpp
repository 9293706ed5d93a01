// Work struct of grouped convolutions of few channels a group: lanes are groups. All strides and offsets count floats.
#pragma once

#include "kernels/standard_work.hpp"

namespace dwsep {

/// Output columns of a group that are computed together: as many fours as there are, then a pair and a single one.
constexpr std::int64_t group_columns(std::int64_t left) { return left >= 4 ? 4 : left >= 2 ? 2 : 1; }

/// Output rows [y_begin, y_end) of one image, as StandardWork says it of group 0. There `b` is packed [vector of groups][columns, as
/// group_columns takes them][kh][kw][input][column][lane], and `bias` [vector of groups][column][lane].
struct GroupedWork {
  StandardWork conv;
  std::int64_t groups;
  std::int64_t v_begin, v_end;  ///< vectors of groups to compute
  std::int64_t block_rows;      ///< output rows whose inputs are separated at a time
  float* scratch;               ///< of GroupedSizes
};

/// Scratch: the part of the input that some outputs read, and these, of one vector of groups, as planes of each channel of a group:
/// [row][channel][pixel][lane].
struct GroupedSizes {
  std::int64_t x_plane, x_row;  ///< floats from one plane to the next, from one row to the next
  std::int64_t y_plane, y_row;

  GroupedSizes(std::int64_t lanes, std::int64_t inputs, std::int64_t outputs, std::int64_t x_pixels, std::int64_t y_pixels)
      : x_plane(plane(x_pixels, lanes)), x_row(x_plane * inputs), y_plane(plane(y_pixels, lanes)), y_row(y_plane * outputs) {}

 private:
  /// An odd number of vectors: planes a power of two apart would share sets of the caches.
  static std::int64_t plane(std::int64_t pixels, std::int64_t lanes) { return (pixels | 1) * lanes; }
};

}  // namespace dwsep
