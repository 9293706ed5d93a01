// Every operator on random shapes, views and options against scalar loops in double. Values are small integers, so all sums are exact and
// so must the results be; nothing around them may change. `test_operators [seed [count]]`: case i is drawn from seed + i alone, and is the
// same with every compiler.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"
#include "plain_convolution.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::test;

constexpr Int kHuge = std::numeric_limits<std::int32_t>::max();

Int draw_channels(Random& random) { return random(0, 3) == 0 ? random(1, 100) : random.of({1, 2, 3, 4, 7, 8, 15, 16, 17, 24, 31, 32, 33}); }

ConvOptions draw_options(Random& random) {
  ConvOptions o;
  const bool hostile = random(0, 15) == 0;
  const auto size = [&](Int most) { return hostile && random(0, 2) == 0 ? kHuge - random(0, 1) : random(0, 2) == 0 ? random(1, most) : 1; };
  o.stride_h = o.stride_w = size(3);
  o.dilation_h = o.dilation_w = size(3);
  if (random(0, 3) == 0) o.stride_w = size(5), o.dilation_w = size(9);
  o.padding.mode = static_cast<Padding::Mode>(random(0, 3));
  for (Int* p : {&o.padding.top, &o.padding.bottom, &o.padding.left, &o.padding.right}) *p = size(9) - 1;
  return o;
}

Activation draw_activation(Random& random, bool last) {
  // Exact ones between stages: a quarter takes two bits more.
  if (last && random(0, 7) == 0) return {static_cast<ActivationKind>(random(2, 7)), 0.0F, 0.0F};
  if (random(0, 3) == 0) return {ActivationKind::leaky_relu, 0.25F, 0.0F};
  return random(0, 1) == 0 ? Activation::none() : random(0, 1) == 0 ? Activation::relu() : Activation::clip(-3.0F, 60.0F);
}

enum Family : Int { depthwise, pointwise, separable, inverted_residual, standard };

std::vector<Stage> draw_stages(Random& random, Family family) {
  std::vector<Stage> stages;
  Int channels = draw_channels(random);
  const auto add = [&](Int kh, Int kw, Int out, Int groups, const ConvOptions& o) {
    stages.push_back({kh, kw, channels, out, groups, o, {}, {}, {}});
    channels = out;
  };
  const Int taps = random.of({1, 2, 3, 3, 3, 5, 5, 7});
  const Int kh = random(0, 5) == 0 ? random(1, 8) : taps, kw = random(0, 5) == 0 ? random(1, 8) : taps;
  const Int groups = family == standard && random(0, 1) == 0 ? random(1, 9) : 1;
  if (family == pointwise || family == inverted_residual) add(1, 1, draw_channels(random), 1, {});
  if (family == standard) {
    channels *= groups;
    const Int out = draw_channels(random) * groups;
    add(kh, kw, out, groups, draw_options(random));
  } else if (family != pointwise) {
    const Int multiplier = random(0, 3) == 0 ? random(1, 5) : 1;
    add(kh, kw, channels * multiplier, channels, draw_options(random));
  }
  if (family == separable || family == inverted_residual) add(1, 1, draw_channels(random), 1, {});
  for (Stage& s : stages) s.activation = draw_activation(random, &s == &stages.back());
  return stages;
}

/// The layer, made of copies of weights that then die.
Layer make(Family family, std::vector<Stage> s) {
  const auto wise = [](const Stage& p) { return PointwiseFilter{p.weights.data(), p.in, p.out, p.bias_or_null()}; };
  const auto depth = [](const Stage& d) { return DepthwiseFilter{d.weights.data(), d.kh, d.kw, d.in, d.out / d.in, d.bias_or_null()}; };
  const Stage& a = s.front();
  switch (family) {
    case depthwise:
      return DepthwiseConv2D(depth(a), a.o, a.activation);
    case pointwise:
      return PointwiseConv2D(wise(a), a.activation);
    case separable:
      return SeparableConv2D(depth(a), wise(s[1]), a.o, a.activation, s[1].activation);
    case inverted_residual:
      return InvertedResidual(wise(a), depth(s[1]), wise(s[2]), s[1].o, a.activation, s[1].activation, s[2].activation);
    case standard:
      break;
  }
  return Conv2D({a.weights.data(), a.kh, a.kw, a.in, a.out, a.groups, a.bias_or_null()}, a.o, a.activation);
}

