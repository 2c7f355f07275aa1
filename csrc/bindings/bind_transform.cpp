// R- and S-transforms: convert, check, release the GIL, call.
#include <complex>

#include "convert.hpp"
#include "freeconv/solver/transform.hpp"
#include "interrupt.hpp"

namespace freeconv::bindings {
namespace {

// K at each value, NaN where it could not be followed.
Array<std::complex<double>> r_parts(const py::tuple& arrays, bool at_m, const Array<std::complex<double>>& values) {
  const auto* in = reinterpret_cast<const double*>(data_of(values, "values"));
  const Program program = read_program(arrays, false, Offsets::at_zero);
  const py::ssize_t n = values.shape(0);
  Array<std::complex<double>> result(n);
  auto* out = reinterpret_cast<double*>(result.mutable_data());
  Signals signals;
  {
    const py::gil_scoped_release release;
    Transform transform(program);
    for (py::ssize_t i = 0; i < n && !signals.interrupt().stopped(); ++i) {
      Complex<double> k{};
      const bool good = transform.k_at(at_m ? Argument::m : Argument::g, Complex<double>{in[2 * i], in[2 * i + 1]}, k);
      out[2 * i] = good ? k.re : __builtin_nan("");
      out[2 * i + 1] = good ? k.im : __builtin_nan("");
    }
  }
  signals.raise_if_stopped();
  return result;
}

}  // namespace

void bind_transform(py::module_& module) {
  module.def("r_parts", &r_parts, py::arg("program"), py::arg("at_m"), py::arg("values").noconvert());
}

}  // namespace freeconv::bindings
