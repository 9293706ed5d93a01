// Packed weights and layers as the steps of a network use them: unpacking is the exact inverse of packing, and layers that share one team
// and one scratch, with barriers between, give the bits of the same layers called one by one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/memory/buffer.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::runtime;
using dwsep::test::check;
using dwsep::test::in_child_if;
using Floats = std::vector<float>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Floats random_floats(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  Floats v(at(count));
  for (float& f : v) f = static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F;
  return v;
}

bool same_bits(const float* a, const float* b, std::size_t count) { return std::memcmp(a, b, count * sizeof(float)) == 0; }
bool same_bits(const Floats& a, const Floats& b) { return a.size() == b.size() && same_bits(a.data(), b.data(), a.size()); }

void check_matrix(const PackedMatrix& p, const Floats& weights, const Floats& bias, const std::string& what) {
  const Unpacked u = unpack(p);
  check(same_bits(u.weights, weights) && same_bits(u.bias, bias), ("unpacked matrix: " + what).c_str());
}

/// Of the instruction set in use, and of others by their lanes: a file may come from one that this processor does not have.
void unpack_matrices() {
  for (const std::int64_t k : {1, 3, 16, 31}) {
    for (const std::int64_t columns : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49, 56, 63, 64, 65, 100}) {
      const Floats weights = random_floats(k * columns, 1), bias = random_floats(columns, 2);
      const std::string what = std::to_string(k) + " x " + std::to_string(columns);
      check_matrix(pack_matrix(weights.data(), columns, bias.data(), k, columns, active_kernels()), weights, bias, what);
      check_matrix(pack_matrix(weights.data(), columns, nullptr, k, columns, active_kernels()), weights, Floats(at(columns)), what);
      // Columns of a wider matrix, as those of one group are.
      const Floats wide = random_floats(k * 2 * columns, 3);
      Floats part;
      for (std::int64_t row = 0; row < k; ++row) {
        part.insert(part.end(), wide.begin() + row * 2 * columns, wide.begin() + row * 2 * columns + columns);
      }
      check_matrix(pack_matrix(wide.data(), 2 * columns, bias.data(), k, columns, active_kernels()), part, bias, what + ", a group's");
    }
  }
}

/// Every column of a layout has its place, and unpacking finds it, also in layouts of other instruction sets.
void unpack_foreign_matrices() {
  for (const int lanes : {4, 8, 16}) {
    for (const HalfPanel half : {HalfPanel::none, HalfPanel::narrow}) {
      for (std::int64_t columns = 1; columns <= 70; ++columns) {
        PackedMatrix p = matrix_layout(1, columns, lanes, half);
        const std::int64_t floats = p.weight_floats();
        const std::shared_ptr<float> weights = shared_array<float>(floats);
        // Where nothing is repeated, a matrix of one row is packed in the order of its columns.
        for (std::int64_t i = 0; i < floats; ++i) weights.get()[i] = static_cast<float>(i);
        p.weights = p.bias = weights;
        const Unpacked u = unpack(p);
        bool in_order = floats >= columns && floats < columns + 2 * lanes;
        for (std::int64_t i = 0; i < columns; ++i) in_order = in_order && u.weights[at(i)] == static_cast<float>(i);
        check(in_order, ("a layout of " + std::to_string(lanes) + " lanes, " + std::to_string(columns) + " columns").c_str());
      }
    }
  }
}

void unpack_filters() {
  for (const std::int64_t kh : {1, 3, 4}) {
    for (const std::int64_t kw : {1, 2, 5}) {
      for (const std::int64_t channels : {1, 3, 4, 7, 8, 15, 16, 17, 33, 65}) {
        for (const std::int64_t multiplier : {1, 2, 3}) {
          const Floats weights = random_floats(kh * kw * channels * multiplier, 4), bias = random_floats(channels * multiplier, 5);
          for (const int lanes : {4, 8, 16}) {
            const Unpacked u = unpack(pack({weights.data(), kh, kw, channels, multiplier, bias.data()}, lanes));
            check(same_bits(u.weights, weights) && same_bits(u.bias, bias), "unpacked filter");
          }
        }
      }
    }
  }
}

/// A chain of layers, made twice of the same weights: by the public constructors, and from packed weights.
struct Chain {
  std::vector<Layer> layers;
  std::vector<std::shared_ptr<const PackedLayer>> packed;
  std::vector<bool> residual;  ///< whether the layer gets one
  std::vector<Floats> memory;

