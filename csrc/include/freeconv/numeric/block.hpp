// W complex numbers as two plain arrays (structure of arrays): the unit that every kernel works on.
#pragma once

#include "freeconv/numeric/complex.hpp"

namespace freeconv {

template <class R, int W>
struct Block {
  alignas(64) R re[W];
  alignas(64) R im[W];

  [[gnu::always_inline]] Complex<R> get(int i) const { return {re[i], im[i]}; }
  [[gnu::always_inline]] void set(int i, Complex<R> value) {
    re[i] = value.re;
    im[i] = value.im;
  }
};

}  // namespace freeconv
