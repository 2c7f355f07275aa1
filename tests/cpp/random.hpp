// Reproducible random numbers: std::uniform_real_distribution differs between standard libraries.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

namespace freeconv::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
  }
  // Both signs, magnitudes 10^low to 10^high.
  double wide(double low, double high) {
    const double magnitude = std::pow(10.0, uniform(low, high));
    return (engine_() & 1U) != 0 ? magnitude : -magnitude;
  }
  // 0 <= value < count
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(count));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace freeconv::test
