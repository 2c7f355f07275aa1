// Many laws as rows of numbers: freeconv.batch's flat products, read from their objects. Thousands of laws come to a
// call, and reading one in Python takes as long as finding its support.
#include <array>
#include <map>
#include <vector>

#include "convert.hpp"

namespace freeconv::bindings {
namespace {

// The types that are read, in the order in which Python names them. No class derives from them.
enum Type { kBoxtimes, kMarchenkoPastur, kMarchenkoPasturPower, kDiscrete, kAffine, kResize, kTypeCount };

struct Group {
  std::vector<std::int64_t> members;
  std::vector<double> parameters;      // of all laws, one after the other
  std::vector<double> multiplicities;  // the same
};

class FlatRows {
 public:
  explicit FlatRows(const py::tuple& types) {
    if (types.size() != kTypeCount) throw py::value_error("flat_rows needs " + std::to_string(kTypeCount) + " types");
    for (std::size_t k = 0; k < kTypeCount; ++k) types_[k] = types[k].ptr();
    const char* names[] = {"factors", "scale", "ratio", "power", "locations", "weights", "law", "shift"};
    for (std::size_t k = 0; k < names_.size(); ++k) {
      names_[k] = py::reinterpret_steal<py::object>(PyUnicode_InternFromString(names[k]));
    }
  }

  // Whether the law is a flat product; if so its numbers are in a group's arrays, as `lower` would write them.
  bool add(std::int64_t place, PyObject* law) {
    structure_.clear();
    parameters_.clear();
    multiplicities_.clear();
    outer_.clear();
    if (!read(py::reinterpret_borrow<py::object>(law))) return false;
    if (last_ == nullptr || *last_structure_ != structure_) {
      const auto at = groups_.try_emplace(structure_).first;
      last_structure_ = &at->first;
      last_ = &at->second;
    }
    last_->members.push_back(place);
    last_->parameters.insert(last_->parameters.end(), parameters_.begin(), parameters_.end());
    last_->multiplicities.insert(last_->multiplicities.end(), multiplicities_.begin(), multiplicities_.end());
    return true;
  }

  py::list groups() const {
    py::list all;
    for (const auto& [structure, group] : groups_) {
      const auto count = static_cast<py::ssize_t>(group.members.size());
      all.append(py::make_tuple(Array<std::int64_t>(count, group.members.data()), matrix(group.parameters, count),
                                matrix(group.multiplicities, count)));
    }
    return all;
  }

 private:
  enum Name { kFactors, kScale, kRatio, kPower, kLocations, kWeights, kLaw, kShift, kNameCount };

  static Array<double> matrix(const std::vector<double>& values, py::ssize_t rows) {
    return Array<double>({rows, static_cast<py::ssize_t>(values.size()) / rows}, values.data());
  }

  py::object attribute(const py::handle& of, Name name) const {
    PyObject* found = PyObject_GetAttr(of.ptr(), names_[name].ptr());
    if (found == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(found);
  }

  static double number(const py::handle& object) {
    const double value = PyFloat_AsDouble(object.ptr());
    if (value == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return value;
  }
  double number(const py::handle& of, Name name) const { return number(attribute(of, name)); }

  bool is(const py::handle& object, Type type) const {
    return reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())) == types_[type];
  }

  // Shifts, scales and size changes around a product, then its factors.
  bool read(py::object law) {
    while (!is(law, kBoxtimes)) {
      if (is(law, kAffine)) {
        const double scale = number(law, kScale);
        if (scale < 0.0) return false;
        outer_.push_back({Kind::affine, scale, number(law, kShift)});
      } else if (is(law, kResize)) {
        outer_.push_back({Kind::resize, number(law, kRatio), 0.0});
      } else {
        return false;
      }
      law = attribute(law, kLaw);
    }
    const py::tuple factors = attribute(law, kFactors);
    double off_zero = 1.0;
    for (const py::handle& pair : factors) {
      if (!PyTuple_Check(pair.ptr()) || PyTuple_GET_SIZE(pair.ptr()) != 2) return false;
      const py::handle factor = PyTuple_GET_ITEM(pair.ptr(), 0);
      const double off = add_factor(factor);
      if (!(off > 0.0)) return false;
      off_zero = off < off_zero ? off : off_zero;
      multiplicities_.push_back(number(PyTuple_GET_ITEM(pair.ptr(), 1)));
    }
    structure_.push_back(static_cast<char>(Kind::boxtimes));
    parameters_.push_back(off_zero);
    for (auto step = outer_.rbegin(); step != outer_.rend(); ++step) {
      structure_.push_back(static_cast<char>(step->kind));
      parameters_.push_back(step->first);
      if (step->kind == Kind::affine) parameters_.push_back(step->second);
      multiplicities_.push_back(1.0);
    }
    return true;
  }

  // Its mass off zero, 0 if it is no factor of a flat product.
  double add_factor(const py::handle& factor) {
    const bool power = is(factor, kMarchenkoPasturPower);
    if (power || is(factor, kMarchenkoPastur)) {
      const double ratio = number(factor, kRatio);
      structure_.push_back(static_cast<char>(Kind::marchenko_pastur));
      parameters_.insert(parameters_.end(), {number(factor, kScale), 1.0, ratio, power ? number(factor, kPower) : 1.0});
      return 1.0 / ratio;
    }
    if (!is(factor, kDiscrete)) return 0.0;
    const py::tuple locations = attribute(factor, kLocations);
    if (locations.size() != 2 || number(PyTuple_GET_ITEM(locations.ptr(), 0)) != 0.0) return 0.0;
    const py::tuple weights = attribute(factor, kWeights);
    if (weights.size() != 2) return 0.0;
    const double weight = number(PyTuple_GET_ITEM(weights.ptr(), 1));
    if (weight == 1.0) return 0.0;  // to the last digit: no Bernoulli node has it
    structure_.push_back(static_cast<char>(Kind::bernoulli));
    parameters_.insert(parameters_.end(), {weight, number(PyTuple_GET_ITEM(locations.ptr(), 1))});
    return weight;
  }

  struct Step {
    Kind kind;
    double first, second;
  };

  std::array<PyObject*, kTypeCount> types_{};
  std::array<py::object, kNameCount> names_;
  std::map<std::string, Group> groups_;  // by kinds of nodes
  const std::string* last_structure_ = nullptr;
  Group* last_ = nullptr;
  std::string structure_;
  std::vector<double> parameters_, multiplicities_;
  std::vector<Step> outer_;
};

// The groups of flat products of one structure, each as (places, parameters, multiplicities), and the places of others.
py::tuple flat_rows(const py::list& laws, const py::tuple& types) {
  FlatRows rows(types);
  py::list others;
  std::int64_t place = 0;
  for (const py::handle& law : laws) {
    if (!rows.add(place, law.ptr())) others.append(place);
    ++place;
  }
  return py::make_tuple(rows.groups(), others);
}

}  // namespace

void bind_rows(py::module_& module) { module.def("flat_rows", &flat_rows, py::arg("laws"), py::arg("types")); }

}  // namespace freeconv::bindings
