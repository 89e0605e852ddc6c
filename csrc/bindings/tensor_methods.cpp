// Properties of a tensor and the methods that are no operators.

#include "bindings/tensor_object.h"
#include "bindings/tensor_type.h"
#include "ops/creation.h"

namespace tl::python {

namespace {

PyObject* get_shape(PyObject* self, void*) { return wrap_size(unwrap(self).sizes()); }
PyObject* get_dtype(PyObject* self, void*) { return wrap(unwrap(self).dtype()); }
PyObject* get_device(PyObject* self, void*) { return wrap(unwrap(self).device()); }
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLongLong(unwrap(self).dim()); }
PyObject* get_requires_grad(PyObject* self, void*) { return PyBool_FromLong(requires_grad(unwrap(self))); }
PyObject* get_is_leaf(PyObject* self, void*) {
  return guarded([&] { return PyBool_FromLong(is_leaf(unwrap(self))); });
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return guarded([&] { return wrap(grad_fn(unwrap(self))); });
}
PyObject* get_output_nr(PyObject* self, void*) {
  AutogradMeta* m = meta(unwrap(self));
  return PyLong_FromUnsignedLong(m ? m->output_nr : 0);
}
PyObject* get_version(PyObject* self, void*) {
  return guarded([&] {
    check(!unwrap(self).impl()->inference, "Inference tensors do not track version counter.");
    return PyLong_FromUnsignedLong(unwrap(self).impl()->version());
  });
}
PyObject* get_base(PyObject* self, void*) { return wrap(Tensor(unwrap(self).impl()->base)); }
PyObject* get_retains_grad(PyObject* self, void*) {
  AutogradMeta* m = meta(unwrap(self));
  return PyBool_FromLong(m && m->retains_grad);
}
PyObject* get_is_cuda(PyObject* self, void*) { return PyBool_FromLong(!unwrap(self).device().is_cpu()); }
PyObject* get_is_cpu(PyObject* self, void*) { return PyBool_FromLong(unwrap(self).device().is_cpu()); }
PyObject* get_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(unwrap(self).itemsize()); }
PyObject* get_nbytes(PyObject* self, void*) {
  return PyLong_FromLongLong(unwrap(self).numel() * int64_t(unwrap(self).itemsize()));
}

PyObject* get_grad(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = unwrap(self);
    AutogradMeta* m = meta(t);
    if (m && m->grad.defined()) return wrap(m->grad);
    if (m && m->grad_fn && !m->retains_grad)
      must(PyErr_WarnEx(PyExc_UserWarning,
                        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                        "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
                        "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
                        "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead.",
                        1));
    Py_RETURN_NONE;
  });
}

int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded(-1, [&] {
    const Tensor& t = unwrap(self);
    if (!value || value == Py_None) {
      if (AutogradMeta* m = meta(t)) m->grad = Tensor();
      return 0;
    }
    if (!is_tensor(value))
      fail_python(PyExc_TypeError,
                  str("assigned grad expected to be a Tensor or None but got grad of type ", Py_TYPE(value)->tp_name));
    const Tensor& g = unwrap(value);
    check(!g.is(t), "can't assign Variable as its own grad");
    check(g.dtype() == t.dtype(), "attempting to assign a gradient with dtype '", ops::c_type_name(g.dtype()),
          "' to a tensor with grad_dtype '", type_name(t.dtype()), "'. The gradient must match the tensor's dtype.");
    check(g.device() == t.device(), "attempting to assign a gradient with device type '", to_string(g.device()),
          "' to a tensor with device type '", to_string(t.device()),
          "'. Please ensure that the gradient and the tensor "
          "are on the same device");
    check(g.sizes() == t.sizes(), "attempting to assign a gradient of size '", to_string(g.sizes()),
          "' to a tensor of size '", to_string(t.sizes()),
          "'. Please ensure that the gradient and the tensor are the same "
          "size");
    make_meta(t).grad = g;
    return 0;
  });
}

