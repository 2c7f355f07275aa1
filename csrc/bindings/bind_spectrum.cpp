// Spectrum: convert, check, release the GIL, call.
#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>

#include "convert.hpp"
#include "freeconv/spectrum/spectrum.hpp"
#include "interrupt.hpp"

namespace freeconv::bindings {
namespace {

std::unique_ptr<Spectrum> make_spectrum(const py::tuple& arrays, double mean, double deviation, double lowest,
                                        double highest, const Array<double>& atom_locations,
                                        const Array<double>& atom_weights, const Array<double>& atom_points,
                                        const Array<double>& singular, const Array<double>& below_singular) {
  Program program = read_program(arrays, true, Offsets::at_zero);
  Program far = read_program(arrays, true, Offsets::none, &program);
  if (!std::isfinite(mean)) throw py::value_error("mean must be finite, got " + std::to_string(mean));
  if (!(deviation > 0.0 && std::isfinite(deviation))) {
    throw py::value_error("deviation must be > 0 and finite, got " + std::to_string(deviation));
  }
  CoreFacts facts;
  facts.mean = mean;
  facts.deviation = deviation;
  if (!(lowest <= highest)) throw py::value_error("lowest must be <= highest, got " + std::to_string(lowest));
  facts.lowest = lowest;
  facts.highest = highest;
  const double* locations = data_of(atom_locations, "atom_locations");
  const double* weights = data_of(atom_weights, "atom_weights", atom_locations.shape(0));
  for (py::ssize_t i = 0; i < atom_locations.shape(0); ++i) facts.atoms.push_back({locations[i], weights[i]});
  const double* seen = data_of(atom_points, "atom_points", atom_locations.shape(0));
  facts.atom_points.assign(seen, seen + atom_points.shape(0));
  const double* points = data_of(singular, "singular");
  const double* below = data_of(below_singular, "below_singular", singular.shape(0));
  for (py::ssize_t i = 0; i < singular.shape(0); ++i) {
    if (!std::isfinite(points[i])) {
      throw py::value_error("singular points must be finite, got " + std::to_string(points[i]));
    }
    if (i > 0 && !(points[i] > points[i - 1])) throw py::value_error("singular points must be ascending");
  }
  facts.singular.assign(points, points + singular.shape(0));
  facts.below_singular.assign(below, below + singular.shape(0));
  Signals signals;
  std::unique_ptr<Spectrum> spectrum;
  {
    const py::gil_scoped_release release;
    spectrum = std::make_unique<Spectrum>(std::move(program), std::move(far), std::move(facts), &signals.interrupt());
  }
  signals.raise_if_stopped();
  return spectrum;
}

Array<double> rows(const std::vector<double>& values, py::ssize_t width) {
  Array<double> out({static_cast<py::ssize_t>(values.size()) / width, width});
  std::copy(values.begin(), values.end(), out.mutable_data());
  return out;
}

// (density, cdf, potential, status, residual, accuracy, iterations); what was not asked for is None.
py::tuple evaluate(const Spectrum& self, const Array<double>& x, bool cdf, bool potential, bool record, int workers) {
  const double* points = data_of(x, "x");
  const py::ssize_t n = x.shape(0);
  py::object results[7];
  Evaluated out;
  const auto allocate = [&](bool wanted, int place, auto*& pointer) {
    results[place] = py::none();
    if (!wanted) return;
    Array<std::remove_pointer_t<std::remove_reference_t<decltype(pointer)>>> array(n);
    pointer = array.mutable_data();
    results[place] = array;
  };
  allocate(true, 0, out.density);
  allocate(cdf, 1, out.cdf);
  allocate(potential, 2, out.potential);
  allocate(true, 3, out.status);
  allocate(record, 4, out.residual);
  allocate(record, 5, out.accuracy);
  allocate(record, 6, out.iterations);
  Signals signals;
  {
    const py::gil_scoped_release release;
    self.evaluate(points, static_cast<std::size_t>(n), out, workers, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return py::make_tuple(results[0], results[1], results[2], results[3], results[4], results[5], results[6]);
}

Array<double> invert(const Spectrum& self, const Array<double>& p, bool upper, int workers) {
  const double* values = data_of(p, "p");
  const py::ssize_t n = p.shape(0);
  Array<double> x(n);
  double* points = x.mutable_data();
  Signals signals;
  {
    const py::gil_scoped_release release;
    self.invert(values, static_cast<std::size_t>(n), upper, points, workers, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return x;
}

// (cauchy, omega, potential, status)
py::tuple solve(const Spectrum& self, const Array<std::complex<double>>& z) {
  const auto* points = reinterpret_cast<const double*>(data_of(z, "z"));
  const py::ssize_t n = z.shape(0);
  Array<std::complex<double>> cauchy(n);
  Array<std::complex<double>> omega({static_cast<py::ssize_t>(self.child_count()), n});
  Array<double> potential(n);
  Array<signed char> status(n);
  Solved out;
  out.cauchy = reinterpret_cast<double*>(cauchy.mutable_data());
  out.omega = reinterpret_cast<double*>(omega.mutable_data());
  out.potential = potential.mutable_data();
  out.status = status.mutable_data();
  Signals signals;
  {
    const py::gil_scoped_release release;
    self.solve(points, static_cast<std::size_t>(n), out, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return py::make_tuple(cauchy, omega, potential, status);
}

}  // namespace

void bind_spectrum(py::module_& module) {
  py::class_<Spectrum>(module, "Spectrum")
      .def(py::init(&make_spectrum), py::arg("program"), py::arg("mean"), py::arg("deviation"), py::arg("lowest"),
           py::arg("highest"), py::arg("atom_locations").noconvert(), py::arg("atom_weights").noconvert(),
           py::arg("atom_points").noconvert(), py::arg("singular").noconvert(), py::arg("below_singular").noconvert())
      .def_property_readonly("complete", &Spectrum::complete)
      .def_property_readonly("child_count", &Spectrum::child_count)
      .def("support", [](const Spectrum& self) { return rows(self.support(), 2); })
      .def("pieces", [](const Spectrum& self) { return rows(self.pieces(), 4); })
      .def("evaluate", &evaluate, py::arg("x").noconvert(), py::arg("cdf") = false, py::arg("potential") = false,
           py::arg("record") = true, py::arg("workers") = 1)
      .def("invert", &invert, py::arg("p").noconvert(), py::arg("upper") = false, py::arg("workers") = 1)
      .def("solve", &solve, py::arg("z").noconvert());
}

}  // namespace freeconv::bindings
