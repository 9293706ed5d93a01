#include "runtime/network/ops/recurrent_weights.hpp"

#include <array>

#include "runtime/dispatch.hpp"
#include "runtime/layers/geometry.hpp"
#include "runtime/network/ops/rows.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

/// Weights (directions, rows, gates * units) and (directions, gates * units) of one direction, as floats.
struct Unordered {
  const float *weights, *bias;
  std::int64_t rows, columns, units;
};

PackedMatrix packed(const Unordered& from, const Gates& gates, std::int64_t block, std::int64_t blocks) {
  const std::int64_t width = gates.count * block, columns = width * blocks;
  std::vector<float> matrix(static_cast<std::size_t>(from.rows * columns)), bias(static_cast<std::size_t>(columns));
  for (std::int64_t c = 0; c < columns; ++c) {
    const std::int64_t unit = c / width * block + c % block, column = (gates.first + c / block % gates.count) * from.units + unit;
    if (unit >= from.units) continue;
    if (from.bias != nullptr) bias[static_cast<std::size_t>(c)] = from.bias[column];
    for (std::int64_t r = 0; r < from.rows; ++r) {
      matrix[static_cast<std::size_t>(r * columns + c)] = from.weights[r * from.columns + column];
    }
  }
  return pack_matrix(matrix.data(), columns, bias.data(), from.rows, columns, active_kernels());
}

std::string numbered(const char* key, std::size_t number) { return key + ("." + std::to_string(number)); }

/// Sets the sizes that the weights have, and makes groups without weights.
void set_sizes(RecurrentWeights& w, std::int64_t inputs, std::int64_t units) {
  w.inputs = inputs;
  w.units = units;
  w.block = w.cell == Cell::lstm ? kUnits : 2 * kUnits;  // LSTM cells are finished by whole blocks
  w.blocks = ceil_div(units, w.block);
  for (std::int64_t i = 0; i < w.directions; ++i) {
    if (w.cell == Cell::gru) {
      w.groups.push_back({0, 2, {}, {}});
      w.groups.push_back({2, 1, {}, {}});
    } else {
      w.groups.push_back({0, w.gates(), {}, {}});
    }
  }
}

void pack(RecurrentWeights& w, const Description& d, const RawWeights& input, const RawWeights& recurrent) {
  const std::int64_t units = recurrent.shape[1], columns = w.gates() * units;
  const Dims wanted{w.directions, units, columns};
  if (recurrent.shape != wanted) d.reject("weight", to_string(wanted), to_string(recurrent.shape));
  const Dims wanted_input{w.directions, input.shape[1], columns};
  if (input.shape != wanted_input) d.reject("input_weight", to_string(wanted_input), to_string(input.shape));
  std::array<const float*, 2> biases{};
  constexpr std::array<const char*, 2> names{"bias", "recurrent_bias"};
  for (std::size_t i = 0; i < 2; ++i) {
    const RawWeights* const bias = unpacked(d, names[i], 2);
    if (bias == nullptr) continue;
    const Dims shape{w.directions, columns};
    if (bias->shape != shape) d.reject(names[i], to_string(shape), to_string(bias->shape));
    biases[i] = bias->as<float>();
  }
  set_sizes(w, input.shape[1], units);
  for (std::size_t i = 0; i < w.groups.size(); ++i) {
    const std::int64_t direction = static_cast<std::int64_t>(i) / w.groups_each();
    const auto part = [&](const RawWeights& all, const float* bias) {
      const std::int64_t rows = all.shape[1];
      return Unordered{all.as<float>() + direction * rows * columns, bias == nullptr ? nullptr : bias + direction * columns, rows, columns,
                       units};
    };
    w.groups[i].input = packed(part(input, biases[0]), w.groups[i], w.block, w.blocks);
    w.groups[i].recurrent = packed(part(recurrent, biases[1]), w.groups[i], w.block, w.blocks);
  }
}

}  // namespace

RecurrentWeights recurrent_weights_of(const Description& d, Cell cell, std::int64_t directions) {
  RecurrentWeights w{cell, directions, 0, 0, 0, 0, {}};
  const RawWeights *const input = unpacked(d, "input_weight", 3), *const recurrent = unpacked(d, "weight", 3);
  if (input != nullptr && recurrent != nullptr) {
    pack(w, d, *input, *recurrent);
    return w;
  }
  set_sizes(w, matrix_of(d, numbered("input_weight", 0), {}).k, matrix_of(d, numbered("weight", 0), {}).k);
  for (std::size_t i = 0; i < w.groups.size(); ++i) {
    Gates& gates = w.groups[i];
    const std::int64_t columns = gates.count * w.padded();
    const auto matrix = [&](const char* key, std::int64_t rows) {
      PackedMatrix m = matrix_of(d, numbered(key, i), {});
      if (m.k != rows || m.columns != columns) d.reject(key, "a matrix " + to_string(Dims{rows, columns}), to_string(Dims{m.k, m.columns}));
      return m;
    };
    gates.input = matrix("input_weight", w.inputs);
    gates.recurrent = matrix("weight", w.units);
  }
  return w;
}

std::vector<NamedWeights> RecurrentWeights::named() const {
  std::vector<NamedWeights> all;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    all.push_back({numbered("input_weight", i), groups[i].input});
    all.push_back({numbered("weight", i), groups[i].recurrent});
  }
  return all;
}

}  // namespace dwsep::runtime
