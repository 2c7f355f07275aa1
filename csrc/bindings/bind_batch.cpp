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

// Writes densities, or distribution functions, to the laws' rows of `values`; which laws have points left. The first
// law's program, and all laws' parameters.
Array<bool> evaluate_laws(const py::tuple& structure, const Array<double>& parameters,
                          const Array<double>& multiplicities, const Array<double>& x, bool shared,
                          const Array<std::int64_t>& rows, Array<double> values, bool cdf, int workers) {
  const HeldArrays held(structure);
  const LoadResult loaded = load_program(held.in, true, Offsets::at_zero);
  if (*loaded.error != '\0') throw py::value_error(loaded.error);
  if (parameters.ndim() != 2) throw py::value_error("parameters must have two dimensions");
  if (values.ndim() != 2) throw py::value_error("values must have two dimensions");
  Batch batch{};
  batch.structure = held.in;
  batch.count = parameters.shape(0);
  batch.points = values.shape(1);
  batch.shared_x = shared;
  batch.cdf = cdf;
  batch.parameters = matrix_of(parameters, "parameters", batch.count, held.in.parameter_count).data();
  batch.multiplicities = matrix_of(multiplicities, "multiplicities", batch.count, held.in.child_count).data();
  batch.x = matrix_of(x, "x", shared ? 1 : values.shape(0), batch.points).data();
  if (rows.ndim() != 1 || rows.shape(0) != batch.count) throw py::value_error("rows must be one for each law");
  batch.rows = rows.data();
  for (std::int64_t k = 0; k < batch.count; ++k) {
    if (batch.rows[k] < 0 || batch.rows[k] >= values.shape(0)) throw py::value_error("rows must be rows of values");
  }
  batch.sort();
  Array<bool> left(static_cast<py::ssize_t>(batch.count));
  double* to = values.mutable_data();
  auto* flags = reinterpret_cast<unsigned char*>(left.mutable_data());
  Signals signals;
  {
    const py::gil_scoped_release release;
    evaluate_batch(batch, to, flags, workers, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return left;
}

}  // namespace

void bind_batch(py::module_& module) {
  module.def("evaluate_laws", &evaluate_laws, py::arg("structure"), py::arg("parameters").noconvert(),
             py::arg("multiplicities").noconvert(), py::arg("x").noconvert(), py::arg("shared"),
             py::arg("rows").noconvert(), py::arg("values").noconvert(), py::arg("cdf") = false,
             py::arg("workers") = 1);
}

}  // namespace freeconv::bindings