void check_not_inference(const Tensor& t, bool on) {
  check(!on || !t.impl()->inference || inference_enabled(),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
}

void change_requires_grad(const Tensor& t, bool on) {
  if (!on && grad_fn(t))
    fail(
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
        "subgraph that doesn't require differentiation use var_no_grad = var.detach().");
  check(!on || is_differentiable(t.dtype()), "only Tensors of floating point dtype can require gradients");
  check_not_inference(t, on);
  if (!grad_fn(t)) t.impl()->requires_grad = on;
}

int set_requires_grad(PyObject* self, PyObject* value, void*) {
  return guarded(-1, [&] {
    if (!value || !PyBool_Check(value)) fail_python(PyExc_RuntimeError, "requires_grad must be a bool");
    const Tensor& t = unwrap(self);
    if (grad_fn(t) && value == Py_True) fail("you can only change requires_grad flags of leaf variables.");
    check(value != Py_True || is_differentiable(t.dtype()),
          "only Tensors of floating point and complex dtype can require gradients");
    change_requires_grad(t, value == Py_True);
    return 0;
  });
}

PyObject* get_data(PyObject* self, void*) {
  return guarded([&] { return wrap(alias(unwrap(self))); });
}

// x.data = y: the same Python object and history, other contents.
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded(-1, [&] {
    check(value, "Deleting tensor data is not allowed. Delete tensor instead!");
    if (!is_tensor(value))
      fail_python(PyExc_TypeError, str("Variable data has to be a tensor, but got ", Py_TYPE(value)->tp_name));
    TensorImpl *to = unwrap(self).impl(), *from = unwrap(value).impl();
    check(!to->requires_grad || is_differentiable(from->dtype),
          "data set to a tensor that requires gradients must be floating point or complex dtype");
    to->storage = from->storage;
    to->sizes = from->sizes;
    to->strides = from->strides;
    to->offset = from->offset;
    to->dtype = from->dtype;
    to->device = from->device;
    to->conj = from->conj;
    to->neg = from->neg;
    to->refresh();
    return 0;
  });
}

// ---- methods ----

int64_t dim_argument(PyObject* o, const char* method) {
  if (!PyIndex_Check(o) || PyBool_Check(o))
    fail_python(PyExc_TypeError, str(method, "(): argument 'dim' (position 1) must be int, not ", Py_TYPE(o)->tp_name));
  py::object i = take(PyNumber_Index(o));
  return PyLong_AsLongLong(i.ptr());
}

PyObject* one_dim(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names, const char* method) {
  Py_ssize_t total = n + (names ? PyTuple_GET_SIZE(names) : 0);
  if (total > 1) fail_python(PyExc_TypeError, str(method, "() takes at most 1 argument (", total, " given): the dim"));
  if (names && PyTuple_GET_SIZE(names) && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "dim") != 0)
    fail_python(PyExc_TypeError, str(method, "() got an unexpected keyword argument '",
                                     PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, 0)), "'"));
  return total ? args[0] : Py_None;
}

