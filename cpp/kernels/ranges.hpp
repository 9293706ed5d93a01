// Which taps, and which outputs, of one axis of a convolution fall inside the input.
#pragma once

#include <cstdint>

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Taps [begin, end) of one axis that fall inside the input for output position `out`.
struct TapRange {
  std::int64_t begin, end;
  TapRange(std::int64_t out, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t taps, std::int64_t size) {
    const std::int64_t first = out * stride - pad;
    begin = first < 0 ? (-first + dilation - 1) / dilation : 0;
    end = first < size ? (size - 1 - first) / dilation + 1 : 0;
    if (end > taps) end = taps;
    if (begin > end) begin = end;
  }
};

/// Output positions [begin, end) of one axis for which every tap falls inside the input.
struct InsideRange {
  std::int64_t begin, end;
  InsideRange(std::int64_t outputs, std::int64_t stride, std::int64_t pad, std::int64_t dilation, std::int64_t taps, std::int64_t size) {
    const std::int64_t room = size + pad - (taps - 1) * dilation;  // starts [0, room) of the padded input keep the last tap inside
    begin = pad > 0 ? (pad + stride - 1) / stride : 0;             // a part of a wider image may begin inside it
    end = room > 0 ? (room - 1) / stride + 1 : 0;
    if (end > outputs) end = outputs;
    if (begin > end) begin = end;
  }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
