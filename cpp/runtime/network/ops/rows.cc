#include "runtime/network/ops/rows.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/network/ops/elements.hpp"
#include "runtime/network/ops/repeated.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::int64_t kBlock = 64;
constexpr int kLanes = 8;

// Without a branch, which no predictor would know: 60,000 random choices took 500 us by one, 15 so (Zen 3, as all figures here).
template <class T>
void choose_between(const std::uint8_t* which, const T* yes, const T* no, T* __restrict y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T mask = static_cast<T>(which[i] != 0 ? ~T{0} : T{0});
    y[i] = static_cast<T>(no[i] ^ ((yes[i] ^ no[i]) & mask));
  }
}

}  // namespace

template <class T>
void choose(const std::uint8_t* which, const T* yes, std::int64_t yes_step, const T* no, std::int64_t no_step, T* y, std::int64_t n) {
  const Repeated<T> all_yes(yes, yes_step, n), all_no(no, no_step, n);
  for_pieces(all_yes, all_no, n, [&](const T* p, const T* q, std::int64_t first, std::int64_t count) {
    choose_between(which + first, p, q, y + first, count);
  });
}

template void choose(const std::uint8_t*, const std::uint8_t*, std::int64_t, const std::uint8_t*, std::int64_t, std::uint8_t*,
                     std::int64_t);
template void choose(const std::uint8_t*, const std::uint16_t*, std::int64_t, const std::uint16_t*, std::int64_t, std::uint16_t*,
                     std::int64_t);
template void choose(const std::uint8_t*, const std::uint32_t*, std::int64_t, const std::uint32_t*, std::int64_t, std::uint32_t*,
                     std::int64_t);
template void choose(const std::uint8_t*, const std::uint64_t*, std::int64_t, const std::uint64_t*, std::int64_t, std::uint64_t*,
                     std::int64_t);

namespace {

template <std::int64_t Times>
[[gnu::always_inline]] inline void repeat_each(const float* x, float* __restrict y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < Times; ++k) y[i * Times + k] = x[i];
  }
}

#if defined(__x86_64__)
template <std::int64_t Times>
[[gnu::target("avx2")]] void repeat_by_avx2(const float* x, float* y, std::int64_t n) {
  repeat_each<Times>(x, y, n);
}
#endif

template <std::int64_t Times>
void repeat(const float* x, float* y, std::int64_t n) {
#if defined(__x86_64__)
  if (uses_avx2()) return repeat_by_avx2<Times>(x, y, n);
#endif
  repeat_each<Times>(x, y, n);
}

}  // namespace

void pick(const float* x, const std::int32_t* places, std::int64_t step, std::int64_t every, float* y, std::int64_t n) {
  if (every == 2) return repeat<2>(x, y, n / 2);
  if (every == 4) return repeat<4>(x, y, n / 4);
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[places[i * step]];
}

