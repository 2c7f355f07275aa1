// Double-double arithmetic: exact integers, and identities to 29 digits and more.
#include "check.hpp"
#include "freeconv/numeric/complex.hpp"
#include "random.hpp"

namespace freeconv::test {
namespace {

constexpr int kDraws = 20000;
constexpr double kRounding = 1e-31;      // of one operation; 2^-104 = 5e-32
constexpr double kElementary = 0x1p-94;  // 5e-29: each of the ten squarings of exp doubles the relative error 2^-104

__extension__ using Integer = __int128;

Integer integer(DoubleDouble a) { return static_cast<Integer>(a.hi) + static_cast<Integer>(a.lo); }

// |got - wanted| / |wanted|
double relative(DoubleDouble got, DoubleDouble wanted) {
  return to_double(fabs_(got - wanted)) / std::fabs(to_double(wanted));
}
double relative(Complex<DoubleDouble> got, Complex<DoubleDouble> wanted) {
  return std::sqrt(squared_modulus(got - wanted) / squared_modulus(wanted));
}

DoubleDouble random_wide(Random& random, double low, double high) {
  const double a = random.wide(low, high);
  return two_sum(a, a * random.uniform(-1.0, 1.0) * 0x1p-54);
}

void exact_integers() {
  Random random(1);
  for (int i = 0; i < kDraws; ++i) {
    const std::int64_t a = random.below(std::int64_t{1} << 53) - (std::int64_t{1} << 52);
    const std::int64_t b = random.below(std::int64_t{1} << 53) - (std::int64_t{1} << 52);
    const auto x = static_cast<double>(a);
    const auto y = static_cast<double>(b);
    check(integer(two_product(x, y)) == static_cast<Integer>(a) * b, "two_product of integers");
    check(integer(DoubleDouble(x) * DoubleDouble(y)) == static_cast<Integer>(a) * b, "product of integers");
    check(integer(two_sum(x * 0x1p40, y)) == (static_cast<Integer>(a) << 40) + b, "two_sum of integers");
    const DoubleDouble large = two_product(x, 0x1p40) + DoubleDouble(y);
    check(integer(large - DoubleDouble(y)) == static_cast<Integer>(a) << 40, "difference of integers");
    if (b == 0) continue;
    const DoubleDouble quotient = two_product(x, y) / DoubleDouble(y);
    check(quotient.hi == x && quotient.lo == 0.0, "quotient of integers");
    const DoubleDouble root = sqrt_(two_product(y, y));
    check_below(relative(root, DoubleDouble(std::fabs(y))), kRounding, "square root of a square");
  }
  const DoubleDouble sum = two_sum(0x1p60, 1.0);
  check(sum.hi == 0x1p60 && sum.lo == 1.0, "two_sum keeps a one beside 2^60");
  check(integer(sum - DoubleDouble(0x1p60)) == 1, "and gives it back");
  check(sqrt_(DoubleDouble(0.0)).hi == 0.0, "square root of 0");
  check(DoubleDouble(1.0, -1e-20) < DoubleDouble(1.0) && DoubleDouble(1.0, 1e-20) > DoubleDouble(1.0), "order");
  check(fabs_(DoubleDouble(-1.0, 1e-20)).lo == -1e-20, "modulus");
}

void identities() {
  Random random(2);
  for (int i = 0; i < kDraws; ++i) {
    const DoubleDouble a = random_wide(random, -100.0, 100.0);
    const DoubleDouble b = random_wide(random, -100.0, 100.0);
    check_below(relative((a / b) * b, a), 4.0 * kRounding, "(a / b) b = a");
    check_below(relative(a * b, b * a), kRounding, "a b = b a");
    const DoubleDouble root = sqrt_(fabs_(a));
    check_below(relative(root * root, fabs_(a)), 4.0 * kRounding, "sqrt(a)^2 = a");
    const DoubleDouble c = DoubleDouble(a.hi * 1e-10, a.lo * 1e-10);
    check_below(relative((a + c) - c, a), 4.0 * kRounding, "(a + c) - c = a");
  }
  check_below(std::fabs(to_double(DoubleDouble(1.0) / DoubleDouble(3.0) * DoubleDouble(3.0) - DoubleDouble(1.0))),
              kRounding, "1/3 * 3 = 1");
  const DoubleDouble third = DoubleDouble(1.0) / DoubleDouble(3.0);
  check(third.hi == 0.3333333333333333 && third.lo == 1.850371707708594e-17, "the digits of 1/3");
}

void complex_identities() {
  Random random(3);
  for (int i = 0; i < kDraws; ++i) {
    const bool far = i % 4 == 0;
    const DoubleDouble re = random_wide(random, far ? -100.0 : -3.0, far ? 100.0 : 3.0);
    const Complex<DoubleDouble> a{re, i % 2 == 0 ? re * random.wide(-6.0, 2.0) : random_wide(random, -3.0, 3.0)};
    const Complex<DoubleDouble> l = log(a);
    // exp turns an absolute error of the logarithm into a relative one.
    const double size = 1.0 + std::sqrt(squared_modulus(l));
    check_below(relative(exp(l), a), kElementary * size, "exp(log a) = a");
    check_below(relative(a * reciprocal(a), {DoubleDouble(1.0), DoubleDouble(0.0)}), 1e-30, "a / a = 1");
    const Complex<DoubleDouble> root = sqrt(a);
    check_below(relative(root * root, a), 1e-30, "sqrt(a)^2 = a");
    check(to_double(root.re) >= 0.0, "the principal root");
    const Complex<double> low = log(leading(a));
    check_close(to_double(l.re), low.re, 3.0 * kEpsilon * size, "log agrees with double, re");
    check_close(to_double(l.im), low.im, 3.0 * kEpsilon * size, "log agrees with double, im");
  }
  const Complex<DoubleDouble> one = exp(Complex<DoubleDouble>{});
  check(one.re.hi == 1.0 && one.re.lo == 0.0 && one.im.hi == 0.0, "exp 0 = 1");
  // e = 2.71828182845904523536028747135266249775724709...
  const DoubleDouble e{2.718281828459045, 1.4456468917292502e-16};
  check_below(relative(exp(Complex<DoubleDouble>{DoubleDouble(1.0), DoubleDouble(0.0)}).re, e), kElementary, "exp 1");
  // exp(i pi) = -1, pi = 3.14159265358979323846264338327950288...
  const DoubleDouble pi{3.141592653589793, 1.2246467991473532e-16};
  const Complex<DoubleDouble> turned = exp(Complex<DoubleDouble>{DoubleDouble(0.0), pi});
  check_below(std::fabs(to_double(turned.re + DoubleDouble(1.0))), kElementary, "exp(i pi) = -1");
  check_below(std::fabs(to_double(turned.im)), kElementary, "exp(i pi) is real");
}

}  // namespace
}  // namespace freeconv::test

int main() {
  freeconv::test::exact_integers();
  freeconv::test::identities();
  freeconv::test::complex_identities();
  return freeconv::test::finish();
}
