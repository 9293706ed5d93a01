// Loops over rows of numbers that the compiler makes vectors of: flags.txt has the flags for that.
#pragma once

#include <cstdint>

namespace dwsep::runtime {

/// y[i] = which[i] != 0 ? yes[i] : no[i]. T: unsigned, of 1, 2, 4 or 8 bytes. Steps as above.
template <class T>
void choose(const std::uint8_t* which, const T* yes, std::int64_t yes_step, const T* no, std::int64_t no_step, T* y, std::int64_t n);

/// y[i] = x[at(i)], where `at` is the first number of each of n places; `every` > 0 says that it is i / every.
void pick(const float* x, const std::int32_t* places, std::int64_t step, std::int64_t every, float* y, std::int64_t n);

/// Where the largest of n elements lies, or the least if sign is -1 in place of 1, for each of `lines` lines that begin at adjacent
/// elements: the first of equal ones, or the last. n < 2^31.
void places_of_extremes(const float* x, std::int64_t step, std::int64_t n, float sign, bool last, std::int64_t* y, std::int64_t lines);

/// Integers in the order of n floats, or in the opposite one unless `least_first`: ranks, above places, so that of equal ones the first
/// comes first. NaN lie beyond infinity.
void keys_of_floats(const float* x, std::int64_t step, std::int64_t n, bool least_first, std::int64_t* keys);
/// The k least of n different keys, in order.
void put_least_first(std::int64_t* keys, std::int64_t n, std::int64_t k);

/// Units of an LSTM whose gates are adjacent, in this order: of input, output and forgetting, and the new state.
inline constexpr std::int64_t kUnits = 16;
/// c = forget * c + input * fresh, bounded, for `pieces` of kUnits.
void keep_cells(const float* gates, float* c, float most, std::int64_t pieces);
/// y = output * c for n units.
void open_cells(const float* gates, const float* c, float* y, std::int64_t n);

}  // namespace dwsep::runtime
