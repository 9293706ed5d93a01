// The base of ops other than convolutions: checks of shapes, with errors that name the node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/network/ops/ops.hpp"

namespace dwsep::runtime {

class PlainOp : public Op {
 public:
  explicit PlainOp(const Description& d) {
    d_.kind = d.kind;
    d_.name = d.name;
  }

 protected:
  [[noreturn]] void reject(const std::string& what, const std::string& wanted, const std::string& got) const {
    d_.reject(what, wanted, got);
  }
  /// `count` inputs of possible sizes.
  void check_inputs(const std::vector<Dims>& inputs, std::size_t count) const;
  void check_rank(const Dims& input, int rank) const;
  /// The shape, checked.
  Dims checked(const Dims& output) const;
  /// An axis counted from the front; negative ones count from the back.
  int axis_of(std::int64_t axis, int rank) const;
  Dims broadcast(const Dims& a, const Dims& b) const;

 private:
  void check_sizes(const char* what, const Dims& d) const;

  Description d_;  ///< kind and name
};

/// Strides of an array broadcast to `shape`: 0 along the axes that it lacks.
Dims broadcast_strides(const Array& a, const Dims& shape);

/// The index of the attribute in the list; throws where it is not there.
int one_of(const Description& d, const char* attribute, ConstSpan<const char*> names);

}  // namespace dwsep::runtime
