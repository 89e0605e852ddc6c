// Tensor's Python operators: + - * and so on, comparisons, truth, length.

#include <cstring>

#include "bindings/tensor_object.h"
#include "bindings/tensor_type.h"

namespace tl::python {

namespace {

bool operand(PyObject* o) { return is_tensor(o) || is_number(o); }

// Calls an operator; other types than tensors and numbers are left to their own reflected operator.
template <class... A>
PyObject* dispatch(OperatorCall& op, A... args) {
  PyObject* all[] = {args...};
  for (PyObject* o : all)
    if (!operand(o)) Py_RETURN_NOTIMPLEMENTED;
  return op(all, sizeof...(args));
}

// The four operators of arithmetic without the parser: their arguments are two operands and defaults.
class FastBinary {
 public:
  explicit FastBinary(const char* name) : name_(name) {}

  PyObject* operator()(PyObject* a, PyObject* b) {
    if (!is_tensor(a) || !operand(b)) Py_RETURN_NOTIMPLEMENTED;
    return guarded([&]() -> PyObject* {
      if (!op_) op_ = &get_operator(name_);
      Value args[Operator::kMaxArgs];
      args[0] = Value(unwrap(a));
      Tensor number;
      if (is_tensor(b)) {
        args[1] = Value(unwrap(b));
      } else {
        number = wrapped_number(unwrap_scalar(b));
        args[1] = Value(number);
      }
      for (size_t i = 2; i < op_->defaults.size(); ++i) args[i] = op_->defaults[i];
      Results results;
      if (op_->inplace) {
        args[op_->out_arg] = args[0];
        args[op_->out_arg].inplace = true;
        call(*op_, args, results);
        return Py_NewRef(a);
      }
      call(*op_, args, results);
      return wrap(std::move(results[0]));
    });
  }

