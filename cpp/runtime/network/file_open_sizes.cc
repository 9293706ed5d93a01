// The section of a file that says what depends on open sizes.
#include <utility>

#include "runtime/network/file.hpp"

namespace dwsep::runtime {

void write_open_sizes(const NetworkDraft& network, ByteWriter& out) {
  const OpenSizes& open = network.open;
  for (const Dims& shape : open.example) out.dims(shape);
  out.count(open.terms.size());
  for (const OpenSizes::Term& t : open.terms) {
    out.number(t.op);
    out.number(t.a);
    out.number(t.b);
  }
  out.count(open.conditions.size());
  for (const OpenSizes::Condition& c : open.conditions) {
    out.number(static_cast<std::int32_t>(c.term));
    out.number(c.relation);
    out.text(c.text);
  }
  out.count(open.uses.size());
  for (const OpenSizes::Use& u : open.uses) {
    out.number(static_cast<std::int32_t>(network.steps[static_cast<std::size_t>(u.value)].output));
    out.text(u.attribute);
    out.number(static_cast<std::uint32_t>(u.position));
    out.number(static_cast<std::int32_t>(u.term));
    out.number(static_cast<std::int32_t>(u.divisor));
  }
  out.count(open.output_axes.size());
  for (const OpenSizes::OutputAxis& o : open.output_axes) {
    out.number(static_cast<std::int32_t>(o.output));
    out.number(static_cast<std::int32_t>(o.axis));
  }
}

void read_open_sizes(ByteReader& in, NetworkDraft& network) {
  std::vector<Dims> example;
  for (std::size_t i = 0; i < network.inputs.size(); ++i) example.push_back(in.dims());
  network.set_example(std::move(example));
  for (std::size_t terms = in.count(17); terms > 0; --terms) {
    const auto op = in.number<SizeOp>();
    const auto a = in.number<std::int64_t>();
    network.open.add(op, a, in.number<std::int64_t>(), network.input_infos);
  }
  for (std::size_t conditions = in.count(9); conditions > 0; --conditions) {
    const int term = in.number<std::int32_t>();
    const auto relation = in.number<SizeRelation>();
    network.add_condition({term, relation, in.text()});
  }
  for (std::size_t uses = in.count(20); uses > 0; --uses) {
    OpenSizes::Use use{in.number<std::int32_t>(), in.text(), in.number<std::uint32_t>(), 0, 0};
    use.term = in.number<std::int32_t>();
    use.divisor = in.number<std::int32_t>();
    network.add_use(std::move(use));
  }
  for (std::size_t axes = in.count(8); axes > 0; --axes) {
    const int output = in.number<std::int32_t>();
    network.add_output_axis(output, in.number<std::int32_t>());
  }
}

}  // namespace dwsep::runtime
