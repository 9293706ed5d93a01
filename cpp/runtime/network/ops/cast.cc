// Conversion of every element to another type.
#include "runtime/network/ops/cast.hpp"

#include "runtime/network/ops/loop_nest.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

// In the order of DType.
constexpr const char* kCastTypes[] = {"float32", "int8", "uint8", "int32", "float16", "int64", "bool"};
static_assert(sizeof(kCastTypes) / sizeof(kCastTypes[0]) == kDTypes);

template <class From, class To>
void cast_untyped(const void* x, void* y, std::int64_t count) {
  cast_row(static_cast<const From*>(x), static_cast<To*>(y), count);
}

class Cast final : public PlainOp {
 public:
  explicit Cast(const Description& d) : PlainOp(d), to_(static_cast<DType>(one_of(d, "to", kCastTypes))) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    return inputs[0];
  }
  ValueType infer_type(const Description&, const std::vector<ValueType>&) const override { return {to_}; }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const LoopNest<2> nest(y.shape, {y.strides, x.strides}, Columns::adjacent);
    const auto row = nest.row_strides();
    // The loop nest once for all pairs of types: 54 KB of code were 49 of them.
    void (*cast)(const void*, void*, std::int64_t) = nullptr;
    with_type(x.dtype, [&](auto from) { with_type(to_, [&](auto to) { cast = cast_untyped<decltype(from), decltype(to)>; }); });
    nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t rows, std::int64_t columns) {
      for (std::int64_t r = 0; r < rows; ++r) cast(x.at(at[1] + r * row[1]), y.at(at[0] + r * row[0]), columns);
    });
  }

 private:
  DType to_;
};

constexpr AttributeSchema kCastAttributes[] = {{"to", AttributeType::choice, Presence::required, kCastTypes}};
constexpr OpSchema kCastOps[] = {{"cast", make<Cast>, 1, 1, kCastAttributes}};

}  // namespace

ConstSpan<OpSchema> cast_ops() { return kCastOps; }

}  // namespace dwsep::runtime
