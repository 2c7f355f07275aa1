// How the core was compiled, and what it runs on.
#include <pybind11/pybind11.h>

#include <cstdlib>
#include <string>

#include "freeconv/chain/dispatch.hpp"

namespace py = pybind11;

namespace freeconv::bindings {

void bind_configuration(py::module_& module) {
  py::list isas;
  std::string names;
  for (const char* const* name = available_isas(); *name != nullptr; ++name) {
    isas.append(*name);
    names += (names.empty() ? "" : ", ") + std::string(*name);
  }
  if (!isa_is_valid()) {
    throw py::import_error("FREECONV_ISA must be one of " + names + " on this processor, got '" +
                           std::getenv("FREECONV_ISA") + "'");
  }
  module.attr("isa") = kernels().isa;
  module.attr("available_isas") = py::tuple(isas);
  module.attr("compiler") = FREECONV_COMPILER;
}

}  // namespace freeconv::bindings
