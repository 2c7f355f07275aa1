// What a test needs: checks that name their line when they fail, and a count of the failures as the exit code.
#pragma once

#include <cmath>
#include <cstdio>
#include <source_location>
#include <string>

namespace freeconv::test {

using Where = std::source_location;

inline int& failures() {
  static int count = 0;
  return count;
}

inline void check(bool good, const std::string& what, const Where& where = Where::current()) {
  if (good) return;
  ++failures();
  std::printf("%s:%u: %s\n", where.file_name(), static_cast<unsigned>(where.line()), what.c_str());
}

// |got - wanted| <= tolerance; a NaN fails.
inline void check_close(double got, double wanted, double tolerance, const std::string& what,
                        const Where& where = Where::current()) {
  if (std::fabs(got - wanted) <= tolerance) return;
  char text[160];
  std::snprintf(text, sizeof text, ": got %.17g, wanted %.17g up to %.3g", got, wanted, tolerance);
  check(false, what + text, where);
}

// value <= bound; a NaN fails.
inline void check_below(double value, double bound, const std::string& what, const Where& where = Where::current()) {
  if (value <= bound) return;
  char text[120];
  std::snprintf(text, sizeof text, ": %.6g exceeds %.3g", value, bound);
  check(false, what + text, where);
}

inline int finish() {
  if (failures() > 0) std::printf("%d checks failed\n", failures());
  return failures() > 0 ? 1 : 0;
}

}  // namespace freeconv::test
