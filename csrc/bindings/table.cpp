// The operators as Python objects: one callable serves as module function and as method.

#include "bindings/table.h"
#include "bindings/pinned.h"

#include <Python.h>
#include <structmember.h>

#include <map>

#include "autograd/call.h"
#include "bindings/parser.h"
#include "bindings/tensor_type.h"

namespace tl::python {

namespace {

struct PyOperator {
  PyObject_HEAD;
  vectorcallfunc vectorcall;
  const char* name;
  const char* doc;
  bool method;  // in messages, arguments are counted from the one after self
  std::vector<Signature*>* signatures;
};
PyTypeObject* operator_type;

PyObject* result_tuple(const Signature& s, Results& results) {
  if (s.result_type) {
    py::object tuple = take(PyStructSequence_New(s.result_type));
    for (size_t i = 0; i < results.size(); ++i)
      PyStructSequence_SET_ITEM(tuple.ptr(), Py_ssize_t(i), must(wrap(std::move(results[i]))));
    return tuple.release().ptr();
  }
  py::object tuple = take(PyTuple_New(Py_ssize_t(results.size())));
  for (size_t i = 0; i < results.size(); ++i)
    PyTuple_SET_ITEM(tuple.ptr(), Py_ssize_t(i), must(wrap(std::move(results[i]))));
  return tuple.release().ptr();
}

PyObject* run(const Signature& s, Arguments& a) {
  const Operator& op = *s.op;
  if (op.inplace && op.out_arg != 0) {
    a.values[op.out_arg] = a.values[0];
    a.values[op.out_arg].inplace = true;
  }
  Results results;
  call(op, a.values, results);
  if (s.returns_none) Py_RETURN_NONE;
  if (s.returns_tuple) return result_tuple(s, results);
  if (results.empty()) Py_RETURN_NONE;
  if (s.returns_bool) return PyBool_FromLong(*results[0].data_as<bool>());
  if (a.requires_grad) {
    check(is_differentiable(results[0].dtype()),
          "Only Tensors of floating point and complex dtype can require gradients");
    results[0].impl()->requires_grad = true;
  }
  if (a.pin_memory) [[unlikely]] {
    results[0] = pinned_copy(results[0], true);
    results[0].impl()->requires_grad = a.requires_grad;
  }
  return wrap(std::move(results[0]));
}

// "(Tensor other, *, Scalar alpha=1)", without self for a method.
std::string shown_parameters(const Signature& s, bool method) {
  std::string text = s.text.substr(s.text.find('('));
  if (!method || s.params.empty()) return text;
  size_t comma = text.find(", ");
  return comma == std::string::npos ? "()" : "(" + text.substr(comma + 2);
}

[[noreturn, gnu::noinline]] void no_match(PyOperator* self, PyObject* const* args, size_t n, PyObject* names) {
  std::string why;
  {
    Arguments a;
    match(*(*self->signatures)[0], args, n, names, a, &why, self->method);
  }
  // Where the number of arguments leaves one signature, the message is about that one.
  size_t given = n + size_t(names ? PyTuple_GET_SIZE(names) : 0);
  const Signature* likely = nullptr;
  int fits = 0;
  for (const Signature* s : *self->signatures) {
    size_t least = 0, most = 0;
    for (const Param& p : s->params) {
      ++most;
      least += !p.has_default && p.type != Type::Ignored;
    }
    if (given < least || given > most) continue;
    likely = s;
    ++fits;
  }
  if (fits == 1 && self->signatures->size() > 1) {
    Arguments a;
    match(*likely, args, n, names, a, &why, self->method);
  }
  if (self->signatures->size() == 1 || fits == 1) fail_python(PyExc_TypeError, why);
  size_t skip = self->method && n ? 1 : 0;
  std::string text = str(self->name, "() received an invalid combination of arguments - got ",
                         describe_arguments(args + skip, n - skip, names), ", but expected one of:");
  for (const Signature* s : *self->signatures) text += "\n * " + shown_parameters(*s, self->method);
  fail_python(PyExc_TypeError, text + "\n");
}

// A call with its arguments in an order that PyTorch still takes, with a warning; null when it is none.
[[gnu::noinline]] PyObject* older_call(PyOperator* self, PyObject* const* args, size_t n, PyObject* names) {
  py::tuple positional(n);
  for (size_t i = 0; i < n; ++i) positional[i] = borrow(args[i]);
  py::dict keywords;
  for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); ++k)
    keywords[borrow(PyTuple_GET_ITEM(names, k))] = borrow(args[n + size_t(k)]);
  py::object result = py::module_::import("tensorlite._deprecated").attr("call")(self->name, positional, keywords);
  return result.ptr() == Py_NotImplemented ? nullptr : result.release().ptr();
}