namespace {

std::int64_t place_of_extreme(const float* x, std::int64_t step, std::int64_t n, float sign, bool last) {
  // The extreme first, in lanes, and then where it lies. A NaN is greater than nothing and nothing is greater, so that it stays where it
  // comes first and is passed over elsewhere.
  float best[kLanes];
  std::fill_n(best, kLanes, x[0] * sign);
  std::int64_t i = 0;
  if (step == 1) {
    for (; i + kLanes <= n; i += kLanes) {
      for (int k = 0; k < kLanes; ++k) best[k] = x[i + k] * sign > best[k] ? x[i + k] * sign : best[k];
    }
  }
  for (; i < n; ++i) best[0] = x[i * step] * sign > best[0] ? x[i * step] * sign : best[0];
  const float extreme = *std::max_element(best, best + kLanes) * sign;
  std::int64_t place = last ? n - 1 : 0;
  const std::int64_t end = last ? -1 : n, by = last ? -1 : 1;
  while (place != end && x[place * step] != extreme) place += by;
  return place == end ? 0 : place;
}

/// `count` is known where this is inlined, or not.
[[gnu::always_inline]] inline void search_block(const float* x, std::int64_t step, std::int64_t n, float sign, bool last, std::int64_t* y,
                                                std::int64_t count) {
  float best[kBlock];
  std::int32_t places[kBlock];
  const std::int32_t equals = last ? -1 : 0;
  for (std::int64_t k = 0; k < count; ++k) best[k] = x[k] * sign;
  std::fill_n(places, kBlock, 0);
  for (std::int64_t i = 1; i < n; ++i) {
    const float* const row = x + i * step;
    const auto place = static_cast<std::int32_t>(i);
    for (std::int64_t k = 0; k < count; ++k) {
      const float v = row[k] * sign, b = best[k];
      const std::int32_t better = (v > b ? -1 : 0) | ((v == b ? -1 : 0) & equals);
      best[k] = v > b ? v : b;  // equal ones differ in the sign of zero at most
      places[k] = (place & better) | (places[k] & ~better);
    }
  }
  for (std::int64_t k = 0; k < count; ++k) y[k] = places[k];
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void search_by_avx2(const float* x, std::int64_t step, std::int64_t n, float sign, bool last, std::int64_t* y) {
  search_block(x, step, n, sign, last, y, kBlock);
}
#endif
void search(const float* x, std::int64_t step, std::int64_t n, float sign, bool last, std::int64_t* y) {
#if defined(__x86_64__)
  if (uses_avx2()) return search_by_avx2(x, step, n, sign, last, y);
#endif
  search_block(x, step, n, sign, last, y, kBlock);
}

}  // namespace

// 21 planes of 128x128 took 1,029 us line by line, 170 so; 21 channels of as many pixels 961 and 510.
void places_of_extremes(const float* x, std::int64_t step, std::int64_t n, float sign, bool last, std::int64_t* y, std::int64_t lines) {
  for (; lines >= kBlock; lines -= kBlock, x += kBlock, y += kBlock) search(x, step, n, sign, last, y);
  for (; lines > 0; --lines) *y++ = place_of_extreme(x++, step, n, sign, last);
}

void keys_of_floats(const float* x, std::int64_t step, std::int64_t n, bool least_first, std::int64_t* keys) {
  const std::int32_t flip = least_first ? 0 : -1;
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = x[i * step] + 0.0F;  // one zero
    std::int32_t bits;
    std::memcpy(&bits, &v, sizeof(bits));
    bits ^= bits >> 31 & 0x7FFFFFFF;
    bits = (v != v ? 0x7FFFFFFF : bits) ^ flip;
    keys[i] = std::int64_t{bits} * (std::int64_t{1} << 32) + i;
  }
}

// Those that are not among the best so far are passed over, and the others cut to the best from time to time: the 100 best of 8,400 take
// 27 us, and 53 by a heap.
void put_least_first(std::int64_t* keys, std::int64_t n, std::int64_t k) {
  if (k == 0) return;
  const std::int64_t most = 4 * k + 64;
  std::int64_t kept = 0, bound = INT64_MAX;
  const auto cut = [&] {
    if (kept > k) std::nth_element(keys, keys + (k - 1), keys + kept);
    kept = k;
    bound = keys[k - 1];
  };
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t key = keys[i];
    if (key >= bound) continue;
    keys[kept++] = key;
    if (kept == most) cut();
  }
  cut();
  std::partial_sort(keys, keys + k, keys + k);
}

// One unit after the other they were 14 % of an LSTM of 64 units and 8 sequences.
void keep_cells(const float* gates, float* __restrict c, float most, std::int64_t pieces) {
  for (std::int64_t i = 0; i < pieces; ++i, gates += 4 * kUnits, c += kUnits) {
    for (std::int64_t u = 0; u < kUnits; ++u) {
      float v = gates[2 * kUnits + u] * c[u] + gates[u] * gates[3 * kUnits + u];
      v = v < -most ? -most : v;
      c[u] = most < v ? most : v;
    }
  }
}

void open_cells(const float* gates, const float* c, float* __restrict y, std::int64_t n) {
  gates += kUnits;
  for (; n >= kUnits; n -= kUnits, gates += 4 * kUnits, c += kUnits, y += kUnits) {
    for (std::int64_t u = 0; u < kUnits; ++u) y[u] = gates[u] * c[u];
  }
  for (std::int64_t u = 0; u < n; ++u) y[u] = gates[u] * c[u];
}

}  // namespace dwsep::runtime
