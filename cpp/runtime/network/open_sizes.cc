#include "runtime/network/open_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/reject.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::size_t kMostTerms = std::size_t{1} << 16;

[[noreturn]] void overflow() { reject("inputs", "sizes whose arithmetic fits 64 bits", "larger ones"); }

std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) overflow();
  return a / b - static_cast<std::int64_t>(a % b != 0 && (a < 0) != (b < 0));
}

/// In float32, as importers of files compute it.
std::int64_t scaled(std::int64_t size, std::int64_t bits) {
  const auto word = static_cast<std::uint32_t>(bits);
  float scale = 0;
  std::memcpy(&scale, &word, sizeof(scale));
  const float product = std::floor(scale * static_cast<float>(size));
  if (!(std::fabs(product) < 0x1p62F)) overflow();
  return static_cast<std::int64_t>(product);
}

bool holds(std::int64_t value, SizeRelation relation) {
  switch (relation) {
    case SizeRelation::zero:
      return value == 0;
    case SizeRelation::not_zero:
      return value != 0;
    case SizeRelation::not_negative:
      return value >= 0;
  }
  return false;
}

}  // namespace

void OpenSizes::check_term(int term) const {
  if (term < 0 || static_cast<std::size_t>(term) >= terms.size())
    reject("size", "one of the " + std::to_string(terms.size()) + " earlier ones", std::to_string(term));
}

int OpenSizes::add(SizeOp op, std::int64_t a, std::int64_t b, const std::vector<ValueInfo>& inputs) {
  if (empty()) reject("size", "an example of the inputs before it", "none");
  if (terms.size() >= kMostTerms) reject("network", "at most 65536 sizes", "more");
  const auto check = [&](std::int64_t term) {
    check_term(term < 0 || term > static_cast<std::int64_t>(kMostTerms) ? -1 : static_cast<int>(term));
  };
  switch (op) {
    case SizeOp::input: {
      const bool there = a >= 0 && static_cast<std::size_t>(a) < inputs.size();
      const Sizes none;
      const Sizes& shape = there ? inputs[static_cast<std::size_t>(a)].shape : none;
      if (b < 0 || static_cast<std::size_t>(b) >= shape.size() || shape[static_cast<std::size_t>(b)] != -1)
        reject("size", "an open axis of an input", "axis " + std::to_string(b) + " of input " + std::to_string(a));
      break;
    }
    case SizeOp::constant:
      break;
    case SizeOp::scale:
      check(a);
      break;
    case SizeOp::add:
    case SizeOp::multiply:
    case SizeOp::divide:
      check(a);
      check(b);
      break;
    default:
      reject("size", "arithmetic that this version knows, 0 to 5", std::to_string(static_cast<int>(op)));
  }
  terms.push_back({op, a, b});
  return static_cast<int>(terms.size()) - 1;
}

std::vector<std::int64_t> OpenSizes::values(const std::vector<Dims>& inputs) const {
  std::vector<std::int64_t> v;
  v.reserve(terms.size());
  const auto at = [&](std::int64_t term) { return v[static_cast<std::size_t>(term)]; };
  for (const Term& t : terms) {
    std::int64_t value = 0;
    switch (t.op) {
      case SizeOp::input:
        value = inputs[static_cast<std::size_t>(t.a)][static_cast<int>(t.b)];
        break;
      case SizeOp::constant:
        value = t.a;
        break;
      case SizeOp::add:
        if (__builtin_add_overflow(at(t.a), at(t.b), &value)) overflow();
        break;
      case SizeOp::multiply:
        if (__builtin_mul_overflow(at(t.a), at(t.b), &value)) overflow();
        break;
      case SizeOp::divide:
        value = quotient(at(t.a), at(t.b));
        break;
      case SizeOp::scale:
        value = scaled(at(t.a), t.b);
        break;
    }
    v.push_back(value);
  }
  return v;
}

const OpenSizes::Condition* OpenSizes::broken(const std::vector<std::int64_t>& values) const {
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const Condition& c) { return !holds(values[static_cast<std::size_t>(c.term)], c.relation); });
  return found == conditions.end() ? nullptr : &*found;
}

std::vector<std::int64_t> OpenSizes::evaluate(const std::vector<Dims>& inputs) const {
  std::vector<std::int64_t> all = values(inputs);
  if (const Condition* const c = broken(all)) {
    std::string got;
    for (const Dims& d : inputs) got += (got.empty() ? "" : ", ") + to_string(d);
    reject("inputs", "sizes with " + c->text, "shapes " + got);
  }
  return all;
}

bool OpenSizes::admits(const std::vector<Dims>& inputs) const { return broken(values(inputs)) == nullptr; }

}  // namespace dwsep::runtime
