#include "runtime/network/execution_plan.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "runtime/layers/cache_blocks.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace dwsep::runtime {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Copies values that could not be computed in place. Never destroyed: threads may still run networks while the process exits.
const Op& copy_op() {
  static const Op* const op = [] {
    Description d;
    d.kind = "identity";
    return make_op(d).release();
  }();
  return *op;
}

/// A fork waits until it is made, as in dispatch.cc.
void make_before_fork() noexcept {
  try {
    copy_op();
  } catch (const std::exception&) {
  }
}
[[maybe_unused]] const bool made_before_fork = pthread_atfork(make_before_fork, nullptr, nullptr) == 0;

}  // namespace

ExecutionPlan::ExecutionPlan(const NetworkDraft& network, const std::vector<Dims>& inputs, Sized sized, int threads)
    : threads_wanted_(threads), threads_(threads), input_shapes_(inputs), shapes_(std::move(sized.shapes)) {
  for (std::size_t s = 0; s < network.steps.size(); ++s) ops_.push_back(&sized.op(network, s));
  made_ = std::move(sized.ops);
  const std::size_t values = network.values.size();
  storage_.resize(values);
  places_.resize(values);
  constants_.resize(values, nullptr);
  free_.resize(network.steps.size(), false);
  for (std::size_t v = 0; v < values; ++v) {
    const ValueType& type = network.values[v].type;
    storage_[v] = {static_cast<int>(v), 0, shapes_[v], dense_strides(shapes_[v]), type.dtype, type.quantization.get()};
    if (network.values[v].kind != Value::Kind::constant) continue;
    places_[v].kind = Place::Kind::constant;
    constants_[v] = network.values[v].data.get();
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) places_[at(network.inputs[i])] = {Place::Kind::input, static_cast<int>(i), 0};
  place_values(network);
  list_works(network);
  plan_arena();
  set_addresses();
}

bool ExecutionPlan::fits(const std::vector<ConstArray>& inputs, int threads) const {
  if (threads != threads_wanted_ || inputs.size() != input_shapes_.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Sizes& s = inputs[i].shape;
    if (!std::equal(s.begin(), s.end(), input_shapes_[i].begin(), input_shapes_[i].end())) return false;
  }
  return true;
}

void ExecutionPlan::list_works(const NetworkDraft& network) {
  double flops = 0, bytes = 0;
  for (std::size_t s = 0; s < network.steps.size(); ++s) {
    const Step& step = network.steps[s];
    const Storage& mine = storage_[at(step.output)];
    if (free_[s] || mine.shape.count() == 0) {
      free_[s] = true;
      continue;
    }
    if (const int axis = op(s).concatenated_axis(); axis >= 0) {
      // What could not be computed in place is copied there, input by input.
      free_[s] = true;
      std::int64_t position = 0;
      for (const int v : step.inputs) {
        const Storage& x = storage_[at(v)];
        const std::int64_t offset = mine.offset + position * mine.strides[axis];
        position += x.shape[axis];
        if (x.shape.count() == 0 || (x.root == mine.root && x.offset == offset)) continue;
        works_.push_back({&copy_op(), static_cast<int>(s), {v}, {mine.root, offset, x.shape, mine.strides, mine.dtype, mine.quantization}});
        free_[s] = false;
      }
      continue;
    }
    std::vector<Dims> operands;
    for (const int v : step.inputs) {
      if (shapes_[at(v)].count() == 0)
        step.description.reject("input", "a non-empty array where the output is not empty", to_string(shapes_[at(v)]));
      operands.push_back(shapes_[at(v)]);
      bytes += static_cast<double>(network.values[at(v)].type.bytes(shapes_[at(v)]));
    }
    flops += op(s).flops(operands, mine.shape);
    works_.push_back({&op(s), static_cast<int>(s), step.inputs, mine});
  }
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const int v = network.outputs[i];
    if (output_done_[i] || shapes_[at(v)].count() == 0) continue;
    const int root = static_cast<int>(storage_.size());
    storage_.push_back({root, 0, shapes_[at(v)], dense_strides(shapes_[at(v)]), storage_[at(v)].dtype, storage_[at(v)].quantization});
    places_.push_back({Place::Kind::output, static_cast<int>(i), 0});
    constants_.push_back(nullptr);
    works_.push_back({&copy_op(), -1, {v}, storage_.back()});
  }
  threads_ = worthwhile_threads(threads_wanted_, flops, bytes);
  // Reading the clock after each step takes 40 ns, a tenth of a small step.
  pauses_ = estimated_seconds(flops, bytes) > 2e-3;
  find_chains();
}

