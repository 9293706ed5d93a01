// Random cases of every op except convolutions, with the results of scalar loops in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "arrays.hpp"

namespace dwsep::test {

struct Case {
  runtime::Description d;
  std::vector<Values> inputs;
  Values wanted;
  double tolerance = 0;  ///< relative, absolute below 1; 0 where the result is exact
};

inline Dims draw_shape(Random& random, int least_rank = 0, int most_rank = 5) {
  Dims shape;
  const Int rank = random(least_rank, most_rank);
  for (Int i = 0; i < rank; ++i) shape.push_back(random(0, 3) == 0 ? random.of({1, 1, 15, 16, 17, 33}) : random(1, 6));
  return shape;
}
inline Dims draw_image(Random& random) {
  return {random(1, 2), random(1, 9), random(1, 9), random(0, 2) == 0 ? random.of({1, 15, 16, 17, 64, 65, 100}) : random(1, 8)};
}

/// Values, sometimes with NaN and infinities.
inline Values draw(Random& random, const Dims& shape, float most = 4.0F, bool wild = false) {
  Values values(shape);
  constexpr double kWild[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(), -0.0};
  wild = wild && random(0, 3) == 0;
  for (double& v : values.v) v = wild && random(0, 9) == 0 ? kWild[random(0, 3)] : static_cast<double>(random.real(most));
  return values;
}
inline Values draw_whole(Random& random, const Dims& shape) {
  Values values(shape);
  for (double& v : values.v) v = static_cast<double>(random(-4, 4));
  return values;
}

/// Elements of `x` chosen by a function of the output's indices; none (-1 as the first index) gives `other`.
inline Values chosen(Values& x, const Dims& shape, const std::function<Dims(const Dims&)>& from, double other = 0.0) {
  Values y(shape);
  for_each(shape, [&](const Dims& i) {
    const Dims at = from(i);
    y.at(i) = std::any_of(at.begin(), at.end(), [](Int k) { return k < 0; }) ? other : x.at(at);
  });
  return y;
}

inline Dims with(Dims d, int axis, Int value) {
  d[axis] = value;
  return d;
}
inline Dims broadcast_index(const Dims& i, const Dims& shape) {
  Dims at = shape;
  for (int k = 0; k < shape.rank(); ++k) at[k] = shape[k] == 1 ? 0 : i[k + i.rank() - shape.rank()];
  return at;
}

inline double passing_max(double a, double b) { return std::isnan(a) || a > b ? a : b; }
inline double passing_min(double a, double b) { return std::isnan(a) || a < b ? a : b; }

inline void draw_activation(Random& random, runtime::Description& d, std::function<double(double)>& f) {
  const char* const name =
      random.word({"none", "clip", "clip", "leaky_relu", "hard_swish", "hard_sigmoid", "sigmoid", "silu", "tanh", "gelu"});
  f = [](double x) { return x; };
  const std::string word = name;
  if (word == "none") return;
  d.attributes["activation"] = word;
  if (word == "clip") {
    d.attributes["activation_lo"] = std::vector<double>{-1.0};
    d.attributes["activation_hi"] = std::vector<double>{2.5};
    f = [](double x) { return x < -1.0 ? -1.0 : x > 2.5 ? 2.5 : x; };
  }
  if (word == "leaky_relu") {
    d.attributes["activation_lo"] = std::vector<double>{0.25};
    f = [](double x) { return x < 0 ? 0.25 * x : x; };
  }
  if (word == "hard_swish") f = [](double x) { return x <= -3 ? 0.0 : x * std::min(x / 6 + 0.5, 1.0); };
  if (word == "hard_sigmoid") f = [](double x) { return x <= -3 ? 0.0 : x >= 3 ? 1.0 : x / 6 + 0.5; };
  if (word == "sigmoid") f = [](double x) { return 1 / (1 + std::exp(-x)); };
  if (word == "silu") f = [](double x) { return std::isinf(x) && x < 0 ? 0.0 : x / (1 + std::exp(-x)); };
  if (word == "tanh") f = [](double x) { return std::tanh(x); };
  if (word == "gelu") f = [](double x) { return std::isinf(x) && x < 0 ? 0.0 : x * std::erfc(-x / std::sqrt(2.0)) / 2; };
}

inline Case activation_case(Random& random) {
  Case c{describe("activation"), {draw(random, draw_shape(random), 8.0F, true)}, {}, 4e-6};
  std::function<double(double)> f;
  draw_activation(random, c.d, f);
  c.wanted = c.inputs[0];
  for (double& v : c.wanted.v) v = f(v);
  return c;
}

inline Case unary_case(Random& random) {
  const std::pair<const char*, double (*)(double)> functions[] = {
      {"exp", [](double x) { return std::exp(x); }},
      {"log", [](double x) { return std::log(x); }},
      {"sqrt", [](double x) { return std::sqrt(x); }},
      {"neg", [](double x) { return -x; }},
      {"abs", [](double x) { return std::abs(x); }},
      {"erf", [](double x) { return std::erf(x); }},
      {"reciprocal", [](double x) { return 1 / x; }},
      {"floor", [](double x) { return std::floor(x); }},
      {"ceil", [](double x) { return std::ceil(x); }},
      {"round", [](double x) { return std::nearbyint(x); }},
      {"softplus", [](double x) { return x > 30 ? x : std::log1p(std::exp(x)); }},
      {"sin", [](double x) { return std::sin(x); }},
      {"cos", [](double x) { return std::cos(x); }},
      {"sign", [](double x) { return x > 0   ? 1.0
                                     : x < 0 ? -1.0
                                             : x; }},
      {"selu", [](double x) { return 1.0507010221481323 * (x < 0 ? 1.6732631921768188 * std::expm1(x) : x); }},
      {"mish", [](double x) { return std::isinf(x) ? std::fmax(x, 0.0) : x * std::tanh(std::log1p(std::exp(x))); }},
      {"softsign", [](double x) { return x / (1 + std::abs(x)); }},
      {"gelu_tanh",
       [](double x) { return std::isinf(x) ? std::fmax(x, 0.0) : x / (1 + std::exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); }},
  };
  const auto& [name, f] = functions[random(0, 17)];
  Case c{describe("unary"), {draw(random, draw_shape(random), 8.0F, true)}, {}, 1e-6};
  c.d.attributes["function"] = std::string(name);
  c.wanted = c.inputs[0];
  for (double& v : c.wanted.v) v = f(static_cast<double>(static_cast<float>(v)));
  return c;
}

inline Case binary_case(Random& random) {
  const std::pair<const char*, double (*)(double, double)> functions[] = {
      {"add", [](double a, double b) { return a + b; }},
      {"sub", [](double a, double b) { return a - b; }},
      {"mul", [](double a, double b) { return a * b; }},
      {"div", [](double a, double b) { return a / b; }},
      {"min", passing_min},
      {"max", passing_max},
      {"pow", [](double a, double b) { return std::pow(a, b); }},
      {"prelu", [](double a, double b) { return a < 0 ? a * b : a; }},
  };
  const auto& drawn = functions[random(0, 7)];
  const auto& name = drawn.first;
  const auto& f = drawn.second;
  const Dims shape = draw_shape(random);
  const auto part = [&] {
    Dims d;
    const int dropped = static_cast<int>(random(0, 2) == 0 ? random(0, shape.rank()) : 0);
    for (int i = dropped; i < shape.rank(); ++i) d.push_back(random(0, 3) == 0 ? 1 : shape[i]);
    return d;
  };
  Dims a = shape, b = shape;
  if (random(0, 1) == 0) b = part();
  if (random(0, 3) == 0) std::swap(a, b);
  Case c{describe("binary"), {draw(random, a, 4.0F, true), draw(random, b, 4.0F, true)}, Values(shape), 1e-5};
  c.d.attributes["function"] = std::string(name);
  std::function<double(double)> activation;
  draw_activation(random, c.d, activation);
  for_each(shape, [&](const Dims& i) {
    const auto value = [&](std::size_t k) {
      return static_cast<double>(static_cast<float>(c.inputs[k].at(broadcast_index(i, c.inputs[k].shape))));
    };
    c.wanted.at(i) = activation(f(value(0), value(1)));
  });
  return c;
}

inline Case reduce_case(Random& random) {
  const std::string function = random.word({"mean", "sum", "max", "min"});
  const bool extreme = function == "max" || function == "min", keep = random(0, 1) == 0;
  Case c{describe("reduce"), {draw(random, draw_shape(random), 2.0F, extreme)}, {}, 1e-5};
  Values& x = c.inputs[0];
  std::vector<Int> axes;
  Dims kept, shape;
  for (int i = 0; i < x.shape.rank(); ++i) {
    const bool reduced = random(0, 1) == 0;
    if (reduced) axes.push_back(random(0, 1) == 0 ? i : i - x.shape.rank());
    kept.push_back(reduced ? 1 : x.shape[i]);
    if (!reduced || keep) shape.push_back(kept[i]);
  }
  c.d.attributes["function"] = function;
  c.d.attributes["axes"] = axes;
  c.d.attributes["keepdims"] = std::vector<Int>{keep ? 1 : 0};
  const double inf = std::numeric_limits<double>::infinity();
  c.wanted = Values(kept, function == "max" ? -inf : function == "min" ? inf : 0.0);
  for_each(x.shape, [&](const Dims& i) {
    double& y = c.wanted.at(broadcast_index(i, kept));
    const double v = x.at(i);
    y = function == "max" ? passing_max(y, v) : function == "min" ? passing_min(y, v) : y + v;
  });
  const double count = static_cast<double>(x.shape.count()) / static_cast<double>(kept.count());
  if (function == "mean") {
    for (double& v : c.wanted.v) v /= count;
  }
  c.wanted.shape = shape;
  return c;
}

inline Case softmax_case(Random& random) {
  Case c{describe("softmax"), {draw(random, draw_shape(random, 1), 20.0F)}, {}, 5e-6};
  Values& x = c.inputs[0];
  const int axis = static_cast<int>(random(0, x.shape.rank() - 1));
  const bool log = random(0, 1) == 0;
  // Some values are -inf, never all.
  for_each(x.shape, [&](const Dims& i) {
    x.at(i) =
        i[axis] > 0 && random(0, 20) == 0 ? -std::numeric_limits<double>::infinity() : static_cast<double>(static_cast<float>(x.at(i)));
  });
  c.d.attributes["axis"] = std::vector<Int>{random(0, 1) == 0 ? axis : axis - x.shape.rank()};
  c.d.attributes["log"] = std::vector<Int>{log ? 1 : 0};
  Values sums(with(x.shape, axis, 1));
  for_each(x.shape, [&](const Dims& i) { sums.at(with(i, axis, 0)) += std::exp(x.at(i)); });
  c.wanted = x;
  for_each(x.shape, [&](const Dims& i) {
    const double sum = sums.at(with(i, axis, 0));
    c.wanted.at(i) = log ? x.at(i) - std::log(sum) : std::exp(x.at(i)) / sum;
  });
  return c;
}

inline Case layer_norm_case(Random& random) {
  Dims shape = draw_shape(random, 1);
  shape[shape.rank() - 1] += 7;  // few values may be nearly equal, and their differences inexact
  Case c{describe("layer_norm"), {draw(random, shape)}, Values(shape), 2e-5};
  Values &x = c.inputs[0], scale = draw(random, {shape.back()}), shift = draw(random, {shape.back()});
  c.d.attributes["epsilon"] = std::vector<double>{1e-3};
  c.d.weights["scale"] = weights(scale);
  c.d.weights["shift"] = weights(shift);
  const int last = shape.rank() - 1;
  for_each(with(shape, last, 1), [&](const Dims& row) {
    double mean = 0, variance = 0;
    for (Int k = 0; k < shape.back(); ++k) mean += x.at(with(row, last, k));
    mean /= static_cast<double>(shape.back());
    for (Int k = 0; k < shape.back(); ++k) variance += std::pow(x.at(with(row, last, k)) - mean, 2);
    variance /= static_cast<double>(shape.back());
    for (Int k = 0; k < shape.back(); ++k) {
      c.wanted.at(with(row, last, k)) = (x.at(with(row, last, k)) - mean) / std::sqrt(variance + 1e-3) * scale.at({k}) + shift.at({k});
    }
  });
  return c;
}

inline Case matmul_case(Random& random) {
  Dims batch = draw_shape(random, 0, 3), a, b;
  for (int i = 0; i < batch.rank(); ++i) batch[i] = std::min<Int>(batch[i], 4);
  const Int m = random(1, 20), k = random(1, 40), n = random(0, 2) == 0 ? random(1, 100) : random.of({1, 8, 16, 17, 33});
  for (int i = 0; i < batch.rank(); ++i) a.push_back(random(0, 3) == 0 ? 1 : batch[i]);
  for (int i = static_cast<int>(random(0, batch.rank())); i < batch.rank(); ++i) b.push_back(random(0, 3) == 0 ? 1 : batch[i]);
  const bool row = random(0, 7) == 0, column = random(0, 7) == 0;
  if (row) a = {};
  if (column) b = {};
  Dims shape;
  const int axes = std::max(a.rank(), b.rank());
  for (int i = 0; i < axes; ++i) {
    const int p = i - (axes - a.rank()), q = i - (axes - b.rank());
    shape.push_back(std::max(p < 0 ? 1 : a[p], q < 0 ? 1 : b[q]));
  }
  const Dims batch_a = a, batch_b = b, batch_y = shape;
  if (!row) a.push_back(m), shape.push_back(m);
  a.push_back(k);
  b.push_back(k);
  if (!column) b.push_back(n), shape.push_back(n);
  Case c{describe("matmul"), {draw_whole(random, a), draw_whole(random, b)}, Values(shape), 0};
  for_each(shape, [&](const Dims& i) {
    Dims at;
    for (int p = 0; p < batch_y.rank(); ++p) at.push_back(i[p]);
    double sum = 0;
    for (Int p = 0; p < k; ++p) {
      Dims in_a = broadcast_index(at, batch_a), in_b = broadcast_index(at, batch_b);
      if (!row) in_a.push_back(i[batch_y.rank()]);
      in_a.push_back(p);
      in_b.push_back(p);
      if (!column) in_b.push_back(i.back());
      sum += c.inputs[0].at(in_a) * c.inputs[1].at(in_b);
    }
    c.wanted.at(i) = sum;
  });
  return c;
}

}  // namespace dwsep::test
