// The interface of a step of a network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/layers/prepared_call.hpp"
#include "runtime/memory/scratch.hpp"
#include "runtime/network/array.hpp"
#include "runtime/network/description.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {

/// What a step reads and writes. The output shares no memory with an input.
struct Operands {
  const Array* inputs;
  const Array& output;
  int input_count;
};

/// A product of matrices, the second of which is packed once and serves any rows of the first.
class MatrixProduct {
 public:
  virtual ~MatrixProduct() = default;
  virtual std::int64_t packed_floats(const Dims& b) const = 0;
  /// The one matrix of b, whose batch axes are 1.
  virtual void pack(const Array& b, float* to) const noexcept = 0;
  virtual void multiply(const Operands& o, const float* packed) const noexcept = 0;
};

/// Immutable; one object serves all callers at once.
class Op {
 public:
  virtual ~Op() = default;

  /// The output's shape, of inputs that may be empty. Throws std::invalid_argument when inputs do not fit.
  virtual Dims infer(const std::vector<Dims>& inputs) const = 0;

  /// The output's type, of inputs of these types. Throws std::invalid_argument, of the step that `d` describes, where it does not compute
  /// with them: in general, with anything but float32.
  virtual ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const;

  /// If the output is a view of input 0: sets its strides, and its offset in elements from the input's first
  /// one, and returns true. Shapes fit.
  virtual bool view(const Array& /*x*/, const Dims& /*output*/, Dims* /*strides*/, std::int64_t* /*offset*/) const { return false; }

  /// The axes of input 0 in the order in which the output has them, where all that the step does is to transpose; else none.
  virtual Dims permutation() const { return {}; }

  /// Whether input 0 may be a transposed view of planes, of so many images, rows, pixels and channels: each channel's pixels adjacent.
  virtual bool takes_planes(const Dims& /*x*/) const { return false; }
  /// Whether the output may be, of an input of this shape.
  virtual bool makes_planes(const Dims& /*x*/) const { return false; }

  /// The axis along which the output concatenates its inputs, which may then be computed in place; else -1.
  virtual int concatenated_axis() const { return -1; }

  /// Whether each element of the output is computed of the elements at its place of the inputs, which are broadcast to its shape. Such an
  /// op has at most two inputs, all floats, and no scratch.
  virtual bool elementwise() const { return false; }

  /// Whether each row along the last axis of the output is computed of the same row of the one input, without scratch.
  virtual bool by_rows(int /*rank*/) const { return false; }
  /// The product of matrices that the op is, or null.
  virtual const MatrixProduct* product() const { return nullptr; }

  /// Bytes of scratch for any team of 1 to `threads`, which share it.
  virtual std::int64_t scratch_bytes(const std::vector<Dims>& /*inputs*/, const Dims& /*output*/, int /*threads*/) const { return 0; }

  /// The part of one thread of the team: divides its work by team.size(). A barrier follows. Must neither throw nor allocate, and
  /// writes every element of the output. No input is empty.
  virtual void run(Team& team, const Operands& o, Scratch scratch) const noexcept = 0;

  /// That part of a team of one, for arrays of such shapes and strides, or null where there is nothing to decide beforehand.
  virtual std::unique_ptr<PreparedCall> prepare(const Operands& /*o*/, Scratch /*scratch*/) const { return nullptr; }

  /// For reports: additions and multiplications counted apart; the kernels that run.
  virtual double flops(const std::vector<Dims>& /*inputs*/, const Dims& output) const { return static_cast<double>(output.count()); }
  virtual std::string kernel(const std::vector<Dims>& /*inputs*/, int /*threads*/) const { return {}; }
  virtual std::vector<NamedWeights> named_weights() const { return {}; }
  /// Bytes of weights that the op holds in another form, beside those.
  virtual std::int64_t packed_bytes() const { return 0; }
};

/// Makes an op of any kind that the schemas list. Throws std::invalid_argument if kind, attributes or weights do not match the schema.
std::unique_ptr<const Op> make_op(const Description& d);
/// Throws std::invalid_argument if ops of this kind do not have so many inputs.
void check_input_count(const Description& d, std::size_t count);

}  // namespace dwsep::runtime
