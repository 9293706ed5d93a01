// Recurrent layers along the first axis: plain ones, GRU and LSTM, in one direction or both.
#include <limits>

#include "runtime/network/ops/plain_op.hpp"
#include "runtime/network/ops/recurrent_walk.hpp"

namespace dwsep::runtime {
namespace {

constexpr const char* kDirections[] = {"forward", "reverse", "both"};

float bound(const Description& d, const char* name) {
  const float value = d.has(name) ? static_cast<float>(d.number(name)) : std::numeric_limits<float>::infinity();
  if (!(value > 0)) d.reject(name, "a positive number", std::to_string(value));
  return value;
}

class Recurrent final : public PlainOp {
 public:
  explicit Recurrent(const Description& d) : PlainOp(d) {
    const Cell cell = static_cast<Cell>(one_of(d, "cell", kCells));
    const int direction = one_of(d, "direction", kDirections);
    settings_ = {
        direction == 1,   d.activation("gate_"), d.activation(), d.activation("cell_"), d.has("reset_after") && d.flag("reset_after"),
        bound(d, "clip"), bound(d, "cell_clip")};
    weights_ = recurrent_weights_of(d, cell, direction == 2 ? 2 : 1);
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, inputs.size());
    const Dims& x = inputs[0];
    check_rank(x, 3);
    if (x[0] < 1) reject("input", "one step or more", to_string(x));
    if (x[2] != weights_.inputs) reject("input", std::to_string(weights_.inputs) + " features", to_string(x));
    const Dims state{weights_.directions, x[1], weights_.units};
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      if (weights_.cell != Cell::lstm && i > 1) reject("inputs", "1 to 2 arrays", std::to_string(inputs.size()));
      if (inputs[i] != state) reject("input " + std::to_string(i), "a state " + to_string(state), to_string(inputs[i]));
    }
    return checked({x[0] + (weights_.cell == Cell::lstm ? 1 : 0), weights_.directions, x[1], weights_.units});
  }

  std::int64_t scratch_bytes(const std::vector<Dims>& inputs, const Dims&, int) const override {
    return measure([&](Scratch& scratch) { recurrent::Walk(weights_, settings_, inputs[0], nullptr, scratch); });
  }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    recurrent::Walk(weights_, settings_, o.inputs[0].shape, &o, scratch).run(team);
  }

  double flops(const std::vector<Dims>& inputs, const Dims&) const override {
    const std::int64_t products = (weights_.inputs + weights_.units) * weights_.units * weights_.gates() * weights_.directions;
    return 2.0 * static_cast<double>(products) * static_cast<double>(inputs[0][0] * inputs[0][1]);
  }
  std::string kernel(const std::vector<Dims>&, int) const override { return gemm_name(2); }
  std::vector<NamedWeights> named_weights() const override { return weights_.named(); }

 private:
  recurrent::Settings settings_;
  RecurrentWeights weights_;
};

constexpr AttributeSchema kRecurrentAttributes[] = {{"cell", AttributeType::choice, Presence::required, kCells},
                                                    {"direction", AttributeType::choice, Presence::required, kDirections},
                                                    {"gate_activation", AttributeType::activation, Presence::optional},
                                                    {"activation", AttributeType::activation, Presence::optional},
                                                    {"cell_activation", AttributeType::activation, Presence::optional},
                                                    {"reset_after", AttributeType::flag, Presence::optional},
                                                    {"clip", AttributeType::real, Presence::optional},
                                                    {"cell_clip", AttributeType::real, Presence::optional}};
constexpr WeightsSchema kWeights[] = {
    {"input_weight", 3}, {"weight", 3}, {"bias", 2, Presence::optional}, {"recurrent_bias", 2, Presence::optional}};
constexpr OpSchema kRecurrentOps[] = {{"recurrent", make<Recurrent>, 1, 3, kRecurrentAttributes, kWeights}};

}  // namespace

ConstSpan<OpSchema> recurrent_ops() { return kRecurrentOps; }

}  // namespace dwsep::runtime
