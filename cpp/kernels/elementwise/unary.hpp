// Unary functions of networks that are no activations.
#pragma once

#include "kernels/elementwise/functions.hpp"
#include "kernels/elementwise/map.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

[[gnu::flatten]] inline void unary(const UnaryWork& w) {
  switch (w.function) {
    case UnaryFunction::exp:
      return map_rows(w, [](F32 v) { return exp(v); });
    case UnaryFunction::sqrt:
      return map_rows(w, [](F32 v) { return sqrt(v); });
    case UnaryFunction::neg:
      return map_rows(w, [](F32 v) { return mul(broadcast(-1.0F), v); });
    case UnaryFunction::abs:
      return map_rows(w, [](F32 v) { return abs(v); });
    case UnaryFunction::erf:
      return map_rows(w, [](F32 v) { return erf(v); });
    case UnaryFunction::reciprocal:
      return map_rows(w, [](F32 v) { return div(broadcast(1.0F), v); });
    case UnaryFunction::floor:
      return map_rows(w, [](F32 v) { return floor(v); });
    case UnaryFunction::ceil:
      return map_rows(w, [](F32 v) { return ceil(v); });
    case UnaryFunction::round:
      return map_rows(w, [](F32 v) { return whole(v, [](F32 u) { return round(u); }); });
    case UnaryFunction::log:
      return map_rows(w, [](F32 v) { return log(v); });
    case UnaryFunction::softplus:
      return map_rows(w, [](F32 v) { return softplus(v); });
    case UnaryFunction::sin:
      return map_rows(w, [](F32 v) { return sin(v); });
    case UnaryFunction::cos:
      return map_rows(w, [](F32 v) { return cos(v); });
    case UnaryFunction::sign:
      return map_rows(w, [](F32 v) { return sign(v); });
    case UnaryFunction::selu:
      return map_rows(w, [](F32 v) { return selu(v); });
    case UnaryFunction::mish:
      return map_rows(w, [](F32 v) { return mish(v); });
    case UnaryFunction::softsign:
      return map_rows(w, [](F32 v) { return softsign(v); });
    case UnaryFunction::gelu_tanh:
      return map_rows(w, [](F32 v) { return gelu_tanh(v); });
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