  const float* floats(std::int64_t count) {
    memory.push_back(random_floats(count, static_cast<unsigned>(memory.size())));
    return memory.back().data();
  }
  PointwiseFilter pointwise(std::int64_t in, std::int64_t out) { return {floats(in * out), in, out, floats(out)}; }
  DepthwiseFilter depthwise(std::int64_t k, std::int64_t channels, std::int64_t multiplier) {
    return {floats(k * k * channels * multiplier), k, k, channels, multiplier, floats(channels * multiplier)};
  }
  void add(const Layer& layer, std::shared_ptr<const PackedLayer> same, bool with_residual) {
    layers.push_back(layer);
    packed.push_back(std::move(same));
    residual.push_back(with_residual);
  }
};

PackedMatrix packed(const PointwiseFilter& f) { return pack(f, active_kernels()); }
PackedDepthwise packed(const DepthwiseFilter& f) { return pack(f, active_kernels().lanes); }
/// The same through a file, as it were.
PackedMatrix repacked(const PointwiseFilter& f) {
  const Unpacked u = unpack(packed(f));
  return packed(PointwiseFilter{u.weights.data(), f.in, f.out, u.bias.data()});
}

void add_inverted_residual(Chain& chain, std::int64_t in, std::int64_t expanded, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                           std::int64_t multiplier, bool with_excite, bool with_residual) {
  const Activation a = Activation::relu(), none = Activation::none(), sigmoid{ActivationKind::hard_sigmoid};
  const std::int64_t middle = expanded * multiplier, reduced = 9;
  const PointwiseFilter e = chain.pointwise(in, expanded), p = chain.pointwise(middle, out);
  const DepthwiseFilter d = chain.depthwise(kernel, expanded, multiplier);
  const SqueezeExcite s{chain.pointwise(middle, reduced), chain.pointwise(reduced, middle), a, sigmoid};
  std::optional<PackedSqueezeExcite> squeeze_excite;
  if (with_excite) squeeze_excite = PackedSqueezeExcite{packed(s.reduce_filter), packed(s.excite_filter), a, sigmoid};
  const ConvOptions o{stride, stride, 1, 1, {}};
  chain.add(InvertedResidual(e, d, p, o, a, a, none, with_excite ? &s : nullptr),
            make_block({repacked(e), packed(d), squeeze_excite, packed(p), o, a, a, none}), with_residual);
}

Chain make_chain() {
  Chain c;
  const Activation relu = Activation::relu(), swish{ActivationKind::hard_swish};
  const ConvOptions s2{2, 2, 1, 1, {}};
  const float *const stem_weights = c.floats(3 * 3 * 3 * 24), *const stem_bias = c.floats(24);
  const StandardFilter stem{stem_weights, 3, 3, 3, 24, 1, stem_bias};
  c.add(Conv2D(stem, s2, swish),
        make_standard({pack_matrix(stem_weights, 24, stem_bias, 27, 24, active_kernels())}, 3, 3, 3, 24, s2, swish), false);
  const DepthwiseFilter d = c.depthwise(3, 24, 1);
  c.add(DepthwiseConv2D(d, {}, relu), make_depthwise(packed(d), {}, relu), true);
  const StandardFilter each{d.weight, 3, 3, 24, 24, 24, d.bias};
  c.add(Conv2D(each, {}, relu), make_depthwise(packed(d), {}, relu), true);
  const DepthwiseFilter sd = c.depthwise(5, 24, 2);
  const PointwiseFilter sp = c.pointwise(48, 40);
  c.add(SeparableConv2D(sd, sp, {}, relu, swish), make_block({std::nullopt, packed(sd), std::nullopt, packed(sp), {}, {}, relu, swish}),
        true);
  add_inverted_residual(c, 40, 72, 40, 3, 1, 1, false, true);   // by rows
  add_inverted_residual(c, 40, 120, 48, 5, 2, 1, true, false);  // squeeze-excite by rows
  add_inverted_residual(c, 48, 33, 48, 3, 1, 2, false, true);   // a multiplier
  add_inverted_residual(c, 48, 384, 72, 3, 2, 1, false, false);
  add_inverted_residual(c, 72, 576, 72, 5, 1, 1, true, true);  // by channels, if with squeeze-excite or alone
  add_inverted_residual(c, 72, 576, 72, 3, 1, 1, false, true);
  const DepthwiseFilter td = c.depthwise(3, 72, 1);
  const PointwiseFilter tp = c.pointwise(72, 600), last = c.pointwise(600, 130);
  c.add(SeparableConv2D(td, tp, s2, relu, relu), make_block({std::nullopt, packed(td), std::nullopt, packed(tp), s2, {}, relu, relu}),
        false);
  c.add(PointwiseConv2D(last, swish), make_pointwise(packed(last), swish), true);
  return c;
}