PyObject* size(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return guarded([&]() -> PyObject* {
    PyObject* dim = one_dim(self, args, n, names, "size");
    const Tensor& t = unwrap(self);
    if (dim == Py_None) return wrap_size(t.sizes());
    int64_t d = dim_argument(dim, "size");
    if (t.dim() == 0) fail<IndexError>("Dimension specified as ", d, " but tensor has no dimensions");
    return PyLong_FromLongLong(t.size(wrap_dim(d, t.dim())));
  });
}
PyObject* stride(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return guarded([&]() -> PyObject* {
    PyObject* dim = one_dim(self, args, n, names, "stride");
    const Tensor& t = unwrap(self);
    if (dim == Py_None) {
      py::object tuple = take(PyTuple_New(t.dim()));
      for (int64_t i = 0; i < t.dim(); ++i) PyTuple_SET_ITEM(tuple.ptr(), i, PyLong_FromLongLong(t.stride(i)));
      return tuple.release().ptr();
    }
    int64_t d = dim_argument(dim, "stride");
    if (t.dim() == 0) fail<IndexError>("Dimension specified as ", d, " but tensor has no dimensions");
    return PyLong_FromLongLong(t.stride(wrap_dim(d, t.dim())));
  });
}
PyObject* dim(PyObject* self, PyObject*) { return PyLong_FromLongLong(unwrap(self).dim()); }
PyObject* numel(PyObject* self, PyObject*) { return PyLong_FromLongLong(unwrap(self).numel()); }
PyObject* storage_offset(PyObject* self, PyObject*) { return PyLong_FromLongLong(unwrap(self).offset()); }
PyObject* element_size(PyObject* self, PyObject*) { return PyLong_FromSize_t(unwrap(self).itemsize()); }
PyObject* data_ptr(PyObject* self, PyObject*) {
  return PyLong_FromVoidPtr(unwrap(self).impl()->storage->data() ? unwrap(self).data() : nullptr);
}
PyObject* storage_ptr(PyObject* self, PyObject*) { return PyLong_FromVoidPtr(unwrap(self).impl()->storage->data()); }
PyObject* storage_nbytes(PyObject* self, PyObject*) {
  return PyLong_FromSize_t(unwrap(self).impl()->storage->nbytes());
}
PyObject* is_floating_point(PyObject* self, PyObject*) { return PyBool_FromLong(is_floating(unwrap(self).dtype())); }
PyObject* is_complex_method(PyObject* self, PyObject*) { return PyBool_FromLong(is_complex(unwrap(self).dtype())); }
PyObject* item_method(PyObject* self, PyObject*) {
  return guarded([&] { return item(unwrap(self)); });
}
PyObject* detach_method(PyObject* self, PyObject*) {
  return guarded([&] { return wrap(detach(unwrap(self))); });
}
PyObject* detach_inplace(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = unwrap(self);
    check(!t.impl()->base,
          "Can't detach views in-place: use detach() instead. If you are using DistributedDataParallel "
          "(DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP "
          "buckets, and hence detach_() cannot be called on these gradients.");
    if (AutogradMeta* m = meta(t)) {
      m->grad_fn.reset();
      m->output_nr = 0;
      m->retains_grad = false;
      m->hook.reset();
    }
    t.impl()->requires_grad = false;
    return Py_NewRef(self);
  });
}
PyObject* requires_grad_(PyObject* self, PyObject* const* args, Py_ssize_t n, PyObject* names) {
  return guarded([&]() -> PyObject* {
    Py_ssize_t total = n + (names ? PyTuple_GET_SIZE(names) : 0);
    if (total > 1 || (names && PyTuple_GET_SIZE(names) &&
                      PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "requires_grad") != 0))
      fail_python(PyExc_TypeError, str("requires_grad_() takes from 0 to 1 positional arguments but ", total,
                                       total == 1 ? " was given" : " were given"));
    if (total && !PyBool_Check(args[0]))
      fail_python(PyExc_TypeError, str("requires_grad_(): argument 'requires_grad' (position 1) must be bool, not ",
                                       Py_TYPE(args[0])->tp_name));
    bool on = !total || args[0] == Py_True;
    change_requires_grad(unwrap(self), on);
    return Py_NewRef(self);
  });
}
PyObject* retain_grad_method(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    retain_grad(unwrap(self));
    Py_RETURN_NONE;
  });
}
PyObject* is_inference(PyObject* self, PyObject*) { return PyBool_FromLong(unwrap(self).impl()->inference); }
PyObject* get_is_view(PyObject* self, PyObject*) { return PyBool_FromLong(bool(unwrap(self).impl()->base)); }

// _make_subclass(cls, data, requires_grad=False): a new object of a subclass over the same memory.
PyObject* make_subclass(PyObject*, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    PyObject *cls, *data;
    int wanted = 0;
    const char* names[] = {"cls", "data", "require_grad", nullptr};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|p", const_cast<char**>(names), &cls, &data, &wanted))
      throw py::error_already_set();
    if (!PyType_Check(cls) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type))
      fail_python(PyExc_TypeError, "cls must be a subclass of Tensor");
    if (!is_tensor(data)) fail_python(PyExc_TypeError, "_make_subclass: data must be a Tensor");
    Tensor t = alias(unwrap(data));
    change_requires_grad(t, wanted != 0);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), std::move(t));
  });
}