std::string text(Family family, const std::vector<Stage>& stages, const Shape& x) {
  std::string s = std::to_string(family) + " x " + std::to_string(x.n) + " " + std::to_string(x.h) + " " + std::to_string(x.w);
  for (const Stage& t : stages) {
    s += "; " + std::to_string(t.kh) + "x" + std::to_string(t.kw) + " " + std::to_string(t.in) + "->" + std::to_string(t.out);
    s += " groups " + std::to_string(t.groups) + " padding " + std::to_string(static_cast<int>(t.o.padding.mode));
    for (const Int v : {t.o.stride_h, t.o.stride_w, t.o.dilation_h, t.o.dilation_w}) s += " " + std::to_string(v);
    s += " activation " + std::to_string(static_cast<int>(t.activation.kind));
  }
  return s;
}

/// Whether a result is what it must be, and all that lies between its pixels is untouched.
bool right(Array& y, Values& wanted, bool exact) {
  bool all = true;
  for_each(wanted.s, [&](Int n, Int h, Int w, Int c) {
    float& got = y.at(n, h, w, c);
    const double error = std::abs(got - wanted.at(n, h, w, c));
    all = all && error <= (exact ? 0.0 : 2e-6 * std::max(1.0, std::abs(wanted.at(n, h, w, c))));
    got = kUntouched;
  });
  return all && std::all_of(y.memory.begin(), y.memory.end(), [](float v) { return v == kUntouched; });
}

void one_case(std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  const auto family = static_cast<Family>(random(0, 4));
  const double most_work = random(0, 63) == 0 ? 2e7 : 5e5;
  std::vector<Stage> stages;
  Shape x, y;
  bool fits = true;
  const auto work = [&] {
    double sum = 0;
    y = x;
    for (const Stage& s : stages) {
      const Shape out = s.output(y);
      fits = out.h >= 0 && out.w >= 0;
      y = {x.n, std::max<Int>(out.h, 0), std::max<Int>(out.w, 0), out.c};
      sum += s.work() * static_cast<double>(x.n) * static_cast<double>(y.h) * static_cast<double>(y.w);
      if (!fits) break;
    }
    return sum;
  };
  do {
    stages = draw_stages(random, family);
    const auto size = [&] { return random(0, 40) == 0 ? random(0, 3000) : random(0, 30) == 0 ? 0 : random(1, 20); };
    x = {random(0, 2) == 0 ? random(0, 5) : 1, size(), size(), stages.front().in};
  } while (work() > most_work || std::max(y.h, y.w) > 1 << 20);

  for (Stage& s : stages) {
    s.weights = random.integers(s.kh * s.kw * (s.in / s.groups) * s.out, 1);
    if (random(0, 1) == 0) s.bias = random.integers(s.out, 5);
  }
  const Layer layer = make(family, stages);
  Array input(random, x);
  Values values(x);
  for_each(x, [&](Int n, Int h, Int w, Int c) { values.at(n, h, w, c) = input.at(n, h, w, c) = static_cast<float>(random(-2, 2)); });
  Array output(random, y);
  if (!fits) {
    bool thrown = false;
    try {
      layer(input.t, output.t);
    } catch (const std::invalid_argument&) {
      thrown = true;
    }
    return check(thrown, ("a filter that does not fit is refused, seed " + std::to_string(seed)).c_str());
  }
  std::optional<Array> residual;
  if (random(0, 1) == 0) {
    residual.emplace(random, y);
    for_each(y, [&](Int n, Int h, Int w, Int c) { residual->at(n, h, w, c) = static_cast<float>(random(-5, 5)); });
  }
  for (const Stage& s : stages) values = s(values, residual && &s == &stages.back() ? &*residual : nullptr);
  const ActivationKind last = stages.back().activation.kind;
  const bool exact = last == ActivationKind::clip || last == ActivationKind::leaky_relu;
  const ConstTensor add = residual ? residual->t : ConstTensor();
  for (const int threads : {1, 2, 3, 16}) {
    layer(input.t, output.t, residual ? &add : nullptr, threads);
    const std::string what = "seed " + std::to_string(seed) + ", " + std::to_string(threads) + " threads: " + text(family, stages, x);
    check(right(output, values, exact), what.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1,
                      count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2000;
  for (std::uint64_t i = 0; i < count; ++i) one_case(seed + i);
  return dwsep::test::summary(("operators on " + isa()).c_str());
}
