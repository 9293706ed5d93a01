// The registry's int8 depthwise convolutions against plain loops, every bit, at the edges of memory.
#include "int8_entries.hpp"
#include "runtime/selection.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::test;

struct Case {
  Int height, width, channels, multiplier, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  Bytes kind;

  Int out(Int size, Int pad, Int k, Int stride, Int dilation) const { return (size + 2 * pad - (k - 1) * dilation - 1) / stride + 1; }
  Int out_height() const { return out(height, pad_top, kh, stride_h, dilation_h); }
  Int out_width() const { return out(width, pad_left, kw, stride_w, dilation_w); }
  bool has_output() const { return height + 2 * pad_top > (kh - 1) * dilation_h && width + 2 * pad_left > (kw - 1) * dilation_w; }
  Problem problem() const { return {kh, kw, stride_h, stride_w, dilation_h, dilation_w, multiplier, 0, 1, 0}; }
  Int channels_out() const { return channels * multiplier; }
  std::string text() const {
    const auto of = [](Int a, Int b) { return std::to_string(a) + "x" + std::to_string(b); };
    return of(height, width) + "x" + of(channels, multiplier) + ", filter " + of(kh, kw) + ", stride " + of(stride_h, stride_w) +
           ", dilation " + of(dilation_h, dilation_w) + ", padding " + of(pad_top, pad_left);
  }
};

template <class Out>
bool exact(const KernelEntry& entry, Random& random, const Case& c) {
  const bool at_end = random.one_of(2);
  const Int n = c.channels_out(), rows = c.out_height(), columns = c.out_width(), taps = c.kh * c.kw;
  Guarded<std::int8_t> x(c.height * c.width * c.channels, at_end), weights(taps * n, true), x_zero(c.channels, at_end);
  Guarded<std::int8_t> residual(rows * columns * n, at_end);
  Guarded<Out> y(rows * columns * n, at_end);
  for (Int i = 0; i < c.height * c.width * c.channels; ++i) x[i] = byte(random, c.kind);
  for (Int i = 0; i < taps * n; ++i) weights[i] = byte(random, c.kind);
  for (Int i = 0; i < rows * columns * n; ++i) residual[i] = random.byte();
  const Rule rule(random, n, 73.0 * 73.0 * std::sqrt(static_cast<double>(taps)));
  std::vector<std::int32_t> x_zeros;
  const bool alike = random.one_of(2);
  for (Int i = 0; i < c.channels; ++i) {
    x_zero[i] = alike && i > 0 ? x_zero[0] : random.byte();
    x_zeros.push_back(rule.x_value(x_zero[i]));
  }

  Int8PackWork pack{};
  pack.weights = weights.data();
  pack.k = taps;
  pack.columns = pack.weights_row = n;
  pack.kh = c.kh;
  pack.kw = c.kw;
  pack.channel_multiplier = c.multiplier;
  pack.bias = rule.bias.data();
  pack.x_zeros = x_zeros.data();
  pack.multipliers = rule.multipliers.data();
  const Packed packed(entry, pack);

  Int8DepthwiseWork w{};
  w.x = x.data();
  w.x_row = c.width * c.channels;
  w.x_pixel = c.channels;
  w.height = c.height;
  w.width = c.width;
  w.x_flip = rule.x_unsigned ? 0x80 : 0;
  w.y_flip = rule.y_flip();
  w.x_zero = x_zero.data();
  w.weights = packed.work.packed;
  w.initial = packed.work.initial;
  w.kh = c.kh;
  w.kw = c.kw;
  w.stride_h = c.stride_h;
  w.stride_w = c.stride_w;
  w.dilation_h = c.dilation_h;
  w.dilation_w = c.dilation_w;
  w.pad_top = c.pad_top;
  w.pad_left = c.pad_left;
  w.q = rule.requantize(packed.work.multiplier);
  w.y_row = columns * n;
  w.y_pixel = n;
  w.out_width = columns;
  w.channels = n;
  w.multiplier = c.multiplier;
  for (w.y_begin = 0; w.y_begin < rows; w.y_begin = w.y_end) {
    w.y_end = random(w.y_begin + 1, rows);
    w.y = y.data() + w.y_begin * w.y_row;
    if (rule.with_residual) {
      w.residual = {residual.data() + w.y_begin * w.y_row, w.y_row, n, rule.residual_scale, rule.residual_zero, rule.y_flip()};
    }
    for (Int p = 0; p < packed.work.panels; p = w.panel_end) {
      w.panel_begin = p;
      w.panel_end = random(p + 1, packed.work.panels);
      entry.run(&w);
    }
  }

  for (Int i = 0; i < rows * columns * n; ++i) {
    const Int channel = i % n, in = channel / c.multiplier, top = i / n / columns * c.stride_h - c.pad_top,
              left = i / n % columns * c.stride_w - c.pad_left;
    Int sum = rule.bias[index(channel)];
    for (Int t = 0; t < taps; ++t) {
      const Int row = top + t / c.kw * c.dilation_h, column = left + t % c.kw * c.dilation_w;
      if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
      sum += (rule.x_value(x[(row * c.width + column) * c.channels + in]) - x_zeros[index(in)]) * weights[t * n + channel];
    }
    if (!rule.agrees(y[i], sum, channel, residual[i])) return false;
  }
  return true;
}

Case random_case(Random& random, int i) {
  Case c{};
  c.height = random(1, 14);
  c.width = i % 40 == 7 ? 300 : random(1, 20);
  c.channels = random(1, i % 4 == 0 || i % 40 == 7 ? 200 : 40);
  c.multiplier = random.one_of(6) ? random(2, 3) : 1;
  if (i % 16 == 5) c.multiplier = random(2, 36);
  c.kh = random(1, 8);
  c.kw = random(1, 8);
  c.stride_h = random(1, 3);
  c.stride_w = random(1, 3);
  c.dilation_h = random.one_of(3) ? random(1, 3) : 1;
  c.dilation_w = random.one_of(3) ? random(1, 3) : 1;
  if (i % 3 == 0) {
    c.kh = c.kw = 3 + i % 2 * 2;
    c.stride_h = c.stride_w = 1 + i / 2 % 2;
    c.dilation_h = c.dilation_w = 1;
  }
  if (i % 5 == 1) c.kh = 1;
  c.pad_top = random(0, 4);
  c.pad_left = random(0, 4);
  c.kind = random.one_of(4) ? Bytes::lowest : (random.one_of(4) ? Bytes::extreme : Bytes::random);
  return c;
}

void entry_is_exact(const KernelEntry& entry, const std::string& name) {
  Random random;
  int ran = 0;
  for (int i = 0; i < 600; ++i) {
    const Case c = random_case(random, i);
    if (!c.has_output() || !runtime::fits(entry, Family::depthwise, entry.types, c.problem())) continue;
    ++ran;
    const bool passed = entry.types.y == DType::int8 ? exact<std::int8_t>(entry, random, c) : exact<float>(entry, random, c);
    check(passed, (name + ": " + c.text()).c_str());
  }
  check(ran > 30, (name + " takes some of the cases").c_str());
}

}  // namespace

int main() {
  for_each_int8_entry(Family::depthwise, entry_is_exact);
  return summary("test_int8_depthwise");
}