// as_subclass(cls): the same memory and history as an object of a subclass.
PyObject* as_subclass(PyObject* self, PyObject* cls) {
  return guarded([&]() -> PyObject* {
    if (!PyType_Check(cls) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type))
      fail_python(PyExc_TypeError, "cls must be a subclass of Tensor");
    static Op view("view");
    const Tensor& t = unwrap(self);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), view(t, t.sizes()));
  });
}

template <PyObject* (*F)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)>
constexpr PyMethodDef fastcall(const char* name, const char* doc) {
  return {name, (PyCFunction)(void (*)(void))F, METH_FASTCALL | METH_KEYWORDS, doc};
}

}  // namespace

PyMethodDef tensor_methods[] = {
    fastcall<size>("size", "size(dim=None): the sizes of all dimensions, or of one."),
    fastcall<stride>("stride", "stride(dim=None): elements to step along each dimension, or along one."),
    {"dim", dim, METH_NOARGS, "The number of dimensions."},
    {"ndimension", dim, METH_NOARGS, "The number of dimensions."},
    {"numel", numel, METH_NOARGS, "The number of elements."},
    {"nelement", numel, METH_NOARGS, "The number of elements."},
    {"storage_offset", storage_offset, METH_NOARGS, "The first element's place in the storage, in elements."},
    {"element_size", element_size, METH_NOARGS, "Bytes of one element."},
    {"data_ptr", data_ptr, METH_NOARGS, "The address of the first element."},
    {"_storage_ptr", storage_ptr, METH_NOARGS, nullptr},
    {"_storage_nbytes", storage_nbytes, METH_NOARGS, nullptr},
    {"is_floating_point", is_floating_point, METH_NOARGS, nullptr},
    {"is_complex", is_complex_method, METH_NOARGS, nullptr},
    {"__complex__", tensor_complex, METH_NOARGS, nullptr},
    {"item", item_method, METH_NOARGS, "The value of a tensor of one element as a Python number."},
    {"detach", detach_method, METH_NOARGS, "The same memory without history."},
    {"detach_", detach_inplace, METH_NOARGS, "Forgets the tensor's history and makes it a leaf."},
    fastcall<requires_grad_>("requires_grad_", "requires_grad_(requires_grad=True): asks for gradients of this leaf."),
    {"retain_grad", retain_grad_method, METH_NOARGS, "Keeps .grad of a tensor that is no leaf."},
    {"as_subclass", as_subclass, METH_O, "as_subclass(cls): the same memory and history as an object of a subclass."},
    {"is_inference", is_inference, METH_NOARGS, nullptr},
    {"_is_view", get_is_view, METH_NOARGS, nullptr},
    {"_make_subclass", (PyCFunction)(void (*)(void))make_subclass, METH_VARARGS | METH_KEYWORDS | METH_STATIC, nullptr},
    {}};

PyGetSetDef tensor_getset[] = {
    {"shape", get_shape, nullptr, "The sizes of the dimensions.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the memory lies.", nullptr},
    {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether operators on it are recorded.", nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() has accumulated, or None.", nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The node that made the tensor, or None.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, nullptr, nullptr},
    {"data", get_data, set_data, "The same memory with no tie to autograd.", nullptr},
    {"output_nr", get_output_nr, nullptr, nullptr, nullptr},
    {"retains_grad", get_retains_grad, nullptr, nullptr, nullptr},
    {"_version", get_version, nullptr, "How often it was written to in place.", nullptr},
    {"_base", get_base, nullptr, "Of a view: the tensor it looks at.", nullptr},
    {"is_cuda", get_is_cuda, nullptr, nullptr, nullptr},
    {"is_cpu", get_is_cpu, nullptr, nullptr, nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {}};

}  // namespace tl::python
