#include "bindings/parser.h"

#include <structmember.h>

#include <cstring>
#include <map>

namespace tl::python {

// ---- signatures ----

namespace {

std::string trim(const std::string& s) {
  size_t a = s.find_first_not_of(' '), b = s.find_last_not_of(' ');
  return a == std::string::npos ? "" : s.substr(a, b - a + 1);
}

// Splits at commas that stand in no bracket.
std::vector<std::string> split(const std::string& s) {
  std::vector<std::string> parts;
  int depth = 0;
  std::string part;
  for (char c : s) {
    if (c == '[' || c == '(') ++depth;
    if (c == ']' || c == ')') --depth;
    if (c == ',' && !depth) {
      parts.push_back(trim(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trim(part).empty()) parts.push_back(trim(part));
  return parts;
}

Type type_from(const std::string& text, Param& p) {
  std::string t = text;
  if (t == "!False") return Type::OnlyFalse;
  if (t[0] == '!') return Type::Ignored;
  if (t.back() == '?') {
    p.optional = true;
    t.pop_back();
  }
  size_t bracket = t.find('[');
  if (bracket != std::string::npos) {
    std::string inside = t.substr(bracket + 1, t.size() - bracket - 2);
    std::string element = t.substr(0, bracket);
    if (element == "Tensor" || element == "Tensor?") {
      p.gaps = element == "Tensor?";
      return Type::Tensors;
    }
    check(element == "int", "signature: unknown type ", text);
    if (!inside.empty()) p.repeat = std::stoi(inside);
    return Type::Ints;
  }
  if (t == "Tensor") return Type::Tensor;
  if (t == "Operand") return Type::Operand;
  if (t == "Scalar") return Type::Scalar;
  if (t == "int") return Type::Int;
  if (t == "float") return Type::Float;
  if (t == "bool") return p.name == "requires_grad" ? Type::RequiresGrad : Type::Bool;
  if (t == "shape") {
    p.sequence = true;
    return Type::Ints;
  }
  if (t == "Size") return Type::Size;
  if (t == "dtype") return Type::Dtype;
  if (t == "device") return Type::Device;
  if (t == "format") return Type::Format;
  if (t == "str") return Type::String;
  if (t == "Generator") return Type::Generator;
  fail("signature: unknown type ", text);
}

// Default values live as long as the operator: for ever.
Value default_value(const Param& p, const std::string& text) {
  if (text == "None") return Value();
  switch (p.type) {
    case Type::Bool:
      return text == "True";
    case Type::Int:
      return int64_t(std::stoll(text));
    case Type::Float:
      return text == "inf"    ? double(INFINITY)
             : text == "-inf" ? -double(INFINITY)
             : text == "nan"  ? double(NAN)
                              : std::stod(text);
    case Type::Scalar:
    case Type::Operand: {
      Scalar s = text == "True" || text == "False"                ? Scalar(text == "True")
                 : text.find_first_of(".en") == std::string::npos ? Scalar(int64_t(std::stoll(text)))
                                                                  : Scalar(std::stod(text));
      if (p.type == Type::Scalar) return s;
      return *new Tensor(wrapped_number(s));
    }
    case Type::Ints:
    case Type::Size: {
      auto& ints = *new std::vector<int64_t>;
      if (text[0] == '[' || text[0] == '(')
        for (const std::string& part : split(text.substr(1, text.size() - 2))) ints.push_back(std::stoll(part));
      else
        ints.assign(p.repeat ? p.repeat : 1, std::stoll(text));
      return Ints(ints);
    }
    case Type::String: {
      auto& s = *new std::string(text.substr(1, text.size() - 2));
      Value v;
      v.tag = Value::Tag::String;
      v.chars = s.c_str();
      v.size = uint32_t(s.size());
      return v;
    }
    case Type::Tensors:
      return TensorSpan{};
    default:
      fail("signature: parameter '", p.name, "' cannot have the default ", text);
  }
}

}  // namespace

std::map<std::string, PyTypeObject*>& result_types() {
  static auto& types = *new std::map<std::string, PyTypeObject*>;
  return types;
}

PyTypeObject* named_tuple(const std::string& op, const std::vector<std::string>& names) {
  auto& fields = *new std::vector<PyStructSequence_Field>;
  for (const std::string& n : names) fields.push_back({strdup(n.c_str()), nullptr});
  fields.push_back({nullptr, nullptr});
  auto& desc = *new PyStructSequence_Desc;
  desc = {strdup(("tensorlite.return_types." + op).c_str()), nullptr, fields.data(), int(names.size())};
  PyTypeObject* type = PyStructSequence_NewType(&desc);
  if (!type) throw py::error_already_set();
  result_types()[op] = type;
  type->tp_repr = [](PyObject* self) -> PyObject* {
    return guarded([&]() -> PyObject* {
      const char* full = strrchr(Py_TYPE(self)->tp_name, '.');
      std::string text = package_name() + ".return_types." + (full ? full + 1 : Py_TYPE(self)->tp_name) + "(";
      PyMemberDef* members = Py_TYPE(self)->tp_members;
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i)
        text += std::string(i ? ",\n" : "\n") + members[i].name + "=" +
                py::cast<std::string>(py::repr(PyTuple_GET_ITEM(self, i)));
      return PyUnicode_FromString((text + ")").c_str());
    });
  };
  return type;
}

namespace {

void parse_results(Signature& s, const std::string& text) {
  if (text == "bool") s.returns_bool = true;
  if (text == "None") s.returns_none = true;
  if (text.find("[]") != std::string::npos) s.returns_tuple = true;
  if (text.empty() || text[0] != '(') return;
  s.returns_tuple = true;
  for (const std::string& part : split(text.substr(1, text.size() - 2))) {
    size_t space = part.find(' ');
    if (space != std::string::npos) s.result_names.push_back(part.substr(space + 1));
  }
  if (!s.result_names.empty()) s.result_type = named_tuple(s.name, s.result_names);
}

}  // namespace

PyTypeObject* find_result_type(const std::string& op) {
  auto it = result_types().find(op);
  return it == result_types().end() ? nullptr : it->second;
}

Signature parse_signature(const char* text, Operator& op) {
  Signature s;
  std::string full = text, results;
  if (size_t arrow = full.find(" -> "); arrow != std::string::npos) {
    results = full.substr(arrow + 4);
    full = full.substr(0, arrow);
  }
  size_t open = full.find('(');
  check(open != std::string::npos && full.back() == ')', "signature: cannot read ", text);
  op.name = full.substr(0, open);
  op.display = s.name = op.name.substr(0, op.name.find('.'));
  s.text = s.name + full.substr(open);
  for (size_t at; (at = s.text.find("shape size")) != std::string::npos;) s.text.replace(at, 5, "int[]");
  bool keyword_only = false;
  for (const std::string& part : split(full.substr(open + 1, full.size() - open - 2))) {
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    Param p;
    size_t space = part.find(' ');
    std::string rest = part.substr(space + 1), given;
    if (size_t eq = rest.find('='); eq != std::string::npos) {
      given = rest.substr(eq + 1);
      rest = rest.substr(0, eq);
      p.has_default = true;
      p.given = given;
    }
    p.name = rest;
    p.interned = PyUnicode_InternFromString(rest.c_str());
    p.type = type_from(part.substr(0, space), p);
    p.keyword_only = keyword_only;
    if (p.has_default && given == "None") p.optional = true;
    if (p.type != Type::Ignored && p.type != Type::OnlyFalse && p.type != Type::RequiresGrad) {
      p.value = int(op.params.size());
      if (p.name == "out")
        op.out_arg = p.value;
      else if (p.type == Type::Tensor || p.type == Type::Operand || p.type == Type::Tensors)
        op.tensor_args.push_back(uint8_t(p.value));
      op.params.push_back(p.name);
      op.defaults.push_back(p.has_default ? default_value(p, given) : Value());
    }
    if (!keyword_only) ++s.positional;
    s.params.push_back(p);
  }
  check(op.params.size() <= size_t(Operator::kMaxArgs), "signature: too many parameters in ", text);
  s.results = results;
  parse_results(s, results);
  return s;
}

// ---- matching ----

namespace {

const char* expected(const Param& p) {
  switch (p.type) {
    case Type::Tensor:
      return "Tensor";
    case Type::Operand:
      return "Tensor";
    case Type::Tensors:
      return "tuple of Tensors";
    case Type::Scalar:
      return "Number";
    case Type::Int:
      return "int";
    case Type::Float:
      return "float";
    case Type::Bool:
    case Type::RequiresGrad:
      return "bool";
    case Type::Ints:
    case Type::Size:
      return "tuple of ints";
    case Type::Dtype:
      return "dtype";
    case Type::Device:
      return "device";
    case Type::Format:
      return "memory_format";
    case Type::String:
      return "str";
    default:
      return "Generator";
  }
}

bool is_int(PyObject* o) {
  if (PyLong_CheckExact(o)) return true;
  if (PyBool_Check(o) || PyFloat_Check(o)) return false;
  if (is_tensor(o)) return unwrap(o).numel() == 1 && is_integral(unwrap(o).dtype()) && unwrap(o).dtype() != Dtype::Bool;
  return PyIndex_Check(o) && !PyObject_HasAttrString(o, "__array_interface__") ? true
                                                                               : PyIndex_Check(o) && is_number(o);
}

int64_t as_int(PyObject* o) {
  py::object index = PyLong_Check(o) ? borrow(o) : take(PyNumber_Index(o));
  int overflow;
  long long v = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
  check(!overflow, "Overflow when unpacking long long");
  return v;
}

bool is_int_sequence(PyObject* o) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  PyObject** items = PySequence_Fast_ITEMS(o);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!is_int(items[i])) return false;
  return true;
}

bool is_tensor_sequence(PyObject* o, bool gaps) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  PyObject** items = PySequence_Fast_ITEMS(o);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!is_tensor(items[i]) && (!gaps || items[i] != Py_None)) return false;
  return true;
}

