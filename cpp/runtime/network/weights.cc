#include "runtime/network/weights.hpp"

#include "runtime/dispatch.hpp"
#include "runtime/layers/geometry.hpp"

namespace dwsep::runtime {
namespace {

const Weights& given(const Description& d, const std::string& key) {
  const Weights* const found = d.find_weights(key);
  if (found == nullptr) d.reject(key, "a value", "none");
  return *found;
}

const RawWeights& raw(const Description& d, const std::string& key, int rank) {
  const RawWeights* const weights = unpacked(d, key, rank);
  if (weights == nullptr) d.reject(key, "an unpacked array", "packed weights");
  return *weights;
}

const float* bias(const Description& d, const std::string& key, std::int64_t length) {
  return d.has_weights(key) ? d.vector(key, length).as<float>() : nullptr;
}

}  // namespace

Packing packing_in_use() {
  const ActiveKernels& t = active_kernels();
  return {t.lanes, t.half_panel};
}

void check_packing(const Packing& p) {
  const bool lanes = p.lanes == 4 || p.lanes == 8 || p.lanes == 16;
  if (!lanes) reject("file", "weights packed for vectors of 4, 8 or 16 floats", "vectors of " + std::to_string(p.lanes));
  const bool half = p.half_panel == HalfPanel::none || p.half_panel == HalfPanel::narrow;
  if (!half) reject("file", "half panels of kind 0 or 1", "kind " + std::to_string(static_cast<std::uint32_t>(p.half_panel)));
}

PackedMatrix repacked(const PackedMatrix& p) {
  const Unpacked u = unpack(p);
  return pack_matrix(u.weights.data(), p.columns, u.bias.data(), p.k, p.columns, active_kernels());
}

PackedDepthwise repacked(const PackedDepthwise& p) {
  const Unpacked u = unpack(p);
  return pack({u.weights.data(), p.kh, p.kw, p.channels, p.multiplier, u.bias.data()}, active_kernels().lanes);
}

const RawWeights* unpacked(const Description& d, const std::string& key, int rank) {
  const Weights* const found = d.find_weights(key);
  const auto* const raw = found == nullptr ? nullptr : std::get_if<RawWeights>(found);
  if (raw != nullptr && (raw->shape.rank() != rank || raw->shape.count() < 1)) {
    d.reject(key, std::to_string(rank) + " axes, none of them empty", to_string(raw->shape));
  }
  return raw;
}

PackedMatrix matrix_of(const Description& d, const std::string& key, const std::string& bias_key) {
  if (const auto* packed = std::get_if<PackedMatrix>(&given(d, key))) return *packed;
  const RawWeights& w = raw(d, key, 2);
  return pack_matrix(w.as<float>(), w.shape[1], bias(d, bias_key, w.shape[1]), w.shape[0], w.shape[1], active_kernels());
}

PackedDepthwise depthwise_of(const Description& d, const std::string& key, const std::string& bias_key) {
  if (const auto* packed = std::get_if<PackedDepthwise>(&given(d, key))) return *packed;
  const RawWeights& w = raw(d, key, 4);
  const Dims& s = w.shape;
  return pack({w.as<float>(), s[0], s[1], s[2], s[3], bias(d, bias_key, s[2] * s[3])}, active_kernels().lanes);
}

std::int64_t logical_parameters(const Weights& w) {
  if (const auto* m = std::get_if<PackedMatrix>(&w)) return (m->k + 1) * m->columns;
  if (const auto* f = std::get_if<PackedDepthwise>(&w)) return (f->kh * f->kw + 1) * f->outputs();
  return std::get<RawWeights>(w).shape.count();
}

std::int64_t stored_bytes(const Weights& w) {
  constexpr std::int64_t size = sizeof(float);
  if (const auto* m = std::get_if<PackedMatrix>(&w)) return (m->weight_floats() + m->bias_floats()) * size;
  if (const auto* f = std::get_if<PackedDepthwise>(&w)) return (f->weight_floats() + f->bias_floats()) * size;
  const auto& raw = std::get<RawWeights>(w);
  return raw.type.bytes(raw.shape);
}

double logical_bytes(const Weights& w) {
  const auto* raw = std::get_if<RawWeights>(&w);
  return static_cast<double>(logical_parameters(w)) * static_cast<double>(size_of(raw == nullptr ? DType::float32 : raw->type.dtype));
}

}  // namespace dwsep::runtime
