// A network planned for given input shapes: the place of every value, and memory for those that are neither inputs nor outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/memory/buffer.hpp"
#include "runtime/network/chain.hpp"
#include "runtime/network/network_impl.hpp"

namespace dwsep::runtime {

/// The number of a value or work as an index.
inline std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// The storage of a value: a part of another value's, or of its own.
struct Storage {
  int root = -1;            ///< the value that owns the memory
  std::int64_t offset = 0;  ///< in elements, from the root's first
  Dims shape, strides;
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;
};

/// Where the memory of a root comes from.
struct Place {
  enum class Kind : std::uint8_t { arena, input, output, constant };
  Kind kind = Kind::arena;
  int index = 0;            ///< of the input or output
  std::int64_t offset = 0;  ///< in bytes, in the arena
};

class ExecutionPlan {
 public:
  ExecutionPlan(const NetworkDraft& network, const std::vector<Dims>& inputs, Sized sized, int threads);

  bool fits(const std::vector<Dims>& inputs, int threads) const { return threads == threads_wanted_ && inputs == input_shapes_; }
  /// Whether a call with these arrays, taken as it is, is of these shapes.
  bool fits(const std::vector<ConstArray>& inputs, int threads) const;
  int threads() const { return threads_; }
  const std::vector<Dims>& input_shapes() const { return input_shapes_; }
  std::int64_t arena_bytes() const { return arena_bytes_; }
  const std::vector<Dims>& shapes() const { return shapes_; }
  /// What a step of the network computes here.
  const Op& op(std::size_t step) const { return *ops_[step]; }
  /// Whether a step of the network takes no time here.
  bool free(int step) const { return free_[static_cast<std::size_t>(step)]; }

  /// Runs all steps. `seconds`, where not null, gets one figure for each of the network's steps, and is zero before. `proceed`, where there
  /// is one, is asked now and then between two steps, outside of the team; false ends the run, which then returns false.
  bool run(const void* const* inputs, void* const* outputs, double* seconds, const std::function<bool()>& proceed);
  /// The same, timing each thread.
  std::vector<StepSpan> trace(const void* const* inputs, void* const* outputs);

  /// The arrays of the call that has this plan. Kept because to allocate them takes as long as a small step.
  std::vector<const void*> sources;
  std::vector<void*> targets;

 private:
  struct Work {
    const Op* op;
    int step;  ///< of the network; -1 for a copy to an output
    std::vector<int> inputs;
    Storage target;
    std::int64_t scratch_offset = 0;  ///< in bytes, in the arena
    int chain = 1;                    ///< so many works from this one run as a chain (chain.hpp); 0 inside of one
    int slot_count = 0;               ///< of the chain that begins here
    int slot = -1;                    ///< of a chain's scratch, for what only the chain sees
    std::array<int, kChainInputs> slots{-1, -1};
    std::vector<Array> arrays{};  ///< of the inputs
    Array result{};
    std::unique_ptr<PreparedCall> call{};  ///< or null: what a thread alone runs
    std::int64_t copied = 0;               ///< bytes, where all that is done is to copy them: 20 ns for states of a wake word, by an op 80
  };
  /// An array that lies in one of the caller's: each run sets its address, which is there.
  struct Callers {
    void* address;
    Place::Kind kind;
    int index;            ///< of the input or output
    std::int64_t offset;  ///< in bytes
  };

  struct Uses;  ///< of a value, by the network's steps

  static Operands operands(const Work& w) { return {w.arrays.data(), w.result, static_cast<int>(w.arrays.size())}; }
  void place_values(const NetworkDraft& network);
  void place_in_concatenations(const NetworkDraft& network, const std::vector<Uses>& uses);
  void place_in_planes(const NetworkDraft& network, const std::vector<Uses>& uses);
  bool seen_in_planes(const NetworkDraft& network, const std::vector<Uses>& uses, std::size_t turn, const Dims& strides) const;
  void place_views(const NetworkDraft& network, const std::vector<Uses>& uses);
  void place_outputs(const NetworkDraft& network);
  void list_works(const NetworkDraft& network);
  void find_chains();
  std::size_t end_of_products(std::size_t first) const;
  bool may_be_in_chain(const Work& work, bool by_rows = false) const;
  bool continues_chain(std::size_t first, std::size_t w, bool by_rows = false) const;
  bool stays_in_chain(std::size_t first, std::size_t last, std::size_t w) const;
  void place_in_slots(std::size_t first, std::size_t last);
  static std::int64_t slot_floats(const Work& head);
  int chain_threads(const Work& head) const;
  std::array<PerThread<float>, 3> chain_scratch(const Work& head, Scratch& scratch) const;
  std::int64_t chain_bytes(const Work& head) const;
  void run_chain_at(std::size_t first, const Team& team, double* seconds) const;
  void plan_arena();
  void set_addresses();
  std::size_t run_from(std::size_t first, double* seconds, bool pauses);
  void place(const Storage& s, Array& array);

  int threads_wanted_, threads_;
  std::vector<StepSpan>* spans_ = nullptr;  ///< of a run that is timed, `threads_` for each work
  bool pauses_ = false;                     ///< whether a run is long enough to ask between two steps whether it may proceed
  std::vector<Dims> input_shapes_, shapes_;
  std::vector<const Op*> ops_;                   ///< of the network's steps
  std::vector<std::shared_ptr<const Op>> made_;  ///< some of them, for open sizes
  std::vector<Storage> storage_;
  std::vector<Place> places_;      ///< of roots
  std::vector<bool> output_done_;  ///< computed in the caller's array, needs no copy
  std::vector<const void*> constants_;
  std::vector<Work> works_;
  std::vector<Callers> callers_;
  std::vector<bool> free_;
  std::int64_t arena_bytes_ = 0;
  AlignedMemory arena_;
};

}  // namespace dwsep::runtime
