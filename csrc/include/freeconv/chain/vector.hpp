// Vectors of lanes as wide as the instruction set's registers, for kernels that keep all of a step in them. The same
// operations on every lane, whatever the width: the same bits.
#pragma once

#ifndef FREECONV_ISA
#define FREECONV_ISA baseline
#endif

namespace freeconv::FREECONV_ISA {

#if defined(__AVX512F__)
inline constexpr int kVector = 8;
#elif defined(__AVX__)
inline constexpr int kVector = 4;
#else
inline constexpr int kVector = 2;
#endif

using Doubles = double __attribute__((vector_size(8 * kVector)));
using Longs = long long __attribute__((vector_size(8 * kVector)));
using Bits = unsigned long long __attribute__((vector_size(8 * kVector)));

[[gnu::always_inline]] inline Doubles load(const double* from) {
  Doubles v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
[[gnu::always_inline]] inline Longs load(const long long* from) {
  Longs v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
[[gnu::always_inline]] inline void store(long long* to, Longs v) { __builtin_memcpy(to, &v, sizeof v); }
[[gnu::always_inline]] inline void store(double* to, Doubles v) { __builtin_memcpy(to, &v, sizeof v); }
[[gnu::always_inline]] inline Doubles every(double x) { return Doubles{} + x; }
[[gnu::always_inline]] inline Doubles magnitude(Doubles x) { return (Doubles)((Longs)x & 0x7fffffffffffffffLL); }
[[gnu::always_inline]] inline Doubles size(Doubles re, Doubles im) { return magnitude(re) + magnitude(im); }
[[gnu::always_inline]] inline bool all(Longs v) {
  long long every_one = -1;
  for (int i = 0; i < kVector; ++i) every_one &= v[i];
  return every_one != 0;
}
// 0, 1, 2, ...
[[gnu::always_inline]] inline Longs lane_numbers() {
  Longs v{};
  for (int i = 0; i < kVector; ++i) v[i] = i;
  return v;
}
// 1 where x is negative.
[[gnu::always_inline]] inline Longs sign_bit(Doubles x) { return (Longs)((Bits)x >> 63); }

}  // namespace freeconv::FREECONV_ISA
