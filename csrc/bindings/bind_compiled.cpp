// Tables of compiled laws: convert, check, release the GIL, call.
#include <memory>

#include "convert.hpp"
#include "freeconv/compiled/graded_table.hpp"
#include "interrupt.hpp"

namespace freeconv::bindings {
namespace {

const double* matrix(const Array<double>& array, const char* name, py::ssize_t columns) {
  if (array.ndim() != 2 || array.shape(1) != columns) {
    throw py::value_error(std::string(name) + " must have two dimensions, the second of length " +
                          std::to_string(columns));
  }
  return array.data();
}

std::unique_ptr<GradedTable> make_table(const Array<double>& cuts, const Array<double>& regions,
                                        const Array<std::int64_t>& octave_offsets, const Array<double>& octaves,
                                        const Array<double>& rows) {
  TableArrays in{};
  in.cuts = data_of(cuts, "cuts");
  in.cut_count = static_cast<std::size_t>(cuts.shape(0));
  in.regions = matrix(regions, "regions", 4);
  in.region_count = static_cast<std::size_t>(regions.shape(0));
  in.octave_offsets = data_of(octave_offsets, "octave_offsets", regions.shape(0));
  in.octaves = matrix(octaves, "octaves", 2);
  in.octave_count = static_cast<std::size_t>(octaves.shape(0));
  in.rows = matrix(rows, "rows", kTableTerms);
  in.row_count = static_cast<std::size_t>(rows.shape(0));
  if (const char* error = GradedTable::check(in)) throw py::value_error(error);
  return std::make_unique<GradedTable>(in);
}

// (values, number of points that are nearer to an end than the table goes)
py::tuple evaluate(const GradedTable& self, const Array<double>& x, int workers) {
  const double* points = data_of(x, "x");
  const py::ssize_t n = x.shape(0);
  Array<double> values(n);
  double* out = values.mutable_data();
  std::size_t missed = 0;
  Signals signals;
  {
    const py::gil_scoped_release release;
    missed = self.evaluate(points, static_cast<std::size_t>(n), out, workers, &signals.interrupt());
  }
  signals.raise_if_stopped();
  return py::make_tuple(values, missed);
}

}  // namespace

void bind_compiled(py::module_& module) {
  py::class_<GradedTable>(module, "GradedTable")
      .def(py::init(&make_table), py::arg("cuts").noconvert(), py::arg("regions").noconvert(),
           py::arg("octave_offsets").noconvert(), py::arg("octaves").noconvert(), py::arg("rows").noconvert())
      .def_property_readonly("nbytes", &GradedTable::bytes)
      .def("evaluate", &evaluate, py::arg("x").noconvert(), py::arg("workers") = 1);
}

}  // namespace freeconv::bindings
