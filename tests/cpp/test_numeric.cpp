// Elementary functions against long double, on wide random ranges.
#include <cfloat>
#include <complex>
#include <limits>

#include "check.hpp"
#include "freeconv/numeric/complex.hpp"
#include "random.hpp"

namespace freeconv::test {
namespace {

constexpr int kDraws = 200000;
// What numeric/real.hpp states, plus an ulp where long double is no wider than double. The angles lose one more
// where the reduced argument itself was rounded (measured: atan2_ 2.17, sincos_ 2.28).
constexpr double kReferenceUlps = LDBL_MANT_DIG > DBL_MANT_DIG ? 0.0 : 1.0;
constexpr double kUlps = 1.5 + kReferenceUlps;
constexpr double kAngleUlps = 2.5 + kReferenceUlps;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Wide = std::complex<long double>;

double ulps(double got, long double wanted) {
  const double rounded = std::fabs(static_cast<double>(wanted));
  const double unit = std::nextafter(rounded, kInfinity) - rounded;
  return static_cast<double>(std::fabs(got - wanted) / unit);
}

// |got - wanted| in units of kEpsilon times `size`.
double part(Complex<double> got, Wide wanted, long double size) {
  const long double distance = std::abs(Wide(got.re, got.im) - wanted);
  return static_cast<double>(distance / (size * kEpsilon));
}

class Worst {
 public:
  void add(double value) { worst_ = value > worst_ || value != value ? value : worst_; }
  void below(double bound, const char* what, const Where& where = Where::current()) const {
    check_below(worst_, bound, what, where);
  }