 private:
  const char* name_;
  const Operator* op_ = nullptr;
};

FastBinary add("add"), sub("sub"), mul("mul"), div("div"), rsub("rsub.Scalar"), add_("add_"), sub_("sub_"),
    mul_("mul_"), div_("div_");

PyObject* nb_add(PyObject* a, PyObject* b) { return is_tensor(a) ? add(a, b) : add(b, a); }
PyObject* nb_mul(PyObject* a, PyObject* b) { return is_tensor(a) ? mul(a, b) : mul(b, a); }
PyObject* nb_sub(PyObject* a, PyObject* b) { return is_tensor(a) ? sub(a, b) : rsub(b, a); }
PyObject* nb_div(PyObject* a, PyObject* b) {
  if (is_tensor(a)) return div(a, b);
  bool array = !strcmp(Py_TYPE(a)->tp_name, "numpy.ndarray");
  if (!array && !operand(a)) Py_RETURN_NOTIMPLEMENTED;
  static OperatorCall reciprocal("reciprocal");
  PyObject* inverse = dispatch(reciprocal, b);
  if (!inverse) return nullptr;
  PyObject* result = array ? PyNumber_Multiply(inverse, a) : mul(inverse, a);
  Py_DECREF(inverse);
  return result;
}
PyObject* nb_iadd(PyObject* a, PyObject* b) { return add_(a, b); }
PyObject* nb_isub(PyObject* a, PyObject* b) { return sub_(a, b); }
PyObject* nb_imul(PyObject* a, PyObject* b) { return mul_(a, b); }
PyObject* nb_idiv(PyObject* a, PyObject* b) { return div_(a, b); }

PyObject* nb_pow(PyObject* a, PyObject* b, PyObject* mod) {
  if (mod != Py_None) Py_RETURN_NOTIMPLEMENTED;
  static OperatorCall pow("pow");
  return dispatch(pow, a, b);
}
PyObject* nb_ipow(PyObject* a, PyObject* b, PyObject*) {
  static OperatorCall pow_("pow_");
  return dispatch(pow_, a, b);
}

#define TL_UNARY(slot, name)      \
  PyObject* slot(PyObject* a) {   \
    static OperatorCall op(name); \
    return dispatch(op, a);       \
  }
#define TL_BINARY(slot, name)                \
  PyObject* slot(PyObject* a, PyObject* b) { \
    static OperatorCall op(name);            \
    return dispatch(op, a, b);               \
  }
TL_UNARY(nb_neg, "neg")
TL_UNARY(nb_abs, "abs")

PyObject* nb_invert(PyObject* a) {
  if (!is_integral(unwrap(a).dtype())) {
    PyErr_SetString(PyExc_TypeError, "~ (operator.invert) is only implemented on integer and Boolean-type tensors");
    return nullptr;
  }
  static OperatorCall op("bitwise_not");
  return dispatch(op, a);
}
TL_BINARY(nb_floordiv, "floor_divide")
TL_BINARY(nb_remainder, "remainder")
TL_BINARY(nb_and, "bitwise_and")
TL_BINARY(nb_or, "bitwise_or")
TL_BINARY(nb_xor, "bitwise_xor")
TL_BINARY(nb_lshift, "bitwise_left_shift")
TL_BINARY(nb_rshift, "bitwise_right_shift")
PyObject* nb_matmul(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  static OperatorCall op("matmul");
  return dispatch(op, a, b);
}
TL_BINARY(nb_ifloordiv, "floor_divide_")
TL_BINARY(nb_iremainder, "remainder_")
TL_BINARY(nb_iand, "bitwise_and_")
TL_BINARY(nb_ior, "bitwise_or_")
TL_BINARY(nb_ixor, "bitwise_xor_")
TL_BINARY(nb_ilshift, "bitwise_left_shift_")
TL_BINARY(nb_irshift, "bitwise_right_shift_")
#undef TL_UNARY
#undef TL_BINARY
PyObject* nb_pos(PyObject* a) { return Py_NewRef(a); }

PyObject* compare(PyObject* a, PyObject* b, int op) {
  static OperatorCall calls[] = {OperatorCall("lt"), OperatorCall("le"), OperatorCall("eq"),
                                 OperatorCall("ne"), OperatorCall("gt"), OperatorCall("ge")};
  if ((op == Py_EQ || op == Py_NE) && !operand(b) && !strcmp(Py_TYPE(b)->tp_name, "numpy.ndarray"))
    return guarded(
        [&] { return must(compare(a, py::module_::import("tensorlite").attr("as_tensor")(borrow(b)).ptr(), op)); });
  return dispatch(calls[op], a, b);
}

void need_one_element(const Tensor& t, const char* what) {
  if (t.numel() == 1) return;
  if (std::string(what) == "bool") {
    check(t.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
    fail("Boolean value of Tensor with more than one value is ambiguous");
  }
  fail_python(PyExc_ValueError, str("only one element tensors can be converted to Python scalars. This one has ",
                                    t.numel(), " elements"));
}

// float(loss) in a training loop is what .item() is for.
void warn_of_history(const Tensor& t) {
  if (!requires_grad(t)) return;
  warn(
      "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
      "tensor.detach() first.");
}

int nb_bool(PyObject* self) {
  return guarded(-1, [&] {
    need_one_element(unwrap(self), "bool");
    py::object v = take(item(unwrap(self)));
    return PyObject_IsTrue(v.ptr());
  });
}
PyObject* nb_int(PyObject* self) {
  return guarded([&] {
    need_one_element(unwrap(self), "int");
    py::object v = take(item(unwrap(self)));
    check(!PyComplex_Check(v.ptr()) || PyComplex_ImagAsDouble(v.ptr()) == 0,
          "value cannot be converted to type int64_t without overflow");
    return PyComplex_Check(v.ptr()) ? must(PyLong_FromDouble(PyComplex_RealAsDouble(v.ptr())))
                                    : must(PyNumber_Long(v.ptr()));
  });
}
PyObject* nb_float(PyObject* self) {
  return guarded([&] {
    need_one_element(unwrap(self), "float");
    warn_of_history(unwrap(self));
    py::object v = take(item(unwrap(self)));
    if (PyComplex_Check(v.ptr())) {
      check(PyComplex_ImagAsDouble(v.ptr()) == 0, "value cannot be converted to type double without overflow");
      return PyFloat_FromDouble(PyComplex_RealAsDouble(v.ptr()));
    }
    return must(PyNumber_Float(v.ptr()));
  });
}
PyObject* nb_index(PyObject* self) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = unwrap(self);
    if (!is_integral(t.dtype()) || t.numel() != 1)
      fail_python(PyExc_TypeError, "only integer tensors of a single element can be converted to an index");
    return must(PyNumber_Index(take(item(t)).ptr()));
  });
}
PyObject* complex_method(PyObject* self, PyObject*) {
  return guarded([&] {
    need_one_element(unwrap(self), "complex");
    Scalar v = unwrap_scalar(take(item(unwrap(self))).ptr());
    auto c = v.to<std::complex<double>>();
    return PyComplex_FromDoubles(c.real(), c.imag());
  });
}
Py_ssize_t length(PyObject* self) {
  return guarded(Py_ssize_t(-1), [&]() -> Py_ssize_t {
    if (unwrap(self).dim() == 0) fail_python(PyExc_TypeError, "len() of a 0-d tensor");
    return unwrap(self).size(0);
  });
}
int set_item(PyObject* self, PyObject* index, PyObject* value) {
  if (!value) {
    PyErr_SetString(PyExc_TypeError, "Tensor does not support deleting items");
    return -1;
  }
  return tensor_setitem(self, index, value);
}

}  // namespace

