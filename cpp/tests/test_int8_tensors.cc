// The registry's kernels of int8 that are no convolutions, at the edges of memory: that they touch no byte outside their arrays, and the
// numbers of the simplest ones. tests/test_int8_tensors.py has the rest.
#include "int8_entries.hpp"
#include "kernels/int8_tensor_work.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::test;

/// Rows that end, or begin, at a page that may not be touched.
template <class T>
struct Rows {
  Int row;
  Guarded<T> data;
  Rows(Random& random, Int rows, Int columns, bool at_end)
      : row(columns + random(0, 3)), data(rows == 0 ? 0 : (rows - 1) * row + columns, at_end) {}
};

void fill(Random& random, Rows<std::int8_t>& r, Int rows, Int columns) {
  for (Int i = 0; i < rows; ++i) {
    for (Int c = 0; c < columns; ++c) r.data[i * r.row + c] = random.byte();
  }
}

std::uint8_t flip(Random& random) { return random.one_of(2) ? 0x80 : 0; }
int value(std::int8_t stored, std::uint8_t flipped) { return static_cast<std::int8_t>(static_cast<std::uint8_t>(stored) ^ flipped); }

bool binary_is_exact(const KernelEntry& e, Random& random, Int rows, Int columns, bool at_end) {
  Rows<std::int8_t> a(random, rows, columns, at_end), b(random, rows, columns, at_end), y(random, rows, columns, at_end);
  fill(random, a, rows, columns);
  fill(random, b, rows, columns);
  Int8BinaryWork w{};
  w.product = random.one_of(2);
  w.a = a.data.data();
  w.b = b.data.data();
  w.y = y.data.data();
  w.a_row = a.row;
  w.b_row = b.row;
  w.y_row = y.row;
  w.rows = rows;
  w.columns = columns;
  w.a_alone = random.one_of(4);
  w.b_alone = random.one_of(4);
  w.a_scale = w.product ? 0.013F : 0.7F;
  w.b_scale = 0.37F;
  w.a_zero = static_cast<std::int32_t>(random(-128, 127));
  w.b_zero = static_cast<std::int32_t>(random(-128, 127));
  w.zero = static_cast<std::int32_t>(random(-128, 127));
  w.lo = -100;
  w.hi = 90;
  w.a_flip = flip(random);
  w.b_flip = flip(random);
  w.y_flip = flip(random);
  e.run(&w);
  for (Int i = 0; i < rows; ++i) {
    for (Int c = 0; c < columns; ++c) {
      const auto p = static_cast<float>(value(a.data[i * a.row + (w.a_alone ? 0 : c)], w.a_flip) - w.a_zero);
      const auto q = static_cast<float>(value(b.data[i * b.row + (w.b_alone ? 0 : c)], w.b_flip) - w.b_zero);
      const volatile float first = (w.product ? p * q : p) * w.a_scale, second = w.product ? 0.0F : q * w.b_scale;
      const Int want = std::min<Int>(std::max<Int>(std::lrint(first + second) + w.zero, w.lo), w.hi);
      if (value(y.data[i * y.row + c], w.y_flip) != want) return false;
    }
  }
  return true;
}

bool table_is_exact(const KernelEntry& e, Random& random, Int rows, Int columns, bool at_end) {
  Rows<std::int8_t> x(random, rows, columns, at_end), y(random, rows, columns, at_end);
  Guarded<std::int8_t> table(256, at_end);
  fill(random, x, rows, columns);
  for (Int i = 0; i < 256; ++i) table[i] = random.byte();
  const TableWork w{x.data.data(), y.data.data(), x.row, y.row, rows, columns, table.data()};
  e.run(&w);
  for (Int i = 0; i < rows; ++i) {
    for (Int c = 0; c < columns; ++c) {
      if (y.data[i * y.row + c] != table[static_cast<std::uint8_t>(x.data[i * x.row + c])]) return false;
    }
  }
  return true;
}