 private:
  double worst_ = 0.0;
};

void logarithm() {
  Random random(1);
  Worst wide;
  Worst near;
  for (int i = 0; i < kDraws; ++i) {
    const double x = std::fabs(random.wide(-307.0, 308.0));
    wide.add(ulps(log_(x), std::log(static_cast<long double>(x))));
    const double y = 1.0 + random.wide(-15.0, -0.5);
    if (y != 1.0) near.add(ulps(log_(y), std::log(static_cast<long double>(y))));
  }
  wide.below(kUlps, "log_ over all magnitudes");
  near.below(kUlps, "log_ beside 1");
  check(log_(1.0) == 0.0, "log 1 is 0");
  check(log_(0.0) == -kInfinity, "log 0 is -inf");
  check(log_(kInfinity) == kInfinity, "log inf is inf");
  check(std::isnan(log_(kNan)), "log of NaN is NaN");
  check_below(ulps(log_(DBL_MIN), std::log(static_cast<long double>(DBL_MIN))), kUlps, "log of the least normal");
  check_below(ulps(log_(DBL_MAX), std::log(static_cast<long double>(DBL_MAX))), kUlps, "log of the largest");
}

void exponential() {
  Random random(2);
  Worst wide;
  Worst near;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform(-708.0, 708.0);
    wide.add(ulps(exp_(x), std::exp(static_cast<long double>(x))));
    const double y = random.wide(-20.0, 0.0);
    near.add(ulps(exp_(y), std::exp(static_cast<long double>(y))));
  }
  wide.below(kUlps, "exp_ to +-708");
  near.below(kUlps, "exp_ beside 0");
  check(exp_(0.0) == 1.0 && exp_(-0.0) == 1.0, "exp 0 is 1");
  check(exp_(1e6) == exp_(708.0) && exp_(kInfinity) == exp_(708.0), "exp saturates above 708");
  check(exp_(-1e6) == exp_(-708.0) && exp_(-kInfinity) == exp_(-708.0), "exp saturates below -708");
  check(exp_(-708.0) > 0.0 && std::isnormal(exp_(-708.0)), "exp stays normal");
  check(std::isnan(exp_(kNan)), "exp of NaN is NaN");
}

void arctangent() {
  Random random(3);
  Worst worst;
  for (int i = 0; i < kDraws; ++i) {
    // |y/x| stays a normal number.
    const double x = random.wide(-150.0, 150.0);
    const double y = i % 2 == 0 ? random.wide(-150.0, 150.0) : x * random.wide(-1.0, 1.0);
    worst.add(ulps(atan2_(y, x), std::atan2(static_cast<long double>(y), static_cast<long double>(x))));
  }
  worst.below(kAngleUlps, "atan2_");
  check(atan2_(0.0, 0.0) == 0.0, "atan2(0, 0) is 0");
  check(atan2_(0.0, -1.0) == kPi, "atan2(0, -1) is pi");
  check(atan2_(-0.0, -1.0) == kPi, "the negative axis is reached from above whatever the sign of zero");
  check(atan2_(1.0, 0.0) == kHalfPi && atan2_(-1.0, 0.0) == -kHalfPi, "atan2(+-1, 0) is +-pi/2");
  check(atan2_(1.0, 1.0) == 0.25 * kPi, "atan2(1, 1) is pi/4");
  check(atan2_(1.0, kInfinity) == 0.0, "atan2(1, inf) is 0");
  check(std::isnan(atan2_(kNan, 1.0)) && std::isnan(atan2_(1.0, kNan)), "atan2 of NaN is NaN");
}

void sine_and_cosine() {
  Random random(4);
  Worst worst;
  const auto add = [&](double x) {
    double s = 0.0;
    double c = 0.0;
    sincos_(x, s, c);
    worst.add(ulps(s, std::sin(static_cast<long double>(x))));
    worst.add(ulps(c, std::cos(static_cast<long double>(x))));
  };
  for (int i = 0; i < kDraws; ++i) {
    add(random.uniform(-1048576.0, 1048576.0));
    add(random.uniform(-4.0, 4.0));
    add(random.wide(-20.0, 0.0));
  }
  for (int k = 1; k < 600000; k += 7) add(k * kHalfPi);  // nothing is left of the argument but its reduction
  worst.below(kAngleUlps, "sincos_ to 2^20");
  double s = 1.0;
  double c = 0.0;
  sincos_(0.0, s, c);
  check(s == 0.0 && c == 1.0, "sin 0, cos 0");
  sincos_(kNan, s, c);
  check(std::isnan(s) && std::isnan(c), "sin, cos of NaN are NaN");
}

void complex_functions() {
  // Normwise: log to 3 eps max(1, |log|), the others to 5 eps of their size.
  Random random(5);
  Worst logarithms;
  Worst exponentials;
  Worst roots;
  Worst reciprocals;
  Worst quotients;
  for (int i = 0; i < kDraws; ++i) {
    const double re = random.wide(-300.0, 300.0);
    const Complex<double> a{re, i % 2 == 0 ? random.wide(-300.0, 300.0) : re * random.wide(-2.0, 2.0)};
    if (!std::isfinite(a.im)) continue;
    const Wide wide(a.re, a.im);
    const Wide l = std::log(wide);
    logarithms.add(part(log(a), l, std::fmax(1.0L, std::abs(l))));
    roots.add(part(sqrt(a), std::sqrt(wide), std::abs(std::sqrt(wide))));
    reciprocals.add(part(reciprocal(a), 1.0L / wide, std::abs(1.0L / wide)));
    const Complex<double> b{random.wide(-3.0, 3.0), random.wide(-3.0, 3.0)};
    const Wide unit = wide / std::abs(wide);
    const Complex<double> numerator{static_cast<double>(unit.real()), static_cast<double>(unit.imag())};
    const Wide quotient = Wide(numerator.re, numerator.im) / Wide(b.re, b.im);
    quotients.add(part(numerator / b, quotient, std::abs(quotient)));
    const Complex<double> e{random.uniform(-700.0, 700.0), random.uniform(-100.0, 100.0)};
    const Wide power = std::exp(Wide(e.re, e.im));
    exponentials.add(part(exp(e), power, std::abs(power)));
  }
  logarithms.below(3.0, "complex log");
  exponentials.below(5.0, "complex exp");
  roots.below(5.0, "complex sqrt");
  reciprocals.below(5.0, "complex reciprocal");
  quotients.below(5.0, "complex quotient");

  const Complex<double> above = sqrt(Complex<double>{-4.0, 0.0});
  check(above.re == 0.0 && above.im == 2.0, "sqrt(-4 + i0) is 2i");
  const Complex<double> below = sqrt(Complex<double>{-4.0, -1e-300});
  check(below.re > 0.0 && below.im == -2.0, "sqrt(-4 - i0) is -2i");
  const Complex<double> zero = sqrt(Complex<double>{0.0, 0.0});
  check(zero.re == 0.0 && zero.im == 0.0, "sqrt 0 is 0");
  check(log(Complex<double>{-1.0, 0.0}).im == kPi, "log(-1 + i0) is i pi");
  check_close(log(Complex<double>{-1.0, -1e-300}).im, -kPi, 0.0, "log(-1 - i0) is -i pi");
  const Complex<double> tiny = reciprocal(Complex<double>{1e-200, 1e-200});
  check_close(tiny.re * 1e-200, 0.5, 1e-15, "reciprocal where |a|^2 underflows");
  const Complex<double> huge = reciprocal(Complex<double>{1e200, -1e200});
  check_close(huge.im * 1e200, 0.5, 1e-15, "reciprocal where |a|^2 overflows");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::logarithm();
  freeconv::test::exponential();
  freeconv::test::arctangent();
  freeconv::test::sine_and_cosine();
  freeconv::test::complex_functions();
  return freeconv::test::finish();
}
