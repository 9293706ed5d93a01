// Memory for packed weights and for scratch: aligned to a cache line.
#pragma once

#include <cstdint>
#include <memory>

namespace dwsep::runtime {

struct AlignedDelete {
  void operator()(float* p) const noexcept;
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

/// Uninitialised floats on a cache line's boundary. Throws std::bad_alloc, also for counts that no memory could hold.
AlignedFloats aligned_floats(std::int64_t count);

/// The same, shared: for weights, whose memory may as well belong to something else.
std::shared_ptr<float> shared_floats(std::int64_t count);

/// At least `count` floats that belong to the calling thread until it asks again. Grows, and is kept for the next call. Operators ask
/// once, before their threads start, for all of them: a failure can still be reported there.
float* thread_scratch(std::int64_t count);

}  // namespace dwsep::runtime