bool dequantized_is_exact(const KernelEntry& e, Random& random, Int rows, Int columns, bool at_end) {
  Rows<std::int8_t> x(random, rows, columns, at_end);
  Rows<float> y(random, rows, columns, at_end);
  fill(random, x, rows, columns);
  const auto zero = static_cast<std::int32_t>(random(-128, 127));
  const DequantizeWork w{x.data.data(), y.data.data(), x.row, y.row, rows, columns, 0.3F, zero, flip(random)};
  e.run(&w);
  for (Int i = 0; i < rows; ++i) {
    for (Int c = 0; c < columns; ++c) {
      const float want = static_cast<float>(value(x.data[i * x.row + c], w.x_flip) - zero) * 0.3F;
      if (std::memcmp(&y.data[i * y.row + c], &want, sizeof want) != 0) return false;
    }
  }
  return true;
}

/// Of an image of `rows` pixels a side and so many channels; the largest of a window of 2 x 2.
bool pool_is_exact(const KernelEntry& e, Random& random, Int side, Int channels, bool at_end) {
  const Int out = side - 1;
  if (out < 1) return true;
  Guarded<std::int8_t> x(side * side * channels, at_end), y(out * out * channels, at_end);
  for (Int i = 0; i < side * side * channels; ++i) x[i] = random.byte();
  Int8PoolWork w{};
  w.max = true;
  w.x = x.data();
  w.x_row = side * channels;
  w.x_pixel = w.y_pixel = w.channels = channels;
  w.height = w.width = side;
  w.kh = w.kw = 2;
  w.stride_h = w.stride_w = w.dilation_h = w.dilation_w = 1;
  w.y = y.data();
  w.y_row = out * channels;
  w.y_end = w.out_width = out;
  w.lo = -128;
  w.hi = 127;
  e.run(&w);
  w.max = false;  // once more, for its loads and stores alone
  std::vector<std::int8_t> most(index(out * out * channels));
  std::copy_n(y.data(), most.size(), most.begin());
  e.run(&w);
  for (Int i = 0; i < out * out * channels; ++i) {
    const Int row = i / channels / out, column = i / channels % out, c = i % channels;
    std::int8_t want = -128;
    for (Int t = 0; t < 4; ++t) want = std::max(want, x[((row + t / 2) * side + column + t % 2) * channels + c]);
    if (most[index(i)] != want) return false;
  }
  return true;
}

/// A row between two of one pixel more.
bool resize_is_exact(const KernelEntry& e, Random& random, Int width, Int channels, bool at_end) {
  Guarded<std::int8_t> top((width + 1) * channels, at_end), bottom((width + 1) * channels, at_end), y(width * channels, at_end);
  std::vector<ResizeTaps> taps;
  for (Int i = 0; i < (width + 1) * channels; ++i) {
    top[i] = random.byte();
    bottom[i] = random.byte();
  }
  for (std::int32_t i = 0; i < width; ++i) taps.push_back({{i, i + 1}, {0, static_cast<float>(random(0, 2048))}});
  std::vector<std::int32_t> between(index((width + 1) * channels + 32));
  const Int8ResizeWork w{{top.data(), bottom.data()},
                         channels,
                         taps.data(),
                         700,
                         y.data(),
                         channels,
                         width,
                         channels,
                         flip(random),
                         width + 1,
                         random(0, 1) == 1 ? between.data() : nullptr};
  e.run(&w);
  for (Int i = 0; i < width * channels; ++i) {
    const auto across = static_cast<Int>(taps[index(i / channels)].weight[1]);
    const auto wide = [&](Guarded<std::int8_t>& r) {
      return value(r[i], w.flip) * (2048 - across) + value(r[i + channels], w.flip) * across;
    };
    if (value(y[i], w.flip) != (wide(top) * (2048 - 700) + wide(bottom) * 700 + (1 << 21)) >> 22) return false;
  }
  return true;
}

}  // namespace

int main() {
  Random random{};
  const auto all = [&](Family family, DType y, auto&& exact) {
    for_each_int8_entry(family, [&](const KernelEntry& e, const std::string& name) {
      if (e.types.y != y) return;
      bool passed = true;
      for (Int columns = 1; columns < 140; columns += columns < 70 ? 1 : 9) {
        for (Int rows = 1; rows < 4; ++rows) passed = passed && exact(e, random, rows, columns, random.one_of(2));
      }
      check(passed, name.c_str());
    });
  };
  all(Family::binary, DType::int8, binary_is_exact);
  all(Family::map, DType::int8, table_is_exact);
  all(Family::map, DType::float32, dequantized_is_exact);
  all(Family::pool, DType::int8, pool_is_exact);
  all(Family::resize, DType::int8, resize_is_exact);
  return summary("int8 tensors");
}
