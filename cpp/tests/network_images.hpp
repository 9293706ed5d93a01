// Random cases of the ops that know images: pooling and resizing.
#pragma once

#include "network_cases.hpp"

namespace dwsep::test {

inline Case pool_case(Random& random) {
  const bool max = random(0, 1) == 0;
  Case c{describe("pool"), {}, {}, max ? 0 : 1e-6};
  Values& x = c.inputs.emplace_back(draw(random, draw_image(random), 4.0F, max));
  if (max) {
    for (double& v : x.v) v = static_cast<double>(static_cast<float>(v));
  }
  const auto size = [&](Int most) { return random(0, 1) == 0 ? 1 : random(1, most); };
  const Dims kernel{random(1, 4), random(1, 4)}, stride{size(3), size(3)}, dilation{size(3), size(3)};
  Dims padding{size(4) - 1, size(4) - 1, size(4) - 1, size(4) - 1}, shape = x.shape;
  for (int i = 0; i < 2; ++i) {
    const Int extent = (kernel[i] - 1) * dilation[i] + 1;
    Int room = shape[i + 1] + padding[2 * i] + padding[2 * i + 1] - extent;
    if (room < 0) {
      padding[2 * i + 1] -= room;
      room = 0;
    }
    shape[i + 1] = room / stride[i] + 1;
  }
  const bool counted = !max && random(0, 1) == 0;
  c.d.attributes["function"] = std::string(max ? "max" : "average");
  for (const auto& [name, d] :
       {std::pair<const char*, Dims>{"kernel", kernel}, {"stride", stride}, {"dilation", dilation}, {"padding", padding}}) {
    c.d.attributes[name] = list(d);
  }
  if (!max) c.d.attributes["include_padding"] = std::vector<Int>{counted ? 1 : 0};
  c.wanted = Values(shape);
  for_each(shape, [&](const Dims& i) {
    double result = max ? -std::numeric_limits<double>::infinity() : 0, count = 0;
    for (Int p = 0; p < kernel[0]; ++p) {
      for (Int q = 0; q < kernel[1]; ++q) {
        const Int h = i[1] * stride[0] - padding[0] + p * dilation[0], w = i[2] * stride[1] - padding[2] + q * dilation[1];
        const bool inside = h >= 0 && h < x.shape[1] && w >= 0 && w < x.shape[2];
        if (inside || counted) ++count;
        if (!inside) continue;
        const double v = x.at({i[0], h, w, i[3]});
        result = max ? passing_max(result, v) : result + v;
      }
    }
    c.wanted.at(i) = max ? result : result / std::max(count, 1.0);
  });
  return c;
}

/// Weights of the inputs of output i, not yet clamped into the image.
inline std::vector<std::pair<Int, double>> resize_taps(const std::string& function, const std::string& rounding, double at, Int in) {
  if (function == "nearest") {
    const double part = at - std::floor(at);
    double place = std::round(at);
    if (rounding == "floor" || (rounding == "round_prefer_floor" && part == 0.5)) place = std::floor(at);
    if (rounding == "ceil" || (rounding == "round_prefer_ceil" && part == 0.5)) place = std::ceil(at);
    return {{static_cast<Int>(place), 1.0}};
  }
  if (function == "linear") at = std::clamp(at, 0.0, static_cast<double>(in - 1));
  const auto first = static_cast<Int>(std::floor(at));
  const double s = at - std::floor(at), a = -0.75;
  if (function == "linear") return {{first, 1 - s}, {first + 1, s}};
  const auto near = [&](double t) { return (a + 2) * t * t * t - (a + 3) * t * t + 1; };
  const auto far = [&](double t) { return a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a; };
  return {{first - 1, far(1 + s)}, {first, near(s)}, {first + 1, near(1 - s)}, {first + 2, far(2 - s)}};
}

inline Case resize_case(Random& random) {
  const std::string function = random.word({"nearest", "linear", "cubic"});
  const std::string coordinates = random.word({"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"});
  const std::string rounding = random.word({"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  Case c{describe("resize"), {draw(random, draw_image(random))}, {}, function == "nearest" ? 0 : 1e-5};
  Values& x = c.inputs[0];
  // Scales that are exact, so that coordinates are: align_corners divides by other numbers, and serves no rounding here.
  std::vector<double> scale;
  std::vector<Int> size;
  for (int i = 1; i < 3; ++i) {
    scale.push_back(x.shape[i] % 2 == 0 && random(0, 2) == 0 ? 0.5 : static_cast<double>(random.of({1, 2, 4})));
    size.push_back(static_cast<Int>(scale.back() * static_cast<double>(x.shape[i])));
  }
  const bool corners = coordinates == "align_corners" && function != "nearest";
  c.d.attributes["function"] = function;
  c.d.attributes["coordinates"] = std::string(corners ? coordinates : coordinates == "align_corners" ? "asymmetric" : coordinates);
  c.d.attributes["rounding"] = rounding;
  c.d.attributes["size"] = size;
  c.d.attributes["scale"] = scale;
  c.wanted = Values({x.shape[0], size[0], size[1], x.shape[3]});
  for_each(c.wanted.shape, [&](const Dims& i) {
    const auto taps = [&](int axis) {
      const double k = static_cast<double>(i[axis]), s = scale[index(axis - 1)];
      const Int in = x.shape[axis], out = size[index(axis - 1)];
      double at = (k + 0.5) / s - 0.5;
      if (coordinates == "asymmetric" || coordinates == "align_corners") at = k / s;
      if (coordinates == "pytorch_half_pixel" && out == 1) at = 0;
      if (corners) at = out == 1 ? 0 : k * static_cast<double>(in - 1) / static_cast<double>(out - 1);
      return resize_taps(function, rounding, at, in);
    };
    double sum = 0;
    for (const auto& [row, row_weight] : taps(1)) {
      for (const auto& [column, weight] : taps(2)) {
        const Dims at{i[0], std::clamp<Int>(row, 0, x.shape[1] - 1), std::clamp<Int>(column, 0, x.shape[2] - 1), i[3]};
        sum += row_weight * weight * x.at(at);
      }
    }
    c.wanted.at(i) = sum;
  });
  return c;
}

}  // namespace dwsep::test