/// What a run finds in its place: setting all addresses anew took a third of the time of steps of 0.3 us.
void ExecutionPlan::set_addresses() {
  for (Work& w : works_) {
    const std::size_t first = callers_.size();
    for (std::size_t i = 0; i < w.inputs.size(); ++i) place(storage_[at(w.inputs[i])], w.arrays[i]);
    place(w.target, w.result);
    if (threads_ == 1 && w.chain == 1) w.call = w.op->prepare(operands(w), Scratch(arena_.get() + w.scratch_offset));
    for (std::size_t i = first, end = callers_.size(); w.call != nullptr && i < end; ++i) {
      Callers same = callers_[i];
      same.address = same.address == &w.result.data ? w.call->y : (same.address == &w.arrays[0].data ? w.call->x : w.call->residual);
      callers_.push_back(same);
    }
    if (w.op == &copy_op() && w.arrays[0].dense() && w.result.dense()) w.copied = w.result.shape.count() * size_of(w.result.dtype);
  }
}

void ExecutionPlan::place(const Storage& s, Array& array) {
  const Place& place = places_[at(s.root)];
  const std::int64_t offset = s.offset * size_of(s.dtype);
  array = {nullptr, s.shape, s.strides, s.dtype, s.quantization};
  if (place.kind == Place::Kind::arena) {
    array.data = arena_.get() + place.offset + offset;
  } else if (place.kind == Place::Kind::constant) {
    array.data = static_cast<std::byte*>(const_cast<void*>(constants_[at(s.root)])) + offset;
  } else {
    callers_.push_back({&array.data, place.kind, place.index, offset});
  }
}

bool ExecutionPlan::run(const void* const* inputs, void* const* outputs, double* seconds, const std::function<bool()>& proceed) {
  for (const Callers& c : callers_) {
    void* data = c.kind == Place::Kind::input ? const_cast<void*>(inputs[c.index]) : outputs[c.index];
    data = static_cast<std::byte*>(data) + c.offset;
    std::memcpy(c.address, &data, sizeof data);
  }
  const bool pauses = pauses_ && proceed;
  for (std::size_t next = run_from(0, seconds, pauses); next < works_.size(); next = run_from(next, seconds, pauses)) {
    if (!proceed()) return false;
  }
  return true;
}

std::vector<StepSpan> ExecutionPlan::trace(const void* const* inputs, void* const* outputs) {
  std::vector<StepSpan> spans(works_.size() * at(threads_));
  spans_ = &spans;
  run(inputs, outputs, nullptr, {});
  spans_ = nullptr;
  const auto nothing = [](const StepSpan& s) { return s.end == 0 || s.step < 0; };
  spans.erase(std::remove_if(spans.begin(), spans.end(), nothing), spans.end());
  return spans;
}

/// Returns the first step that was not run: with `pauses`, some may be left after a while.
std::size_t ExecutionPlan::run_from(std::size_t first, double* seconds, bool pauses) {
  constexpr std::chrono::milliseconds longest{80};
  // Set by one thread before a barrier, read by all after it, so they leave together. A late thread may read what was set after a later
  // step, and goes on to that one.
  std::atomic<std::size_t> last{works_.size()};
  parallel(threads_, [&](Team& team) {
    const auto start = std::chrono::steady_clock::now();
    auto before = start;
    for (std::size_t i = first; i < works_.size() && last.load(std::memory_order_relaxed) >= i; i += at(works_[i].chain)) {
      const Work& w = works_[i];
      const bool leads = team.rank() == 0;
      StepSpan* const span = spans_ == nullptr ? nullptr : &(*spans_)[i * at(threads_) + at(team.rank())];
      if (span != nullptr) *span = {w.step, works_[i + at(w.chain) - 1].step - w.step + 1, team.rank(), seconds_since(start), 0};
      if (w.call != nullptr) {
        w.call->run();
      } else if (w.chain > 1) {
        run_chain_at(i, team, leads ? seconds : nullptr);
      } else if (w.copied > 0) {
        const Range mine = team.size() == 1 ? Range{0, w.copied} : part_of(w.copied, team.rank(), team.size());
        std::memcpy(w.result.as<char>() + mine.begin, w.arrays[0].as<const char>() + mine.begin,
                    static_cast<std::size_t>(mine.end - mine.begin));
      } else {
        w.op->run(team, operands(w), Scratch(arena_.get() + w.scratch_offset));
      }
      if (span != nullptr) span->end = seconds_since(start);
      const bool late = leads && pauses && std::chrono::steady_clock::now() - start > longest;
      if (late) last.store(i + at(w.chain) - 1, std::memory_order_relaxed);
      team.barrier();
      if (seconds == nullptr || !leads || w.step < 0) continue;
      const auto now = std::chrono::steady_clock::now();
      if (w.chain == 1) seconds[w.step] += std::chrono::duration<double>(now - before).count();
      before = now;
    }
  });
  return std::min(last.load(std::memory_order_relaxed) + 1, works_.size());
}

}  // namespace dwsep::runtime
