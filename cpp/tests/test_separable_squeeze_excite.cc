// The separable convolution with squeeze-excite: the bits of a layer for each step, for every number of threads, batch and view, on the
// instruction set in use.
#include <algorithm>
#include <cstring>
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
using Floats = std::vector<float>;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Floats random_floats(std::int64_t count, unsigned seed, float scale = 1.0F) {
  std::mt19937 generator(seed);
  Floats v(at(count));
  for (float& f : v) f = scale * (static_cast<float>(generator() >> 8) / 8388608.0F - 1.0F);
  return v;
}

struct Case {
  const char* name;
  std::int64_t height, width, in, reduced, out, kernel, stride, dilation = 1, multiplier = 1;
  bool residual = false;
};

const Case kCases[] = {
    {"EfficientNet 112x112 32-16 k3", 112, 112, 32, 8, 16, 3, 1},
    {"MobileNetV3 112x112 16-16 k3 s2", 112, 112, 16, 8, 16, 3, 2},
    {"7x7 320-200 k5, few pixels", 7, 7, 320, 20, 200, 5, 1, 1, 1, true},
    {"one pixel 1x1 48-96 k3", 1, 1, 48, 12, 96, 3, 1, 1, 1, true},
    {"odd 29x23 17-5 k3 s2", 29, 23, 17, 3, 5, 3, 2},
    {"odd 20x31 65-3 k7", 20, 31, 65, 9, 3, 7, 1, 1, 1, true},
    {"generic 15x40 49-13 k4", 15, 40, 49, 7, 13, 4, 1},
    {"dilated 17x17 40-8 k3", 17, 17, 40, 10, 8, 3, 1, 2, 1, true},
    {"multiplier 2, 13x13 18-7 k3 s2", 13, 13, 18, 4, 7, 3, 2, 1, 2},
};
const Activation kInner{ActivationKind::silu}, kReduced = Activation::relu(), kExcite{ActivationKind::sigmoid},
                                               kLast{ActivationKind::hard_swish};

struct Problem {
  const Case& k;
  Shape in, middle, out;
  Floats x, residual, filters, reduce, excite, project, bias;

  Problem(const Case& c, std::int64_t images) : k(c), in{images, c.height, c.width, c.in} {
    const std::int64_t h = (c.height + c.stride - 1) / c.stride, w = (c.width + c.stride - 1) / c.stride, m = c.in * c.multiplier;
    middle = {images, h, w, m};
    out = {images, h, w, c.out};
    x = random_floats(images * c.height * c.width * c.in, 1);
    residual = random_floats(images * h * w * c.out, 2);
    filters = random_floats(c.kernel * c.kernel * m, 3);
    reduce = random_floats(m * c.reduced, 4, 0.5F);
    excite = random_floats(c.reduced * m, 5, 0.5F);
    project = random_floats(m * c.out, 6, 0.5F);
    bias = random_floats(std::max({m, c.reduced, c.out}), 7);
  }
  ConvOptions options() const { return {k.stride, k.stride, k.dilation, k.dilation, {}}; }
  DepthwiseFilter filter() const { return {filters.data(), k.kernel, k.kernel, k.in, k.multiplier, bias.data()}; }
  PointwiseFilter dense_layer(const Floats& w, std::int64_t taken, std::int64_t made) const { return {w.data(), taken, made, bias.data()}; }
};

PackedMatrix packed(const PointwiseFilter& f) { return pack(f, active_kernels()); }

std::shared_ptr<const PackedLayer> layer_of(const Problem& p) {
  const std::int64_t m = p.middle.c;
  const PackedSqueezeExcite squeeze_excite{packed(p.dense_layer(p.reduce, m, p.k.reduced)), packed(p.dense_layer(p.excite, p.k.reduced, m)),
                                           kReduced, kExcite};
  return make_block({std::nullopt,
                     pack(p.filter(), active_kernels().lanes),
                     squeeze_excite,
                     packed(p.dense_layer(p.project, m, p.k.out)),
                     p.options(),
                     {},
                     kInner,
                     kLast});
}

/// A layer for each step.
Floats in_steps(const Problem& p) {
  const auto run = [](const Layer& layer, const Floats& x, const Shape& from, const Shape& to, const Floats* residual = nullptr) {
    Floats y(at(to.n * to.h * to.w * to.c));
    ConstTensor r;
    if (residual != nullptr) r = dense(residual->data(), to);
    layer(dense(x.data(), from), dense(y.data(), to), residual == nullptr ? nullptr : &r, 1);
    return y;
  };
  const std::int64_t m = p.middle.c, pixels = p.middle.h * p.middle.w;
  Floats d = run(DepthwiseConv2D(p.filter(), p.options(), kInner), p.x, p.in, p.middle), mean(at(p.in.n * m));
  for (std::int64_t i = 0; i < p.in.n * m; ++i) {
    float sum = 0;
    for (std::int64_t row = 0; row < p.middle.h; ++row) {
      float of_row = 0;
      for (std::int64_t column = 0; column < p.middle.w; ++column) {
        of_row += d[at((i / m * pixels + row * p.middle.w + column) * m + i % m)];
      }
      sum += of_row;
    }
    mean[at(i)] = sum / static_cast<float>(pixels);
  }
  const Shape means{p.in.n, 1, 1, m}, reduced{p.in.n, 1, 1, p.k.reduced};
  const Floats r = run(PointwiseConv2D(p.dense_layer(p.reduce, m, p.k.reduced), kReduced), mean, means, reduced);
  const Floats g = run(PointwiseConv2D(p.dense_layer(p.excite, p.k.reduced, m), kExcite), r, reduced, means);
  for (std::size_t i = 0; i < d.size(); ++i) d[i] *= g[i / at(pixels * m) * at(m) + i % at(m)];
  return run(PointwiseConv2D(p.dense_layer(p.project, m, p.k.out), kLast), d, p.middle, p.out, p.k.residual ? &p.residual : nullptr);
}

