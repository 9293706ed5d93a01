// Sizes that inputs leave open: what depends on them, and what has to hold of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dwsep/network.hpp"
#include "runtime/network/array.hpp"

namespace dwsep::runtime {

/// Arithmetic of the open sizes of a network. Whatever in its steps depends on them is a term; a call with other sizes computes all terms,
/// checks the conditions, and makes the steps anew whose attributes have other values. Their weights stay as they are packed.
class OpenSizes {
 public:
  struct Term {
    SizeOp op;
    std::int64_t a, b;
  };
  struct Condition {
    int term;
    SizeRelation relation;
    std::string text;  ///< for errors
  };
  /// A number in a step's attribute; of floats, a quotient of two terms.
  struct Use {
    int value;  ///< of the step
    std::string attribute;
    std::size_t position;
    int term, divisor;  ///< the divisor is -1 for integers
  };
  struct OutputAxis {
    int output, axis;
  };

  std::vector<Term> terms;
  std::vector<Condition> conditions;
  std::vector<Use> uses;
  std::vector<OutputAxis> output_axes;
  std::vector<Dims> example;  ///< shapes of all inputs for which the conditions hold; -1 for the batch

  bool empty() const { return example.empty(); }
  /// The values of all terms for inputs of these shapes. Throws where a condition does not hold.
  std::vector<std::int64_t> evaluate(const std::vector<Dims>& inputs) const;
  /// Whether all conditions hold.
  bool admits(const std::vector<Dims>& inputs) const;

  /// Checks the number of a term.
  void check_term(int term) const;
  int add(SizeOp op, std::int64_t a, std::int64_t b, const std::vector<ValueInfo>& inputs);

 private:
  std::vector<std::int64_t> values(const std::vector<Dims>& inputs) const;
  const Condition* broken(const std::vector<std::int64_t>& values) const;
};

}  // namespace dwsep::runtime