// A one-element tensor that asks for no gradient may stand where a number is wanted.
bool is_number_like(PyObject* o) {
  return is_number(o) || (is_tensor(o) && unwrap(o).dim() == 0 && !requires_grad(unwrap(o)));
}

bool is_format(PyObject* o, MemoryFormat& format) {
  constexpr const char* names[] = {"preserve_format", "contiguous_format", "channels_last", "channels_last_3d"};
  if (strcmp(Py_TYPE(o)->tp_name, "memory_format") != 0) return false;
  std::string name = py::cast<std::string>(borrow(o).attr("_name"));
  for (int i = 0; i < 4; ++i)
    if (name == names[i]) {
      format = MemoryFormat(i);
      return true;
    }
  return false;
}

// Whether `o` fits the parameter, and its value.
bool convert(const Param& p, PyObject* o, Arguments& out, Value& v) {
  if (o == Py_None) {
    if (!p.optional) return false;
    v = Value();
    return true;
  }
  switch (p.type) {
    case Type::Operand:
      if (!is_tensor(o)) {
        if (!is_number(o)) return false;
        v = Value(out.tensors.emplace_back(wrapped_number(unwrap_scalar(o))));
        return true;
      }
      [[fallthrough]];
    case Type::Tensor:
      if (!is_tensor(o)) return false;
      v = Value(unwrap(o));
      return true;
    case Type::Tensors: {
      if (is_tensor(o) || !is_tensor_sequence(o, p.gaps)) return false;
      auto& list = out.lists.emplace_back();
      Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
      for (Py_ssize_t i = 0; i < n; ++i) {
        PyObject* t = PySequence_Fast_ITEMS(o)[i];
        list.push_back(t == Py_None ? Tensor() : unwrap(t));
      }
      v = Value(TensorSpan(list));
      return true;
    }
    case Type::Scalar:
      if (!is_number_like(o)) return false;
      v = Value(unwrap_scalar(o));
      return true;
    case Type::Int:
      if (!is_int(o)) return false;
      v = Value(as_int(o));
      return true;
    case Type::Float:
      if (!is_number_like(o) || PyComplex_Check(o)) return false;
      v = Value(unwrap_scalar(o).to<double>());
      return true;
    case Type::Bool:
      if (PyBool_Check(o)) {
        v = Value(o == Py_True);
        return true;
      }
      if (!strncmp(Py_TYPE(o)->tp_name, "numpy.bool", 10)) {
        v = Value(PyObject_IsTrue(o) == 1);
        return true;
      }
      return false;
    case Type::Ints:
      if (is_int(o) && !p.sequence) {
        v = Value(Ints(out.dims.emplace_back(size_t(p.repeat ? p.repeat : 1), as_int(o))));
        return true;
      }
      [[fallthrough]];
    case Type::Size: {
      if (!is_int_sequence(o)) return false;
      Dims& dims = out.dims.emplace_back();
      Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
      for (Py_ssize_t i = 0; i < n; ++i) dims.push_back(as_int(PySequence_Fast_ITEMS(o)[i]));
      if (p.repeat > 1 && n == 1) dims.resize(size_t(p.repeat), dims[0]);
      v = Value(Ints(dims));
      return true;
    }
    case Type::Dtype:
      if (!is_dtype(o)) return false;
      v = Value(unwrap_dtype(o));
      return true;
    case Type::Device:
      if (!is_device(o)) return false;
      v = Value(unwrap_device(o));
      return true;
    case Type::Format: {
      MemoryFormat format;
      if (!is_format(o, format)) return false;
      v = Value(int64_t(format));
      return true;
    }
    case Type::String: {
      if (!PyUnicode_Check(o)) return false;
      Py_ssize_t n;
      v.tag = Value::Tag::String;
      v.chars = PyUnicode_AsUTF8AndSize(o, &n);
      if (!v.chars) throw py::error_already_set();
      v.size = uint32_t(n);
      return true;
    }
    case Type::Generator:
      if (!is_generator(o)) return false;
      v.tag = Value::Tag::Generator;
      v.generator = unwrap_generator(o);
      return true;
    case Type::RequiresGrad:
      if (!PyBool_Check(o)) return false;
      out.requires_grad = o == Py_True;
      return true;
    case Type::OnlyFalse:
      return o == Py_False;
    case Type::Ignored:
      if (o == Py_True && p.name == "pin_memory") out.pin_memory = true;
      return true;
  }
  return false;
}

