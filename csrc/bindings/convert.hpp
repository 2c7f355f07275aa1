// Conversions shared by the binding files; NumPy is touched nowhere else.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "freeconv/tree/program.hpp"

namespace freeconv::bindings {

namespace py = pybind11;

// No forcecast: a wrong type is an error here and never a silent conversion.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
const T* data_of(const Array<T>& array, const char* name, py::ssize_t length = -1) {
  if (array.ndim() != 1) throw py::value_error(std::string(name) + " must have one dimension");
  if (length >= 0 && array.shape(0) != length) {
    throw py::value_error(std::string(name) + " must have length " + std::to_string(length) + ", got " +
                          std::to_string(array.shape(0)));
  }
  return array.data();
}

// The arrays of freeconv.lowering.ProgramArrays, in its order. They hold what `in` points to.
struct HeldArrays {
  Array<std::int32_t> kinds;
  Array<std::int64_t> parameter_offsets;
  Array<double> parameters;
  Array<std::int64_t> child_offsets, children;
  Array<double> multiplicities;
  ProgramArrays in{};

  explicit HeldArrays(const py::tuple& arrays) {
    if (arrays.size() != 6) throw py::value_error("a program has 6 arrays, got " + std::to_string(arrays.size()));
    kinds = arrays[0].cast<Array<std::int32_t>>();
    parameter_offsets = arrays[1].cast<Array<std::int64_t>>();
    parameters = arrays[2].cast<Array<double>>();
    child_offsets = arrays[3].cast<Array<std::int64_t>>();
    children = arrays[4].cast<Array<std::int64_t>>();
    multiplicities = arrays[5].cast<Array<double>>();
    in.kinds = data_of(kinds, "kinds");
    in.node_count = kinds.shape(0);
    in.parameter_offsets = data_of(parameter_offsets, "parameter_offsets", kinds.shape(0) + 1);
    in.parameters = data_of(parameters, "parameters");
    in.parameter_count = parameters.shape(0);
    in.child_offsets = data_of(child_offsets, "child_offsets", kinds.shape(0) + 1);
    in.children = data_of(children, "children");
    in.child_count = children.shape(0);
    in.multiplicities = data_of(multiplicities, "multiplicities", children.shape(0));
  }
};

// ValueError if the arrays are not a program.
inline Program read_program(const py::tuple& arrays, bool peel, Offsets offsets, const Program* same = nullptr) {
  const HeldArrays held(arrays);
  LoadResult loaded = load_program(held.in, peel, offsets, same);
  if (*loaded.error != '\0') throw py::value_error(loaded.error);
  return std::move(loaded.program);
}

}  // namespace freeconv::bindings
