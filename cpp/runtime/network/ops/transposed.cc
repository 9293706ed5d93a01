// Transposed convolutions.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "runtime/layers/conv_transpose.hpp"
#include "runtime/network/ops/layer_op.hpp"
#include "runtime/network/ops/ops.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

TransposedAxis transposed_axis(const Description& d, int axis) {
  const ConvOptions o = d.conv_options();
  const std::int64_t extra = d.dims("output_padding", 2, 0, kMaxPixels)[axis], taps = d.dims("kernel", 2, 1, std::int64_t{1} << 16)[axis];
  const Padding& p = o.padding;
  return axis == 0 ? TransposedAxis{o.stride_h, taps, o.dilation_h, p.top, p.bottom, extra}
                   : TransposedAxis{o.stride_w, taps, o.dilation_w, p.left, p.right, extra};
}

/// All that is stored as "weight.0", "weight.1", ...
template <class Packed, class Read>
std::vector<Packed> stored(const Description& d, const Read& read) {
  std::vector<Packed> all;
  for (std::size_t i = 0; i == 0 || d.has_weights("weight." + std::to_string(i)); ++i)
    all.push_back(read(d, "weight." + std::to_string(i)));
  return all;
}

/// Channels of a geometry that has all else, by its packed filters: each tap is in one of them, once.
void set_channels(TransposedGeometry* g, const TransposedFilters& filters) {
  if (const auto* f = std::get_if<std::vector<PackedDepthwise>>(&filters)) {
    g->in = f->front().channels;
    g->out = f->front().outputs();
    return;
  }
  const auto& matrices = std::get<std::vector<PackedMatrix>>(filters);
  const std::int64_t taps = phase_groups(g->h, true).front().taps * phase_groups(g->w, true).front().taps;
  double all = 0;
  for (const PackedMatrix& m : matrices) all += magnitude(m.k, m.columns);
  g->in = matrices.front().k / taps * g->groups;
  g->out = static_cast<std::int64_t>(all / std::max(magnitude(g->h.taps, g->w.taps, g->in), 1.0)) * g->groups;
}

/// Packed filters are stored as one for each part of the convolution, and matrices for each group of channels.
std::unique_ptr<const Op> make_transposed_op(const Description& d) {
  TransposedGeometry g{transposed_axis(d, 0), transposed_axis(d, 1), 0, 0, d.integer("groups", 1, std::int64_t{1} << 16)};
  const Weights* const found = d.find_weights("weight");
  TransposedFilters filters;
  if (const auto* w = found == nullptr ? nullptr : std::get_if<RawWeights>(found)) {
    const Dims& s = w->shape;
    if (s.rank() != 4 || s.count() < 1) d.reject("weight", "4 axes (KH, KW, Cin, Cout / groups), none of them empty", to_string(s));
    if (s[0] != g.h.taps || s[1] != g.w.taps)
      d.reject("kernel", "the weights' size " + to_string(Dims{s[0], s[1]}), to_string(Dims{g.h.taps, g.w.taps}));
    if (s[2] % g.groups != 0) d.reject("groups", "a divisor of the " + std::to_string(s[2]) + " input channels", std::to_string(g.groups));
    g.in = s[2];
    g.out = s[3] * g.groups;
    filters = pack_transposed(g, w->as<float>(), d.has_weights("bias") ? d.vector("bias", g.out).as<float>() : nullptr);
  } else {
    const Weights* const first = d.find_weights("weight.0");
    if (first != nullptr && std::holds_alternative<PackedDepthwise>(*first)) {
      filters = stored<PackedDepthwise>(d, [](const Description& from, const std::string& name) { return depthwise_of(from, name, {}); });
    } else {
      filters = stored<PackedMatrix>(d, [](const Description& from, const std::string& name) { return matrix_of(from, name, {}); });
    }
    set_channels(&g, filters);
    if (g.depthwise() != std::holds_alternative<std::vector<PackedDepthwise>>(filters)) {
      d.reject("groups", "those that the filters were packed for", std::to_string(g.groups));
    }
  }
  std::vector<NamedWeights> weights;
  std::visit(
      [&](const auto& all) {
        for (std::size_t i = 0; i < all.size(); ++i) weights.push_back({"weight." + std::to_string(i), all[i]});
      },
      filters);
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_conv_transpose(g, std::move(filters), activation); }, std::move(weights));
}

constexpr AttributeSchema kTransposedAttributes[] = {{"stride", AttributeType::pair},
                                                     {"dilation", AttributeType::pair},
                                                     {"padding", AttributeType::sides},
                                                     {"output_padding", AttributeType::pair},
                                                     {"groups", AttributeType::integer},
                                                     {"kernel", AttributeType::pair},
                                                     {"activation", AttributeType::activation, Presence::optional}};
constexpr WeightsSchema kTransposedFilters[] = {{"weight", 4}, {"bias", 1, Presence::optional}};
constexpr OpSchema kTransposedOps[] = {{"transposed", make_transposed_op, 1, 1, kTransposedAttributes, kTransposedFilters}};

}  // namespace

ConstSpan<OpSchema> transposed_ops() { return kTransposedOps; }

}  // namespace dwsep::runtime