/// In one call, into a view with `gap` floats behind pixels, rows and images that must stay as they are; without the gaps again.
Floats at_once(const Problem& p, const PackedLayer& layer, int threads, std::int64_t gap) {
  constexpr float kCanary = -77.0F;
  constexpr std::int64_t kUnusedBytes = 256;
  const Shape& s = p.out;
  const std::int64_t pixel = s.c + gap, row = s.w * pixel + gap, image = s.h * row + gap;
  Floats view(at(s.n * image), kCanary), y;
  const ConstTensor residual = dense(p.residual.data(), s);
  // Scratch for more threads than there are, and it ends where it says.
  constexpr std::byte kUnused{0xA5};
  const std::int64_t bytes = layer.scratch_bytes(p.in, threads + 1);
  const AlignedMemory scratch = aligned_memory(bytes + kUnusedBytes);
  std::fill_n(scratch.get(), bytes + kUnusedBytes, kUnused);
  parallel(threads, [&](Team& team) {
    layer.run(team, dense(p.x.data(), p.in), {view.data(), s, image, row, pixel}, p.k.residual ? &residual : nullptr,
              Scratch(scratch.get()));
  });
  check(std::count(scratch.get() + bytes, scratch.get() + bytes + kUnusedBytes, kUnused) == kUnusedBytes,
        "nothing behind scratch is written");
  check(std::count(view.begin(), view.end(), kCanary) == static_cast<std::ptrdiff_t>(view.size()) - s.n * s.h * s.w * s.c,
        "only the view is written");
  for (std::int64_t i = 0; i < s.n * s.h * s.w; ++i) {
    const float* from = view.data() + i / (s.h * s.w) * image + i / s.w % s.h * row + i % s.w * pixel;
    y.insert(y.end(), from, from + s.c);
  }
  return y;
}

/// By the public class, with all threads that the call finds worth their while.
Floats in_public(const Problem& p) {
  const std::int64_t m = p.middle.c;
  const SqueezeExcite squeeze_excite{p.dense_layer(p.reduce, m, p.k.reduced), p.dense_layer(p.excite, p.k.reduced, m), kReduced, kExcite};
  const SeparableConv2D layer(p.filter(), p.dense_layer(p.project, m, p.k.out), p.options(), kInner, kLast, &squeeze_excite);
  Floats y(at(p.out.n * p.out.h * p.out.w * p.out.c));
  const ConstTensor residual = dense(p.residual.data(), p.out);
  layer(dense(p.x.data(), p.in), dense(y.data(), p.out), p.k.residual ? &residual : nullptr, 2);
  return y;
}

void check_case(const Case& c) {
  for (const std::int64_t images : {1, 2, 3}) {
    const Problem p(c, images);
    const auto layer = layer_of(p);
    const Shape s = layer->output_shape(p.in);
    check(s.n == p.out.n && s.h == p.out.h && s.w == p.out.w && s.c == p.out.c, c.name);
    const Floats wanted = in_steps(p);
    const Floats shown = in_public(p);
    check(shown.size() == wanted.size() && std::memcmp(shown.data(), wanted.data(), shown.size() * sizeof(float)) == 0, c.name);
    for (const int threads : {1, 2, 3, 7}) {
      for (const std::int64_t gap : {0, 3}) {
        const Floats got = at_once(p, *layer, threads, gap);
        const bool same = got.size() == wanted.size() && std::memcmp(got.data(), wanted.data(), got.size() * sizeof(float)) == 0;
        check(same, (c.name + (", images " + std::to_string(images)) + ", threads " + std::to_string(threads)).c_str());
      }
    }
  }
}

/// Weights that do not fit each other.
void misfits_are_refused() {
  const Floats w(64, 1.0F);
  const auto matrix = [&](std::int64_t k, std::int64_t columns) { return packed(PointwiseFilter{w.data(), k, columns, nullptr}); };
  const auto refused = [&](PackedMatrix project, PackedMatrix reduce, PackedMatrix expand) {
    try {
      const PackedDepthwise d = pack({w.data(), 3, 3, 4, 1, nullptr}, active_kernels().lanes);
      const PackedSqueezeExcite squeeze_excite{std::move(reduce), std::move(expand), kReduced, kExcite};
      make_block({std::nullopt, d, squeeze_excite, std::move(project), {}, {}, kInner, kLast});
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  check(!refused(matrix(4, 5), matrix(4, 2), matrix(2, 4)), "weights that fit");
  check(refused(matrix(5, 4), matrix(4, 2), matrix(2, 4)), "a projection of other channels");
  check(refused(matrix(4, 5), matrix(3, 2), matrix(2, 4)), "a reduction of other channels");
  check(refused(matrix(4, 5), matrix(4, 2), matrix(3, 4)), "an expansion of other channels");
  check(refused(matrix(4, 5), matrix(4, 2), matrix(2, 5)), "an excitation of other channels");
}

}  // namespace

int main() {
  for (const Case& c : kCases) check_case(c);
  misfits_are_refused();
  return dwsep::test::summary("separable with squeeze-excite");
}
