// Many laws of one structure: convert, check, release the GIL, call.
#include "convert.hpp"
#include "freeconv/spectrum/batch.hpp"
#include "interrupt.hpp"

namespace freeconv::bindings {
namespace {

Array<double> matrix_of(const Array<double>& array, const char* name, py::ssize_t rows, py::ssize_t columns) {
  if (array.ndim() != 2 || array.shape(0) != rows || array.shape(1) != columns) {
    throw py::value_error(std::string(name) + " must have shape (" + std::to_string(rows) + ", " +
                          std::to_string(columns) + ")");
  }
  return array;
}

// (density, cdf or None, status), each [law][point]. The first law's program, and all laws' parameters.
py::tuple evaluate_laws(const py::tuple& structure, const Array<double>& parameters,
                        const Array<double>& multiplicities, const Array<double>& x, bool shared, bool cdf,
                        int workers) {
  const HeldArrays held(structure);
  const LoadResult loaded = load_program(held.in, true, Offsets::at_zero);
  if (*loaded.error != '\0') throw py::value_error(loaded.error);
  if (parameters.ndim() != 2) throw py::value_error("parameters must have two dimensions");
  if (x.ndim() != 2) throw py::value_error("x must have two dimensions");
  Batch batch{};
  batch.structure = held.in;
  batch.count = parameters.shape(0);
  batch.points = x.shape(1);
  batch.shared_x = shared;
  batch.parameters = matrix_of(parameters, "parameters", batch.count, held.in.parameter_count).data();
  batch.multiplicities = matrix_of(multiplicities, "multiplicities", batch.count, held.in.child_count).data();
  batch.x = matrix_of(x, "x", shared ? 1 : batch.count, batch.points).data();
  const py::ssize_t rows = batch.count;
  const py::ssize_t columns = batch.points;
  Array<double> density({rows, columns});
  py::object masses = py::none();
  double* cdf_values = nullptr;
  if (cdf) {
    Array<double> values({rows, columns});
    cdf_values = values.mutable_data();
    masses = values;
  }
  Array<signed char> status({rows, columns});
  double* density_values = density.mutable_data();
  signed char* status_values = status.mutable_data();
  Signals signals;
  {
    const py::gil_scoped_release release;
    evaluate_batch(batch, density_values, cdf_values, status_values, workers, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return py::make_tuple(density, masses, status);
}

}  // namespace

void bind_batch(py::module_& module) {
  module.def("evaluate_laws", &evaluate_laws, py::arg("structure"), py::arg("parameters").noconvert(),
             py::arg("multiplicities").noconvert(), py::arg("x").noconvert(), py::arg("shared"), py::arg("cdf") = false,
             py::arg("workers") = 1);
}

}  // namespace freeconv::bindings
