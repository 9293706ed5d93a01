// The registry's int8 matrix products against plain loops, every bit, at the edges of memory.
#include "int8_entries.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::test;

struct Case {
  Int rows, k, columns, row_gap, block_rows;
  Bytes kind;
  int divisor;  ///< of weights, which may saturate when they are large
};

template <class Out>
bool exact(const KernelEntry& entry, Random& random, const Case& c) {
  const bool at_end = random.one_of(2);
  const bool padded = random.one_of(4);  // rows of x go on behind k, as those of gathered windows do
  const Int a_k = padded ? (c.k + 3) / 4 * 4 : c.k, a_row = a_k + c.row_gap, y_row = c.columns + c.row_gap;
  const auto spread = [&](Int row) { return c.rows == 0 ? 0 : (c.rows - 1) * row; };
  Guarded<std::int8_t> a(spread(a_row) + a_k, at_end), weights(c.k * c.columns, true), residual(spread(y_row) + c.columns, at_end);
  Guarded<Out> y(spread(y_row) + c.columns, at_end);
  for (Int i = 0; i < spread(a_row) + a_k; ++i) a[i] = byte(random, c.kind);
  for (Int i = 0; i < c.k * c.columns; ++i) weights[i] = static_cast<std::int8_t>(byte(random, c.kind) / c.divisor);
  for (Int i = 0; i < spread(y_row) + c.columns; ++i) residual[i] = random.byte();
  const Rule rule(random, c.columns, 73.0 * 73.0 * std::sqrt(static_cast<double>(c.k + 1)));
  const auto x_zero = static_cast<std::int32_t>(random(-128, 127));

  Int8PackWork pack{};
  pack.weights = weights.data();
  pack.k = c.k;
  pack.columns = pack.weights_row = c.columns;
  pack.kh = pack.kw = pack.channel_multiplier = 1;
  pack.bias = rule.bias.data();
  pack.x_zeros = &x_zero;
  pack.multipliers = rule.multipliers.data();
  pack.k_padded = c.k;
  const Packed packed(entry, pack);

  Int8GemmWork w{};
  w.a = a.data();
  w.a_row = a_row;
  w.a_flip = rule.x_unsigned ? 0x80 : 0;
  w.y_flip = rule.y_flip();
  w.k = packed.work.k_padded >= a_k ? a_k : c.k;
  w.b = packed.work.packed;
  w.initial = packed.work.initial;
  w.q = rule.requantize(packed.work.multiplier);
  w.y = y.data();
  w.y_row = y_row;
  if (rule.with_residual) w.residual = {residual.data(), y_row, 0, rule.residual_scale, rule.residual_zero, rule.y_flip()};
  w.rows = c.rows;
  w.block_rows = c.block_rows;
  w.columns = c.columns;
  for (Int p = 0; p < packed.work.panels; p = w.panel_end) {
    w.panel_begin = p;
    w.panel_end = random(p + 1, packed.work.panels);
    entry.run(&w);
  }

  for (Int m = 0; m < c.rows; ++m) {
    for (Int n = 0; n < c.columns; ++n) {
      Int sum = rule.bias[index(n)];
      for (Int k = 0; k < c.k; ++k) sum += (rule.x_value(a[m * a_row + k]) - x_zero) * weights[k * c.columns + n];
      if (!rule.agrees(y[m * y_row + n], sum, n, residual[m * y_row + n])) return false;
    }
    for (Int n = c.columns; n < y_row && m + 1 < c.rows; ++n) {
      if (y[m * y_row + n] != 0) return false;  // between rows nothing is written
    }
  }
  return true;
}

void entry_is_exact(const KernelEntry& entry, const std::string& name) {
  Random random;
  for (int i = 0; i < 300; ++i) {
    Case c{random(1, i % 3 == 1 ? 130 : 40),
           random(1, i % 3 == 1 ? 200 : (i % 7 == 0 ? 60 : 20)),
           random(1, i % 3 == 0 ? 300 : 40),
           random(0, 3) / 3 * random(1, 90),
           random(1, 70),
           {},
           static_cast<int>(random(1, 5))};
    c.kind = random.one_of(4) ? Bytes::lowest : (random.one_of(4) ? Bytes::extreme : Bytes::random);
    if (i < 9) c.k = i + 1;
    if (i % 50 == 9) c = {random(1, 9), random(3000, 60000), random(1, 30), 0, 16, c.kind, c.divisor};
    if (i % 60 == 10) c.rows = 1;
    if (i % 10 == 4) c = {random(40, 150), 4 * random(12, 80), random(1, 40), 0, 48 * random(1, 4), c.kind, c.divisor};  // not copied
    if (i % 10 == 6)
      c = {random(1, 13), random(1, 90), 8 * random(1, 5), random(0, 1) * 7, 48, c.kind, c.divisor};  // few rows, bytes by eights
    if (i % 10 == 7) c = {random(1, 6), random(150, 600), random(1, 70), 0, 48, c.kind, c.divisor};
    if (i % 10 == 2) c = {random(1, 2), random(150, 2100), random(1, 130), 0, 48, c.kind, c.divisor};
    const bool passed = entry.types.y == DType::int8 ? exact<std::int8_t>(entry, random, c) : exact<float>(entry, random, c);
    const std::string what =
        name + ": rows " + std::to_string(c.rows) + ", k " + std::to_string(c.k) + ", columns " + std::to_string(c.columns);
    check(passed, what.c_str());
  }
}

}  // namespace

int main() {
  for_each_int8_entry(Family::pointwise, entry_is_exact);
  return summary("test_int8_gemm");
}