// NumPy's names for parameters, which PyTorch takes too.
bool same_name(const Param& p, PyObject* name) {
  if (name == p.interned) return true;
  const char* given = PyUnicode_AsUTF8(name);
  if (p.name == given) return true;
  if (p.name == "dim") return !strcmp(given, "axis");
  if (p.name == "keepdim") return !strcmp(given, "keepdims");
  if (p.name == "input")
    return !strcmp(given, "x") || !strcmp(given, "a") || !strcmp(given, "x1") || !strcmp(given, "self");
  if (p.name == "other") return !strcmp(given, "x2");
  return false;
}

std::string type_name_of(PyObject* o) {
  const char* name = Py_TYPE(o)->tp_name;
  const char* dot = strrchr(name, '.');
  bool ours = !strncmp(name, "tensorlite.", 11);
  return ours ? package_name() + dot : std::string(name);
}

bool wrong_type(const Signature& s, const Param& p, size_t position, PyObject* o, std::string* why) {
  if (!why) return false;
  std::string place = position ? str(" (position ", position, ")") : "";
  std::string got = type_name_of(o);
  std::string want = expected(p);
  if (p.type == Type::Dtype || p.type == Type::Device || p.type == Type::Generator || p.type == Type::Format)
    want = package_name() + "." + want;
  if ((p.type == Type::Ints || p.type == Type::Size || p.type == Type::Tensors) &&
      (PyTuple_Check(o) || PyList_Check(o))) {
    Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* e = PySequence_Fast_ITEMS(o)[i];
      if (p.type == Type::Tensors ? is_tensor(e) : is_int(e)) continue;
      if (p.type == Type::Tensors) {
        *why = str("expected Tensor as element ", i, " in argument ", position ? position - 1 : 0, ", but got ",
                   type_name_of(e));
        return false;
      }
      *why = str(s.name, "(): argument '", p.name, "'", place, " must be ", want, ", but found element of type ",
                 type_name_of(e), " at pos ", i);
      return false;
    }
  }
  *why = str(s.name, "(): argument '", p.name, "'", place, " must be ", want, ", not ", got);
  return false;
}

}  // namespace