PyObject* operator_call(PyObject* o, PyObject* const* args, size_t nargsf, PyObject* names) {
  auto* self = reinterpret_cast<PyOperator*>(o);
  size_t n = PyVectorcall_NARGS(nargsf);
  return guarded([&]() -> PyObject* {
    for (Signature* s : *self->signatures) {
      Arguments a;
      if (match(*s, args, n, names, a)) return run(*s, a);
    }
    if (self->name[0] == 'a' || !strncmp(self->name, "sub", 3) || !strncmp(self->name, "baddbmm", 7))
      if (PyObject* result = older_call(self, args, n, names)) return result;
    no_match(self, args, n, names);
  });
}

PyObject* operator_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}
PyObject* operator_repr(PyObject* self) {
  return PyUnicode_FromFormat("<%s operator %s>", package_name().c_str(), reinterpret_cast<PyOperator*>(self)->name);
}
PyObject* operator_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<PyOperator*>(self)->name);
}
PyObject* operator_module(PyObject*, void*) { return PyUnicode_FromString(package_name().c_str()); }

// "(input, other, *, alpha=1, out=None)"
std::string python_parameters(const Signature& s, bool method) {
  std::string text;
  bool starred = false;
  for (size_t i = method; i < s.params.size(); ++i) {
    const Param& p = s.params[i];
    if (p.keyword_only && !starred) text += text.empty() ? "*" : ", *";
    starred |= p.keyword_only;
    // Sizes may be written as separate arguments where nothing but keywords follows.
    text += (text.empty() ? "" : ", ") + p.name;
    if (p.has_default) text += "=" + p.given;
  }
  return "(" + text + ")";
}
PyObject* operator_text_signature(PyObject* self, void*) {
  return guarded([&] {
    auto* op = reinterpret_cast<PyOperator*>(self);
    std::string text = python_parameters(*op->signatures->front(), false);
    // inspect gives up at a name that is no identifier.
    for (const char* word : {"from", "lambda"})
      for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += strlen(word) + 1)
        if (!isalnum(text[at - 1]) && text[at - 1] != '_' && !isalnum(text[at + strlen(word)]) &&
            text[at + strlen(word)] != '_')
          text.insert(at + strlen(word), "_");
    return PyUnicode_FromString(text.c_str());
  });
}
PyObject* operator_doc(PyObject* self, void*) {
  return guarded([&] {
    auto* op = reinterpret_cast<PyOperator*>(self);
    std::string text;
    for (const Signature* s : *op->signatures)
      text +=
          s->name + python_parameters(*s, op->method) + " -> " + (s->results.empty() ? "Tensor" : s->results) + "\n";
    py::object example = py::module_::import("tensorlite._examples").attr("of")(op->name);
    return PyUnicode_FromString((text + "\n" + op->doc + py::cast<std::string>(example)).c_str());
  });
}
PyObject* operator_signatures(PyObject* self, void*) {
  return guarded([&] {
    py::list all;
    for (const Signature* s : *reinterpret_cast<PyOperator*>(self)->signatures)
      all.append(s->text + " -> " + (s->results.empty() ? "Tensor" : s->results));
    return all.release().ptr();
  });
}
PyObject* operator_reduce(PyObject* self, PyObject*) {
  return guarded([&] {
    py::object f = py::module_::import("tensorlite._C").attr("_operator");
    return py::make_tuple(f, py::make_tuple(reinterpret_cast<PyOperator*>(self)->name)).release().ptr();
  });
}

PyGetSetDef operator_getset[] = {{"__name__", operator_name, nullptr, nullptr, nullptr},
                                 {"__qualname__", operator_name, nullptr, nullptr, nullptr},
                                 {"__module__", operator_module, nullptr, nullptr, nullptr},
                                 {"__doc__", operator_doc, nullptr, nullptr, nullptr},
                                 {"__text_signature__", operator_text_signature, nullptr, nullptr, nullptr},
                                 {"signatures", operator_signatures, nullptr, nullptr, nullptr},
                                 {}};
PyMethodDef operator_methods[] = {{"__reduce__", operator_reduce, METH_NOARGS, nullptr}, {}};
PyMemberDef operator_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(PyOperator, vectorcall), READONLY, nullptr}, {}};
PyType_Slot operator_slots[] = {{Py_tp_call, (void*)PyVectorcall_Call},
                                {Py_tp_descr_get, (void*)operator_get},
                                {Py_tp_repr, (void*)operator_repr},
                                {Py_tp_getset, operator_getset},
                                {Py_tp_methods, operator_methods},
                                {Py_tp_members, operator_members},
                                {}};
PyType_Spec operator_spec = {
    "tensorlite._C.Operator", sizeof(PyOperator), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    operator_slots};

// ---- registration ----

struct Families {
  std::vector<std::span<const Row>> rows;
  std::map<std::string, PyOperator*> operators, methods;
};
Families& families() {
  static auto& f = *new Families;
  return f;
}

