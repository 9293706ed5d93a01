#include "runtime/network/ops/elements.hpp"

#include "runtime/dispatch.hpp"
#include "runtime/network/ops/cast.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dwsep::runtime {
namespace {

float of_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

#if defined(__x86_64__)
/// How many of the elements were converted, eight at a time. Those among which there is a NaN are left to the loops below, which keep NaN
/// as they are.
[[gnu::target("avx,f16c")]] std::int64_t to_floats_of_eight(const Half* halves, float* floats, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 v = _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i)));
    if (_mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0) break;
    _mm256_storeu_ps(floats + i, v);
  }
  return i;
}
[[gnu::target("avx,f16c")]] std::int64_t to_halves_of_eight(const float* floats, Half* halves, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i), _mm256_cvtps_ph(_mm256_loadu_ps(floats + i), _MM_FROUND_TO_NEAREST_INT));
  }
  return i;
}
#endif

}  // namespace

bool uses_avx2() { return has_all(active_kernels().selection.features, feature::avx2); }

float to_float(Half h) {
  const std::uint32_t sign = std::uint32_t{h.bits & 0x8000U} << 16, rest = h.bits & 0x7FFFU;
  if (rest >= 0x7C00U) return of_bits(sign | 0x7F800000U | (rest & 0x3FFU) << 13);  // infinite, or NaN
  if (rest >= 0x0400U) return of_bits(sign | ((rest << 13) + (112U << 23)));
  const float tiny = static_cast<float>(rest) * 0x1p-24F;  // exact
  return sign != 0 ? -tiny : tiny;
}

namespace {

// Selects in place of branches, so that it is compiled to vectors: half as long as NumPy takes, which weights of files are many of.
void floats_by_selects(const Half* halves, float* floats, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t sign = std::uint32_t{halves[i].bits & 0x8000U} << 16, rest = halves[i].bits & 0x7FFFU;
    const float tiny = static_cast<float>(static_cast<std::int32_t>(rest)) * 0x1p-24F;  // exact
    std::uint32_t bits;
    std::memcpy(&bits, &tiny, sizeof(bits));
    bits = rest >= 0x0400U ? (rest << 13) + (112U << 23) : bits;
    bits = rest >= 0x7C00U ? (rest << 13) + (224U << 23) : bits;  // infinite, or NaN
    floats[i] = of_bits(sign | bits);
  }
}

// By selects too: 65,536 take 92 us for 152 with branches (AMD EPYC, Zen 3, 2026-11-30).
void halves_by_selects(const float* floats, Half* halves, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::int32_t bits, sum;
    std::memcpy(&bits, floats + i, sizeof(bits));
    const std::int32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7FFFFFFF, based = rest - (112 << 23);
    // The sum's last bit weighs 2^-24, that of the smallest half.
    const float rounded = of_bits(static_cast<std::uint32_t>(rest)) + 0.5F;
    std::memcpy(&sum, &rounded, sizeof(sum));
    std::int32_t y = (based + 0xFFF + (based >> 13 & 1)) >> 13;  // may carry into infinity, as it should
    y = rest < 0x38800000 ? sum - 0x3F000000 : y;
    y = rest >= 0x47800000 ? 0x7C00 : y;
    y = rest > 0x7F800000 ? 0x7E00 | (rest >> 13 & 0x3FF) : y;  // NaN
    halves[i].bits = static_cast<std::uint16_t>(sign | y);
  }
}

}  // namespace

// Up to a NaN, which is left to the selects, and then on. 200,704 take 142 us by selects (Zen 3).
void to_floats(const Half* halves, float* floats, std::int64_t count) {
#if defined(__x86_64__)
  while (count >= 8 && uses_avx2()) {
    std::int64_t done = to_floats_of_eight(halves, floats, count);
    if (count - done >= 8) {
      floats_by_selects(halves + done, floats + done, 8);
      done += 8;
    }
    halves += done;
    floats += done;
    count -= done;
  }
#endif
  floats_by_selects(halves, floats, count);
}

void to_halves(const float* floats, Half* halves, std::int64_t count) {
#if defined(__x86_64__)
  const std::int64_t done = uses_avx2() ? to_halves_of_eight(floats, halves, count) : 0;
#else
  constexpr std::int64_t done = 0;
#endif
  halves_by_selects(floats + done, halves + done, count - done);
}

namespace {

template <class From, class To>
[[gnu::always_inline]] inline void cast_each(const From* x, To* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = cast<To>(x[i]);
}

#if defined(__x86_64__)
/// Floats to integers eight at a time. What does not fit 32 bits becomes -2^31, whose bits are those of the greatest number turned over;
/// eight of 64 bits go one by one where one of them does not fit 32.
template <class From, class To>
[[gnu::target("avx2")]] void cast_by_avx2(const From* x, To* y, std::int64_t count) {
  constexpr bool kLong = std::is_same_v<To, std::int64_t>;
  if constexpr (std::is_same_v<From, float> && (kLong || std::is_same_v<To, std::int32_t>)) {
    const __m256 bound = _mm256_set1_ps(0x1p31F);
    for (; count >= 8; count -= 8, x += 8, y += 8) {
      const __m256 v = _mm256_loadu_ps(x);
      const __m256i cut = _mm256_cvttps_epi32(v);
      __m256i* const to = reinterpret_cast<__m256i*>(y);
      if constexpr (kLong) {
        const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v);
        if (_mm256_movemask_ps(_mm256_cmp_ps(size, bound, _CMP_NLT_UQ)) != 0) {
          cast_each(x, y, 8);
          continue;
        }
        _mm256_storeu_si256(to, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(cut)));
        _mm256_storeu_si256(to + 1, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(cut, 1)));
      } else {
        const __m256i beyond = _mm256_castps_si256(_mm256_cmp_ps(v, bound, _CMP_GE_OQ));
        const __m256i number = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_ORD_Q));
        _mm256_storeu_si256(to, _mm256_and_si256(_mm256_xor_si256(cut, beyond), number));
      }
    }
  }
  cast_each(x, y, count);
}
#endif

}  // namespace

template <class From, class To>
void cast_all(const From* x, To* y, std::int64_t count) {
#if defined(__x86_64__)
  if (uses_avx2()) return cast_by_avx2(x, y, count);
#endif
  cast_each(x, y, count);
}
template void cast_all(const float*, std::int32_t*, std::int64_t);
template void cast_all(const float*, std::int64_t*, std::int64_t);
template void cast_all(const float*, Bool*, std::int64_t);
template void cast_all(const std::int8_t*, float*, std::int64_t);
template void cast_all(const std::uint8_t*, float*, std::int64_t);
template void cast_all(const Bool*, float*, std::int64_t);
template void cast_all(const std::int8_t*, std::int32_t*, std::int64_t);
template void cast_all(const std::uint8_t*, std::int32_t*, std::int64_t);
template void cast_all(const std::uint8_t*, Bool*, std::int64_t);
template void cast_all(const Bool*, std::int32_t*, std::int64_t);
template void cast_all(const std::int32_t*, float*, std::int64_t);
template void cast_all(const std::int32_t*, std::uint8_t*, std::int64_t);
template void cast_all(const std::int32_t*, std::int64_t*, std::int64_t);
template void cast_all(const std::int32_t*, Bool*, std::int64_t);
template void cast_all(const std::int64_t*, float*, std::int64_t);
template void cast_all(const std::int64_t*, std::int32_t*, std::int64_t);
template void cast_all(const std::int64_t*, Bool*, std::int64_t);

}  // namespace dwsep::runtime