PyObject* tensor_complex(PyObject* self, PyObject*) { return complex_method(self, nullptr); }

void add_operator_slots(std::vector<PyType_Slot>& slots) {
  const PyType_Slot all[] = {{Py_nb_add, (void*)nb_add},
                             {Py_nb_subtract, (void*)nb_sub},
                             {Py_nb_multiply, (void*)nb_mul},
                             {Py_nb_true_divide, (void*)nb_div},
                             {Py_nb_inplace_add, (void*)nb_iadd},
                             {Py_nb_inplace_subtract, (void*)nb_isub},
                             {Py_nb_inplace_multiply, (void*)nb_imul},
                             {Py_nb_inplace_true_divide, (void*)nb_idiv},
                             {Py_nb_power, (void*)nb_pow},
                             {Py_nb_inplace_power, (void*)nb_ipow},
                             {Py_nb_negative, (void*)nb_neg},
                             {Py_nb_positive, (void*)nb_pos},
                             {Py_nb_absolute, (void*)nb_abs},
                             {Py_nb_invert, (void*)nb_invert},
                             {Py_nb_floor_divide, (void*)nb_floordiv},
                             {Py_nb_remainder, (void*)nb_remainder},
                             {Py_nb_and, (void*)nb_and},
                             {Py_nb_or, (void*)nb_or},
                             {Py_nb_xor, (void*)nb_xor},
                             {Py_nb_lshift, (void*)nb_lshift},
                             {Py_nb_rshift, (void*)nb_rshift},
                             {Py_nb_matrix_multiply, (void*)nb_matmul},
                             {Py_nb_inplace_floor_divide, (void*)nb_ifloordiv},
                             {Py_nb_inplace_remainder, (void*)nb_iremainder},
                             {Py_nb_inplace_and, (void*)nb_iand},
                             {Py_nb_inplace_or, (void*)nb_ior},
                             {Py_nb_inplace_xor, (void*)nb_ixor},
                             {Py_nb_inplace_lshift, (void*)nb_ilshift},
                             {Py_nb_inplace_rshift, (void*)nb_irshift},
                             {Py_nb_bool, (void*)nb_bool},
                             {Py_nb_int, (void*)nb_int},
                             {Py_nb_float, (void*)nb_float},
                             {Py_nb_index, (void*)nb_index},
                             {Py_tp_richcompare, (void*)compare},
                             {Py_mp_length, (void*)length},
                             {Py_mp_subscript, (void*)tensor_getitem},
                             {Py_mp_ass_subscript, (void*)set_item}};
  slots.insert(slots.end(), std::begin(all), std::end(all));
}

}  // namespace tl::python
