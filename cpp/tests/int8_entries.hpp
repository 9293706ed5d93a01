// Tests of the registry's int8 convolutions, all that this processor can run: what they share.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "isa/sets.hpp"
#include "kernels/int8_work.hpp"
#include "runtime/features.hpp"

namespace dwsep::test {

using Int = std::int64_t;

inline std::size_t index(Int i) { return static_cast<std::size_t>(i); }

struct Random {
  std::mt19937_64 engine;
  Int operator()(Int least, Int most) { return least + static_cast<Int>(engine() % static_cast<std::uint64_t>(most - least + 1)); }
  bool one_of(Int n) { return (*this)(1, n) == 1; }
  std::int8_t byte() { return static_cast<std::int8_t>((*this)(-128, 127)); }
};

/// An array whose end, or beginning, lies at a page that may not be touched.
template <class T>
class Guarded {
 public:
  Guarded(Int n, bool at_end) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = index(n) * sizeof(T), inside = std::max((bytes + page - 1) / page * page, page);
    length_ = inside + 2 * page;
    memory_ = static_cast<char*>(mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + page, inside, PROT_READ | PROT_WRITE);
    data_ = reinterpret_cast<T*>(memory_ + page + (at_end ? inside - bytes : 0));
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(memory_, length_); }
  T* data() { return data_; }
  T& operator[](Int i) { return data_[i]; }

 private:
  char* memory_;
  std::size_t length_;
  T* data_;
};

/// Bytes that are random, or all as far from zero as they can be.
enum class Bytes { random, lowest, extreme };
inline std::int8_t byte(Random& random, Bytes kind) {
  if (kind == Bytes::lowest) return -128;
  return kind == Bytes::extreme ? static_cast<std::int8_t>(random.one_of(2) ? 127 : -128) : random.byte();
}

/// What an entry packs, on a cache line each.
struct Packed {
  Int8PackWork work;
  std::vector<char> bytes, sums, multipliers;

  Packed(const KernelEntry& entry, Int8PackWork w) : work(w) {
    entry.pack(&work);
    const auto place = [](std::vector<char>& memory, Int n) {
      memory.resize(index(n) + 64);
      return memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64;
    };
    work.packed = place(bytes, work.bytes);
    work.initial = reinterpret_cast<std::int32_t*>(place(sums, 4 * work.sums));
    work.multiplier = reinterpret_cast<float*>(place(multipliers, 4 * work.sums));
    entry.pack(&work);
  }
};

/// How a case's sums become its results, and one of them computed by the rule.
struct Rule {
  bool x_unsigned, y_unsigned, with_residual;
  std::vector<std::int32_t> bias, zeros, los, his;  ///< for each channel; the bounds also where all channels share them
  std::vector<float> multipliers;
  bool each_channel;
  float residual_scale;
  std::int32_t residual_zero;

  Rule(Random& random, Int channels, double typical_sum) {
    x_unsigned = random.one_of(2);
    y_unsigned = random.one_of(2);
    with_residual = random.one_of(3);
    each_channel = random.one_of(4);
    residual_scale = static_cast<float>(random(1, 2000)) * 1e-3F;
    residual_zero = static_cast<std::int32_t>(random(-128, 127));
    const bool huge = random.one_of(8), open = random.one_of(3);  // no bounds but a byte's
    for (Int c = 0; c < channels + 64; ++c) {                     // kernels may read whole vectors of bounds
      bias.push_back(static_cast<std::int32_t>(random(-20000, 20000)));
      multipliers.push_back(static_cast<float>(static_cast<double>(random(500, 1500)) * (huge ? 1e9 : 0.06 / typical_sum)));
      const bool first = c == 0 || each_channel;
      zeros.push_back(first ? static_cast<std::int32_t>(random(-128, 127)) : zeros[0]);
      los.push_back(first ? static_cast<std::int32_t>(open ? -128 : random(-128, -20)) : los[0]);
      his.push_back(first ? static_cast<std::int32_t>(open ? 127 : random(-10, 127)) : his[0]);
    }
  }

  Requantize requantize(const float* packed_multipliers) const {
    Requantize q{packed_multipliers, zeros[0], los[0], his[0], nullptr, nullptr, nullptr, -3, 50};
    q.most = *std::max_element(multipliers.begin(), multipliers.end());
    if (each_channel) {
      q.zeros = zeros.data();
      q.los = los.data();
      q.his = his.data();
    }
    return q;
  }
  std::uint8_t y_flip() const { return y_unsigned ? 0x80 : 0; }
  int x_value(std::int8_t stored) const { return x_unsigned ? static_cast<int>(static_cast<std::uint8_t>(stored)) - 128 : stored; }

  float real(Int sum, Int channel, std::int8_t residual) const {
    volatile float v = static_cast<float>(static_cast<std::int32_t>(sum)) * multipliers[index(channel)];
    if (!with_residual) return v;
    const int r = static_cast<std::int8_t>(static_cast<std::uint8_t>(residual) ^ y_flip());
    volatile float added = static_cast<float>(r - residual_zero) * residual_scale;
    v = v + added;
    return v;
  }
  bool agrees(float y, Int sum, Int channel, std::int8_t residual) const {
    const float want = std::min(std::max(real(sum, channel, residual), -3.0F), 50.0F);
    return std::memcmp(&y, &want, sizeof y) == 0;
  }
  bool agrees(std::int8_t y, Int sum, Int channel, std::int8_t residual) const {
    const std::int32_t zero = zeros[index(channel)], lo = los[index(channel)], hi = his[index(channel)];
    const float v = real(sum, channel, residual);
    const float bounded = std::min(std::max(v, static_cast<float>(lo - zero)), static_cast<float>(hi - zero));
    const std::int32_t want = static_cast<std::int32_t>(std::nearbyint(bounded)) + zero;
    return y == static_cast<std::int8_t>(static_cast<std::uint8_t>(want) ^ y_flip());
  }
};

/// Calls f(entry, set's name) for all int8 convolutions of a family that this processor can run.
template <class F>
void for_each_int8_entry(Family family, const F& f) {
  const Features features = runtime::detected_features();
  for (const KernelSet* set : isa::kSets) {
    if (!runtime::has_all(features, set->needs)) continue;
    for (int u = 0; u < set->unit_count; ++u) {
      for (int i = 0; i < set->units[u]->count; ++i) {
        const KernelEntry& e = set->units[u]->entries[i];
        if (e.family == family && e.types.x == DType::int8) f(e, std::string(set->isa) + " " + e.name);
      }
    }
  }
}

}  // namespace dwsep::test
