// The fuzzer's bytes read as numbers, and the corpus's numbers written as bytes.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace freeconv::fuzz {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInf = std::numeric_limits<double>::infinity();

// What random bits would hardly hit: the ends of the doubles and of the integers, and what laws are made of.
inline constexpr double kNumbers[] = {0.0,
                                      1.0,
                                      0.5,
                                      2.0,
                                      -1.0,
                                      3.0,
                                      0.25,
                                      -0.0,
                                      1e-3,
                                      1e3,
                                      1e-16,
                                      1e16,
                                      1e-8,
                                      1e-40,
                                      1e-150,
                                      1e150,
                                      1e-300,
                                      1e300,
                                      -1e300,
                                      1e-308,
                                      5e-324,
                                      kNan,
                                      kInf,
                                      -kInf,
                                      1e8,
                                      -1e-8,
                                      -2.0,
                                      -0.5,
                                      1.0 + std::numeric_limits<double>::epsilon(),
                                      1.0 - std::numeric_limits<double>::epsilon(),
                                      std::numeric_limits<double>::max(),
                                      std::numeric_limits<double>::lowest()};
inline constexpr std::int64_t kIntegers[] = {0,
                                             1,
                                             2,
                                             3,
                                             -1,
                                             -2,
                                             std::numeric_limits<std::int32_t>::max(),
                                             std::int64_t{1} << 31,
                                             std::int64_t{1} << 32,
                                             (std::int64_t{1} << 32) + 1,
                                             std::int64_t{1} << 61,
                                             std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::min()};

// Zero bytes once all are used up: number() is 1 then, integer() 0.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool empty() const { return at_ >= size_; }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : data_[at_++]; }
  std::size_t below(std::size_t count) { return byte() % count; }

  // The first byte tells how: all bits, a special number, or one of moderate size with 8 bits of mantissa.
  double number() {
    const std::uint8_t tag = byte();
    if (tag < kAllBits) {
      const double size = std::ldexp(1.0 + byte() / 256.0, tag % 16 < 8 ? tag % 16 : tag % 16 - 16);
      return tag % 32 < 24 ? size : -size;
    }
    if (tag >= kSpecial) return kNumbers[tag % (sizeof kNumbers / sizeof *kNumbers)];
    return std::bit_cast<double>(bits());
  }
  std::int64_t integer() {
    const std::uint8_t tag = byte();
    if (tag < kAllBits) return tag % 16;
    if (tag >= kSpecial) return kIntegers[tag % (sizeof kIntegers / sizeof *kIntegers)];
    return std::bit_cast<std::int64_t>(bits());
  }

  static constexpr std::uint8_t kAllBits = 0x80;
  static constexpr std::uint8_t kSpecial = 0xa0;

 private:
  std::uint64_t bits() {
    std::uint64_t value = 0;
    for (int i = 0; i < 64; i += 8) value |= std::uint64_t{byte()} << i;
    return value;
  }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

class Writer {
 public:
  void byte(std::size_t value) { bytes.push_back(static_cast<std::uint8_t>(value)); }
  void number(double value) {
    byte(Reader::kAllBits);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 64; i += 8) byte(static_cast<std::size_t>(bits >> i & 0xff));
  }

  std::vector<std::uint8_t> bytes;
};

}  // namespace freeconv::fuzz
