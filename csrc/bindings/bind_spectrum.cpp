// Spectrum: convert, check, release the GIL, call.
#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>

#include "convert.hpp"
#include "freeconv/spectrum/spectrum.hpp"

namespace freeconv::bindings {
namespace {

std::unique_ptr<Spectrum> make_spectrum(const py::tuple& arrays, double mean, double deviation,
                                        const Array<double>& atom_locations, const Array<double>& atom_weights,
                                        const Array<double>& singular) {
  Program program = read_program(arrays, true, Offsets::at_zero);
  Program far = read_program(arrays, true, Offsets::none);
  if (!std::isfinite(mean)) throw py::value_error("mean must be finite, got " + std::to_string(mean));
  if (!(deviation > 0.0 && std::isfinite(deviation))) {
    throw py::value_error("deviation must be > 0 and finite, got " + std::to_string(deviation));
  }
  CoreFacts facts;
  facts.mean = mean;
  facts.deviation = deviation;
  const double* locations = data_of(atom_locations, "atom_locations");
  const double* weights = data_of(atom_weights, "atom_weights", atom_locations.shape(0));
  for (py::ssize_t i = 0; i < atom_locations.shape(0); ++i) facts.atoms.push_back({locations[i], weights[i]});
  const double* points = data_of(singular, "singular");
  facts.singular.assign(points, points + singular.shape(0));
  for (const double point : facts.singular) {
    if (!std::isfinite(point)) throw py::value_error("singular points must be finite, got " + std::to_string(point));
  }
  const py::gil_scoped_release release;
  return std::make_unique<Spectrum>(std::move(program), std::move(far), std::move(facts));
}

Array<double> support(const Spectrum& self) {
  const std::vector<double> edges = self.support();
  Array<double> out({static_cast<py::ssize_t>(edges.size() / 2), py::ssize_t{2}});
  std::copy(edges.begin(), edges.end(), out.mutable_data());
  return out;
}

py::tuple evaluate(const Spectrum& self, const Array<double>& x) {
  const double* points = data_of(x, "x");
  const py::ssize_t n = x.shape(0);
  Array<double> density(n);
  Array<signed char> status(n);
  Array<double> residual(n);
  Array<int> iterations(n);
  const Evaluated out{density.mutable_data(), status.mutable_data(), residual.mutable_data(),
                      iterations.mutable_data()};
  {
    const py::gil_scoped_release release;
    self.evaluate(points, static_cast<std::size_t>(n), out);
  }
  return py::make_tuple(density, status, residual, iterations);
}

py::tuple solve(const Spectrum& self, const Array<std::complex<double>>& z) {
  const auto* points = reinterpret_cast<const double*>(data_of(z, "z"));
  const py::ssize_t n = z.shape(0);
  Array<std::complex<double>> cauchy(n);
  Array<std::complex<double>> omega({static_cast<py::ssize_t>(self.child_count()), n});
  Array<signed char> status(n);
  auto* g = reinterpret_cast<double*>(cauchy.mutable_data());
  auto* w = reinterpret_cast<double*>(omega.mutable_data());
  signed char* s = status.mutable_data();
  {
    const py::gil_scoped_release release;
    self.solve(points, static_cast<std::size_t>(n), g, w, s);
  }
  return py::make_tuple(cauchy, omega, status);
}

}  // namespace

void bind_spectrum(py::module_& module) {
  py::class_<Spectrum>(module, "Spectrum")
      .def(py::init(&make_spectrum), py::arg("program"), py::arg("mean"), py::arg("deviation"),
           py::arg("atom_locations").noconvert(), py::arg("atom_weights").noconvert(), py::arg("singular").noconvert())
      .def_property_readonly("complete", &Spectrum::complete)
      .def_property_readonly("child_count", &Spectrum::child_count)
      .def("support", &support)
      .def("evaluate", &evaluate, py::arg("x").noconvert())
      .def("solve", &solve, py::arg("z").noconvert());
}

}  // namespace freeconv::bindings
