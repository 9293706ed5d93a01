// All checks for one instruction set. Compiled once for each, with its flags; DWSEP_SIMD_UNIT names it.
#include "tests/simd/floats.hpp"
#include "tests/simd/halves.hpp"
#include "tests/simd/memory.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

void check_all() {
  static const Inputs<float> f;
  static const Inputs<std::int32_t> i32;
  static const Inputs<std::int16_t> i16;
  static const Inputs<std::int8_t> i8;
  check_memory(f);
  check_memory(i32);
  check_memory(i16);
  check_memory(i8);
  check_float_memory(f);
  check_load_as<std::int16_t>(i8);
  check_load_as<std::int32_t>(i8);
  check_load_as<std::int32_t>(i16);
  check_moves(f);
  check_moves(i32);
  check_moves(i16);
  check_moves(i8);
  check_reinterpret<std::int32_t>(f);
  check_reinterpret<float>(i32);
  check_reinterpret<std::int8_t>(i32);
  check_reinterpret<std::int16_t>(i8);
  check_reinterpret<std::int8_t>(i16);
  check_integers(i32);
  check_integers(i16);
  check_integers(i8);
  check_widths(i8, i16);
  check_widths(i16, i32);
  check_narrow_four(i32);
  check_dot_pairs(i16);
  check_bytes();
  check_look_up();
  check_floats(f);
  check_conversions(f, i32);
  check_requantize(i32);
  check_halves(f);
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