PyOperator* operator_object(const std::string& name, const char* doc, bool method) {
  PyOperator*& o = (method ? families().methods : families().operators)[name];
  if (!o) {
    o = PyObject_New(PyOperator, operator_type);
    o->vectorcall = operator_call;
    o->name = strdup(name.c_str());
    o->doc = doc;
    o->method = method;
    o->signatures = new std::vector<Signature*>;
  }
  return o;
}

void add_row(py::module_& m, py::module_& nn, const Row& row) {
  Operator op;
  op.fn = row.fn;
  op.no_grad = row.flags & kNoGrad;
  op.composite = row.flags & kComposite;
  op.inplace_lists = row.flags & kInplaceLists;
  auto* s = new Signature(parse_signature(row.signature, op));
  bool writes_first = s->name.back() == '_' && s->name[0] != '_' && !op.inplace_lists;
  if (writes_first) {
    op.inplace = true;
    op.out_arg = 0;
  }
  auto publish = [&](Signature* signature, Operator definition, unsigned flags) {
    signature->op = &add_operator(std::move(definition));
    PyOperator* o = operator_object(signature->name, row.doc, false);
    o->signatures->push_back(signature);
    PyObject* object = reinterpret_cast<PyObject*>(o);
    if (flags & kFunction) m.attr(signature->name.c_str()) = borrow(object);
    if (flags & kNN) nn.attr(signature->name.c_str()) = borrow(object);
    if (flags & kMethod) {
      PyOperator* method = operator_object(signature->name, row.doc, true);
      method->signatures->push_back(signature);
      must(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), signature->name.c_str(),
                                  reinterpret_cast<PyObject*>(method)));
    }
  };
  if (row.flags & kInplace) {
    // The in-place twin: the same function with `out` bound to the first argument.
    Operator twin = op;
    auto* t = new Signature(*s);
    std::erase_if(t->params, [](const Param& p) { return p.name == "out"; });
    size_t cut = t->text.find(", *, Tensor? out=None");
    if (cut != std::string::npos) t->text.erase(cut, strlen(", *, Tensor? out=None"));
    if (size_t rest = t->text.find(", Tensor? out=None"); rest != std::string::npos)
      t->text.erase(rest, strlen(", Tensor? out=None"));
    t->text.insert(t->name.size(), "_");
    t->name += "_";
    t->returns_bool = false;
    size_t dot = twin.name.find('.');
    twin.name.insert(dot == std::string::npos ? twin.name.size() : dot, "_");
    twin.display += "_";
    check(twin.out_arg >= 0, "operator ", op.name, ": an in-place form needs a parameter `out`");
    twin.inplace = true;
    unsigned flags = row.flags & kNN ? kNN : kMethod | (row.flags & kFunction);
    publish(t, std::move(twin), flags);
  }
  if (!(row.flags & kInplaceOnly)) publish(s, std::move(op), row.flags);
}

}  // namespace

RowsRegistrar::RowsRegistrar(std::span<const Row> rows) { families().rows.push_back(rows); }

PyObject* OperatorCall::operator()(PyObject* const* args, size_t n) {
  if (!operator_) {
    auto it = families().operators.find(name_);
    if (it == families().operators.end()) {
      PyErr_Format(PyExc_NotImplementedError, "%s: this operator is not there yet", name_);
      return nullptr;
    }
    operator_ = reinterpret_cast<PyObject*>(it->second);
  }
  return operator_call(operator_, args, n, nullptr);
}

void add_operators(py::module_& m) {
  operator_type = make_type(m.ptr(), operator_spec);
  py::module_ nn = m.def_submodule("nn", "Operators that stand in nn.functional.");
  for (auto rows : families().rows)
    for (const Row& row : rows) {
      try {
        add_row(m, nn, row);
      } catch (const Error& e) {
        fail(e.what(), " (in the row \"", row.signature, "\")");
      }
    }
  m.def(
      "_operator",
      [](const std::string& name) {
        auto it = families().operators.find(name);
        check(it != families().operators.end(), "there is no operator ", name);
        return borrow(reinterpret_cast<PyObject*>(it->second));
      },
      "The operator of that name, public or not.");
  m.def(
      "_named_tuple",
      [](const std::string& op, const py::sequence& fields) {
        std::vector<std::string> names;
        for (py::handle name : fields) names.push_back(py::cast<std::string>(name));
        return take(reinterpret_cast<PyObject*>(named_tuple(op, names)));
      },
      "The type of an operator's results, `tensorlite.return_types.<op>`.");
  m.def(
      "_result_type_of",
      [](const std::string& name) {
        PyTypeObject* type = find_result_type(name);
        return type ? borrow(reinterpret_cast<PyObject*>(type)) : py::none();
      },
      "The named tuple that an operator gives, or None.");
  m.def(
      "_operators",
      [] {
        py::dict all;
        for (auto& [name, o] : families().operators) all[name.c_str()] = borrow(reinterpret_cast<PyObject*>(o));
        return all;
      },
      "All operators by name.");
}

}  // namespace tl::python
