// Longer networks for the fuzzer: the steps of one after those of another.
#pragma once

#include <utility>

#include "arrays.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/network_impl.hpp"

namespace dwsep::test {

/// Adds the values of `from`. Its inputs become values of `to` that are there already, or inputs.
inline void append(runtime::NetworkDraft& to, const runtime::NetworkDraft& from, Random& random) {
  const auto before = static_cast<Int>(to.values.size());
  std::vector<int> now;  // the new number of each value
  std::size_t input = 0, step = 0;
  for (const runtime::Value& value : from.values) {
    switch (value.kind) {
      case runtime::Value::Kind::input: {
        const std::string& name = from.input_infos[input++].name;
        now.push_back(before > 0 && random(0, 7) > 0 ? static_cast<int>(before - 1 - random(0, std::min<Int>(before - 1, 2)))
                                                     : to.add_input(name, value.shape, value.type));
        break;
      }
      case runtime::Value::Kind::constant:
        now.push_back(to.add_constant(value.shape, value.data, value.type));
        break;
      case runtime::Value::Kind::computed: {
        const runtime::Step& s = from.steps[step++];
        runtime::Description d = s.description;
        for (const runtime::NamedWeights& part : s.op->named_weights()) d.weights.emplace(part.name, part.weights);
        std::vector<int> inputs;
        for (const int v : s.inputs) inputs.push_back(now[index(v)]);
        now.push_back(to.add_step(std::move(d), inputs));
        break;
      }
    }
  }
  for (std::size_t i = 0; i < from.outputs.size(); ++i) {
    // An output of the first network mostly becomes a value inside.
    if (before > 0 || random(0, 3) == 0) to.add_output(from.output_infos[i].name, now[index(from.outputs[i])]);
  }
}

/// The second network on values of the first. Throws where they do not fit.
inline std::vector<char> joined(const runtime::NetworkDraft& first, const runtime::NetworkDraft& second, unsigned seed) {
  Random random{std::mt19937_64(seed)};
  runtime::NetworkDraft draft;
  append(draft, first, random);
  append(draft, second, random);
  return runtime::write_memory(runtime::NetworkImpl(std::move(draft)).definition());
}

}  // namespace dwsep::test
