// freeconv._core: a table of contents.
#include <pybind11/pybind11.h>

namespace freeconv::bindings {
void bind_batch(pybind11::module_& module);
void bind_compiled(pybind11::module_& module);
void bind_configuration(pybind11::module_& module);
void bind_rows(pybind11::module_& module);
void bind_spectrum(pybind11::module_& module);
void bind_transform(pybind11::module_& module);
}  // namespace freeconv::bindings

PYBIND11_MODULE(_core, module) {
  module.doc() = "Compiled core of freeconv. Not public: use the freeconv package.";
  module.attr("__version__") = FREECONV_VERSION;
  freeconv::bindings::bind_batch(module);
  freeconv::bindings::bind_compiled(module);
  freeconv::bindings::bind_configuration(module);
  freeconv::bindings::bind_rows(module);
  freeconv::bindings::bind_spectrum(module);
  freeconv::bindings::bind_transform(module);
}