bool match(const Signature& s, PyObject* const* args, size_t n, PyObject* names, Arguments& out, std::string* why,
           bool method) {
  const Operator& op = *s.op;
  for (size_t i = 0; i < op.defaults.size(); ++i) new (out.values + i) Value(op.defaults[i]);
  uint64_t given = 0;
  Value dropped;
  auto slot = [&](const Param& p) -> Value& { return p.value < 0 ? dropped : out.values[p.value]; };

  size_t used = 0;
  for (size_t i = 0; i < s.params.size() && used < n; ++i) {
    const Param& p = s.params[i];
    if (p.keyword_only) break;
    PyObject* o = args[used];
    if ((p.type == Type::Size ||
         (p.type == Type::Ints && !p.sequence && int(i) == s.positional - 1 && n - used > 1 && i <= 1)) &&
        is_int(o)) {
      // Sizes as separate arguments: all ints that follow.
      Dims& dims = out.dims.emplace_back();
      while (used < n && is_int(args[used])) dims.push_back(as_int(args[used++]));
      slot(p) = Value(Ints(dims));
    } else {
      if (!convert(p, o, out, slot(p))) return wrong_type(s, p, used + (method ? 0 : 1), o, why);
      ++used;
    }
    given |= uint64_t(1) << i;
  }
  if (used < n) {
    size_t last = size_t(s.positional) - 1;
    if (why && s.positional && s.params[last].type == Type::Size && used > last)
      *why = str(s.name, "(): argument '", s.params[last].name, "' failed to unpack the object at pos ",
                 used - last + 1, " with error \"type must be tuple of ints,but got ", type_name_of(args[used]), "\"");
    else if (why)
      *why =
          str(s.name, "() takes ", s.positional - method, " positional argument", s.positional - method == 1 ? "" : "s",
              " but ", n - method, n - method == 1 ? " was given" : " were given");
    return false;
  }
  Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* name = PyTuple_GET_ITEM(names, k);
    size_t i = 0;
    while (i < s.params.size() && !same_name(s.params[i], name)) ++i;
    if (i == s.params.size()) {
      if (why) *why = str(s.name, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(name), "'");
      return false;
    }
    const Param& p = s.params[i];
    if (given & (uint64_t(1) << i)) {
      if (why) *why = str(s.name, "() got multiple values for argument '", p.name, "'");
      return false;
    }
    given |= uint64_t(1) << i;
    if (!convert(p, args[n + k], out, slot(p))) return wrong_type(s, p, 0, args[n + k], why);
  }
  std::string missing;
  int count = 0;
  for (size_t i = 0; i < s.params.size(); ++i) {
    const Param& p = s.params[i];
    if (p.has_default || (given & (uint64_t(1) << i)) || p.type == Type::Ignored) continue;
    // Sizes may be none at all: x.expand(), zeros() are errors, but ones(()) and ones() differ only in that.
    missing += str(count++ ? ", " : "", "\"", p.name, "\"");
  }
  if (count) {
    if (why) *why = str(s.name, "() missing ", count, " required positional arguments: ", missing);
    return false;
  }
  return true;
}

std::string describe_arguments(PyObject* const* args, size_t n, PyObject* names) {
  std::string text = "(";
  Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
  for (size_t i = 0; i < n + size_t(keywords); ++i) {
    if (i) text += ", ";
    if (i >= n) text += std::string(PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, Py_ssize_t(i - n)))) + "=";
    PyObject* o = args[i];
    text += type_name_of(o);
    if (PyTuple_Check(o) || PyList_Check(o)) {
      text += PyTuple_Check(o) ? " of (" : " of [";
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k)
        text += (k ? ", " : "") + type_name_of(PySequence_Fast_ITEMS(o)[k]);
      text += PyTuple_Check(o) ? ")" : "]";
    }
  }
  return text + ")";
}

}  // namespace tl::python
