// The floating-point environment that all work runs in, whatever the calling thread or the one that started a worker has set.
#pragma once

#include <cstdint>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <cfenv>
#endif

namespace dwsep::runtime {

/// For a scope: rounding to nearest, subnormal numbers kept, no traps; afterwards as it was.
///
/// Libraries flush subnormal numbers to zero in the thread that loads or calls them, and new threads inherit it or not: then results
/// depend on who computes them. The register is written only where something differs: most callers pay for reading it alone.
class FloatEnvironment {
 public:
  FloatEnvironment() noexcept : before_(control()) {
    if (differs()) set_control(kDefault);
  }
  ~FloatEnvironment() {
    if (differs()) set_control(before_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
#if defined(__x86_64__)
  using Control = std::uint32_t;
  static constexpr Control kDefault = 0x1f80, kFlags = 0x3f;  // all traps masked; the flags that operations have raised
  static Control control() noexcept { return __builtin_ia32_stmxcsr(); }
  static void set_control(Control value) noexcept { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
  using Control = std::uint64_t;
  static constexpr Control kDefault = 0, kFlags = 0;
  static Control control() noexcept {
    Control value;
    asm volatile("mrs %0, fpcr" : "=r"(value)::"memory");
    return value;
  }
  static void set_control(Control value) noexcept { asm volatile("msr fpcr, %0" ::"r"(value) : "memory"); }
#else
  using Control = int;
  static constexpr Control kDefault = FE_TONEAREST, kFlags = 0;
  static Control control() noexcept { return std::fegetround(); }
  static void set_control(Control value) noexcept { std::fesetround(value); }
#endif

  bool differs() const noexcept { return (before_ & ~kFlags) != kDefault; }

  const Control before_;
};

}  // namespace dwsep::runtime
