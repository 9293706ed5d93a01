// Work structs of copies, and of loops that measure a machine.
#pragma once

#include <cstdint>

namespace dwsep {

/// y = x with non-temporal stores: y is not read soon. What is read next is fetched meanwhile.
struct NontemporalCopyWork {
  const float* x;
  std::int64_t count;
  float* y;
  const float* next;
  std::int64_t next_count;
};

/// Multiply-adds in registers: the peak.
struct FmaChainWork {
  std::int64_t iterations;
  float* sink;
  std::int64_t* flops;  ///< receives the number of operations
};

/// Counts of the two below are multiples of this, the largest unrolled step of any instruction set.
constexpr std::int64_t kStreamFloats = 128;

struct ReadStreamWork {
  const float* x;
  std::int64_t count;
  float* sink;
};

struct CopyStreamWork {
  const float* x;
  std::int64_t count;
  float* y;
};

}  // namespace dwsep
