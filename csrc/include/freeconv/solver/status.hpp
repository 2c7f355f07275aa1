// What is known of a point's value. The numbers are the wire format of freeconv.Status in Python.
#pragma once

namespace freeconv {

enum class Status : signed char {
  certified = 0,     // inside the support, proved to be the right branch
  outside = 1,       // off the support, proved by the masses: the density is 0
  edge = 2,          // within rounding of an edge, a cusp or an infinite density: given as 0
  recovered = 3,     // as certified, after the continuation from infinity
  uncertified = 4,   // no proof: the value is NaN
  not_a_number = 5,  // x was NaN
};

}  // namespace freeconv