/// Weights for vectors of another length would be read wrongly.
void foreign_weights_are_refused() {
  const Floats w(64, 1.0F);
  const int other = active_kernels().lanes == 8 ? 4 : 8;
  const auto refused = [](const auto& make) {
    try {
      make();
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  check(refused([&] { make_depthwise(pack({w.data(), 3, 3, 4, 1, nullptr}, other), {}, Activation::none()); }), "a foreign filter");
  check(refused([&] { make_pointwise(matrix_layout(4, 4, other, HalfPanel::none), Activation::none()); }), "a foreign matrix");
  check(refused([&] { make_standard({matrix_layout(4, 4, other, HalfPanel::none)}, 1, 1, 4, 4, {}, Activation::none()); }),
        "a foreign group");
  const PackedMatrix p = packed(PointwiseFilter{w.data(), 4, 4, nullptr});
  check(refused([&] { make_standard({p}, 3, 3, 4, 4, {}, Activation::none()); }), "a group of another size");
  check(refused([&] { make_standard({}, 1, 1, 4, 4, {}, Activation::none()); }), "no group");
}

constexpr std::byte kCanary{0xA5};
constexpr std::int64_t kCanaries = 256;

/// All layers in one region, each with scratch that ends where memory does. `promised` is how many threads scratch was asked for; the team
/// may be smaller.
std::vector<Floats> in_one_region(const Chain& c, const Floats& x, const std::vector<Shape>& shapes, const std::vector<Floats>& residuals,
                                  int threads, int promised) {
  std::int64_t bytes = 0;
  std::vector<Floats> y;
  for (std::size_t i = 0; i < c.packed.size(); ++i) {
    bytes = std::max(bytes, c.packed[i]->scratch_bytes(shapes[i], promised));
    const Shape& s = shapes[i + 1];
    y.emplace_back(at(s.n * s.h * s.w * s.c));
  }
  const AlignedMemory scratch = aligned_memory(bytes + kCanaries);
  std::fill_n(scratch.get(), bytes + kCanaries, kCanary);
  int size = 0;
  parallel(threads, [&](Team& team) {
    if (team.rank() == 0) size = team.size();
    for (std::size_t i = 0; i < c.packed.size(); ++i) {
      const ConstTensor residual = dense(residuals[i].data(), shapes[i + 1]);
      c.packed[i]->run(team, dense(i == 0 ? x.data() : y[i - 1].data(), shapes[i]), dense(y[i].data(), shapes[i + 1]),
                       c.residual[i] ? &residual : nullptr,
                       Scratch(scratch.get() + (bytes - c.packed[i]->scratch_bytes(shapes[i], promised)) / kLineBytes * kLineBytes));
      team.barrier();
    }
  });
  check(size == threads, "a team of the size asked for");
  check(std::all_of(scratch.get() + bytes, scratch.get() + bytes + kCanaries, [](std::byte b) { return b == kCanary; }),
        "nothing behind scratch is written");
  return y;
}

void layers_in_a_team(std::int64_t images) {
  const Chain c = make_chain();
  std::vector<Shape> shapes{{images, 75, 61, 3}};
  const Floats x = random_floats(images * 75 * 61 * 3, 100);
  std::vector<Floats> wanted, residuals;
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    const Shape s = c.layers[i].output_shape(shapes[i]);
    shapes.push_back(s);
    residuals.push_back(random_floats(s.n * s.h * s.w * s.c, 200));
    const ConstTensor residual = dense(residuals[i].data(), s);
    Floats y(at(s.n * s.h * s.w * s.c));
    c.layers[i](dense(i == 0 ? x.data() : wanted[i - 1].data(), shapes[i]), dense(y.data(), s), c.residual[i] ? &residual : nullptr, 1);
    wanted.push_back(std::move(y));
  }
  const auto same = [&](const std::vector<Floats>& y, const char* what) {
    for (std::size_t i = 0; i < y.size(); ++i) check(same_bits(y[i], wanted[i]), (what + (" at layer " + std::to_string(i))).c_str());
  };
  for (const int threads : {1, 2, 3, 7}) {
    same(in_one_region(c, x, shapes, residuals, threads, threads), "a team");
    same(in_one_region(c, x, shapes, residuals, threads, 8), "a team smaller than scratch allows");
  }
}

}  // namespace

int main() {
  // The instruction set is chosen once in a process: each has a child.
  for (const std::string& name : isas()) {
    const bool passed = in_child_if(isas().size() > 1, [&] {
      setenv("DWSEP_ISA", name.c_str(), 1);
      unpack_matrices();
      unpack_foreign_matrices();
      unpack_filters();
      foreign_weights_are_refused();
      for (const std::int64_t images : {1, 3}) layers_in_a_team(images);
      return isa() == name;
    });
    check(passed, name.c_str());
  }
  return dwsep::test::summary("packed layers");
}
