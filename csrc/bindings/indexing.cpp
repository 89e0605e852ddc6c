// Tensor.__getitem__ and __setitem__. An index is read part by part, each integer, slice and None being a view operator
// at once; what is left (tensors, masks, lists, arrays) goes to `index` or `index_put_` in one call.

#include <cstring>

#include "bindings/tensor_object.h"
#include "bindings/tensor_type.h"
#include "core/plan.h"
#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/index.h"
#include "ops/shape.h"

namespace tl::python {

namespace {

bool recorded(const Tensor& t) { return grad_enabled() && requires_grad(t); }

// ---- the view operators, recorded only where a gradient may be asked for ----

Tensor select(const Tensor& t, int64_t dim, int64_t i, int64_t place) {
  int64_t size = t.sizes()[size_t(dim)];
  if (i < -size || i >= size) [[unlikely]]
    fail<IndexError>("index ", i, " is out of bounds for dimension ", place, " with size ", size);
  if (!recorded(t)) return ops::select(t, dim, i);
  static Op op("select");
  return op(t, dim, i);
}

Tensor unsqueeze(const Tensor& t, int64_t dim) {
  if (!recorded(t)) return ops::unsqueeze(t, dim);
  static Op op("unsqueeze");
  return op(t, dim);
}

Tensor slice(const Tensor& t, int64_t dim, int64_t start, int64_t stop, int64_t step) {
  if (!recorded(t)) return ops::slice(t, dim, start, stop, step);
  static Op op("slice");
  return op(t, dim, start, stop, step);
}

Tensor alias_of(const Tensor& t) {
  if (!recorded(t)) return ops::alias_view(t);
  static Op op("alias");
  return op(t);
}

struct Bounds {
  Py_ssize_t start, stop, step;
  bool whole(int64_t size) const { return start == 0 && stop >= size && step == 1; }
};

Bounds bounds_of(PyObject* o) {
  Bounds b;
  must(PySlice_Unpack(o, &b.start, &b.stop, &b.step));
  check<ValueError>(b.step > 0, "step must be greater than zero. Use .flip() to turn a dimension round.");
  return b;
}

int64_t as_index(PyObject* o) {
  int overflow;
  long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (v == -1 && !overflow && PyErr_Occurred()) throw py::error_already_set();
  check<ValueError>(!overflow, "Overflow when unpacking long long");
  return v;
}

// ---- indices that become tensors ----

Tensor bool_index(bool on) {
  Tensor t = empty({on ? 1 : 0}, Dtype::Int64);
  if (on) *t.data_as<int64_t>() = 0;
  return t;
}

// A nested list of ints or bools; floats are cut off, as PyTorch does.
struct ListReader {
  Dims sizes;
  std::vector<int64_t> values;
  bool all_bool = true;

  void shape(PyObject* o) {
    if (PyUnicode_Check(o) || PyBytes_Check(o))
      fail_python(PyExc_TypeError, str("new(): invalid data type '", Py_TYPE(o)->tp_name, "'"));
    if (!is_list(o)) return;
    Py_ssize_t n = PySequence_Size(o);
    if (n < 0) throw py::error_already_set();
    check<ValueError>(sizes.size() < 64, "too many dimensions in an index list");
    sizes.push_back(n);
    if (n > 0) shape(take(PySequence_GetItem(o, 0)).ptr());
  }
  void read(PyObject* o, size_t depth) {
    if (depth == sizes.size()) return read_number(o);
    Py_ssize_t n = is_list(o) ? PySequence_Size(o) : -1;
    if (n != sizes[depth])
      fail_python(PyExc_ValueError, str("expected sequence of length ", sizes[depth], " at dim ", depth, " (got ",
                                        n < 0 ? std::string("a number") : std::to_string(n), ")"));
    for (Py_ssize_t i = 0; i < n; ++i) read(take(PySequence_GetItem(o, i)).ptr(), depth + 1);
  }
  Tensor tensor() const {
    bool mask = all_bool && !values.empty();
    Tensor t = empty(sizes, mask ? Dtype::Bool : Dtype::Int64);
    for (size_t i = 0; i < values.size(); ++i) {
      if (mask)
        t.data_as<bool>()[i] = values[i];
      else
        t.data_as<int64_t>()[i] = values[i];
    }
    return t;
  }

 private:
  static bool is_list(PyObject* o) {
    if (is_tensor(o)) return unwrap(o).dim() > 0;
    return PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o);
  }
  void read_number(PyObject* o) {
    if (!PyBool_Check(o)) all_bool = false;
    if (PyFloat_Check(o)) return values.push_back(int64_t(PyFloat_AS_DOUBLE(o)));
    if (!PyIndex_Check(o))
      fail_python(PyExc_TypeError, str("'", Py_TYPE(o)->tp_name, "' object cannot be interpreted as an integer"));
    values.push_back(as_index(take(PyNumber_Index(o)).ptr()));
  }
};

Tensor list_index(PyObject* o) {
  ListReader r;
  r.shape(o);
  r.read(o, 0);
  return r.tensor();
}

template <class From, class To>
void copy_buffer(const Py_buffer& b, Tensor& t) {
  To* to = t.data_as<To>();
  for (int64_t k = 0; k < t.numel(); ++k) {
    int64_t rest = k, offset = 0;
    for (int d = b.ndim; d-- > 0;) {
      offset += rest % b.shape[d] * b.strides[d];
      rest /= b.shape[d];
    }
    to[k] = To(*reinterpret_cast<const From*>(static_cast<const char*>(b.buf) + offset));
  }
}

// A NumPy array, or what else shows its memory.
Tensor array_index(PyObject* o) {
  Py_buffer b;
  must(PyObject_GetBuffer(o, &b, PyBUF_FULL_RO));
  struct Release {
    Py_buffer* b;
    ~Release() { PyBuffer_Release(b); }
  } release{&b};
  Dims sizes;
  for (int d = 0; d < b.ndim; ++d) sizes.push_back(b.shape[d]);
  char kind = b.format ? b.format[strlen(b.format) - 1] : 'B';
  bool swapped = b.format && (b.format[0] == '>' || b.format[0] == '!');
  check<TypeError>(!swapped || b.itemsize == 1, "an index array has to be in the machine's byte order");
  Tensor t = empty(sizes, kind == '?' ? Dtype::Bool : kind == 'B' ? Dtype::UInt8 : Dtype::Int64);
  if (t.numel() == 0) return t;
  bool is_signed = strchr("bhilqn", kind), is_unsigned = strchr("BHILQN", kind);
  if (kind == '?')
    copy_buffer<bool, bool>(b, t);
  else if (kind == 'B')
    copy_buffer<uint8_t, uint8_t>(b, t);
  else if (is_signed && b.itemsize == 1)
    copy_buffer<int8_t, int64_t>(b, t);
  else if (is_signed && b.itemsize == 2)
    copy_buffer<int16_t, int64_t>(b, t);
  else if (is_signed && b.itemsize == 4)
    copy_buffer<int32_t, int64_t>(b, t);
  else if (is_unsigned && b.itemsize == 2)
    copy_buffer<uint16_t, int64_t>(b, t);
  else if (is_unsigned && b.itemsize == 4)
    copy_buffer<uint32_t, int64_t>(b, t);
  else if ((is_signed || is_unsigned) && b.itemsize == 8)
    copy_buffer<int64_t, int64_t>(b, t);
  else
    fail<IndexError>("tensors used as indices must be long, int, byte or bool tensors, but got an array of format '",
                     b.format, "'");
  return t;
}

[[noreturn]] void invalid_index(PyObject* o) {
  fail<IndexError>(
      "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got ",
      Py_TYPE(o)->tp_name, ")");
}

// NumPy's scalars of truth and of fractions know __index__ or the buffer protocol too, but are no indices.
bool is_array(PyObject* o) {
  if (!PyObject_CheckBuffer(o) || PyBytes_Check(o) || PyByteArray_Check(o)) return false;
  return PySequence_Check(o);
}

// An old custom: a short list that holds anything but numbers is a tuple.
bool is_tuple_like(PyObject* o) {
  if (PyTuple_Check(o)) return true;
  if (!PyList_Check(o)) return false;
  Py_ssize_t n = PyList_GET_SIZE(o);
  if (n >= 32) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* e = PyList_GET_ITEM(o, i);
    if (e == Py_None || e == Py_Ellipsis || is_tensor(e) || PySlice_Check(e) ||
        (PySequence_Check(e) && !PyIndex_Check(e)))
      return true;
  }
  return false;
}

bool is_mask(const Tensor& t) { return t.dtype() == Dtype::Bool || t.dtype() == Dtype::UInt8; }
bool is_integer_scalar(const Tensor& t) { return t.dim() == 0 && is_integral(t.dtype()) && !is_mask(t); }
int64_t scalar_value(const Tensor& given) {
  Tensor t = ops::to(given, {}, Device{}, false, false);
  return visit(t.dtype(), [&]<class T>() -> int64_t {
    if constexpr (std::is_integral_v<T>)
      return int64_t(*t.data_as<T>());
    else
      return 0;
  });
}

// ---- reading an index ----

class Indexed {
 public:
  Tensor view;                  // what the integers, slices and Nones made of the tensor
  std::vector<Tensor> indices;  // for its dims; undefined: the whole dim
  bool is_self = true;          // nothing was applied yet

  explicit Indexed(const Tensor& t) : view(t) {}

  void apply(PyObject* const* parts, Py_ssize_t n) {
    int64_t given = 0;
    for (Py_ssize_t i = 0; i < n; ++i) given += dims_taken(parts[i]);
    check<IndexError>(given <= view.dim() || (n == 1 && PySlice_Check(parts[0])),
                      "too many indices for tensor of dimension ", view.dim());
    rest_ = view.dim() - given;
    for (Py_ssize_t i = 0; i < n; ++i) part(parts[i], n > 1);
  }
  // One part that is no tuple.
  void apply_single(PyObject* o) { apply(&o, 1); }

 private:
  int64_t dims_taken(PyObject* o) {
    if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) return 0;
    if (is_tensor(o)) return is_mask(unwrap(o)) ? unwrap(o).dim() : 1;
    return 1;
  }

  void set(Tensor next) {
    view = std::move(next);
    is_self = false;
  }
  void index(Tensor t, int64_t dims) {
    indices.resize(at_);
    indices.push_back(std::move(t));
    ++at_;
    dim_ += dims;
  }
  void skip(int64_t dims) {
    dim_ += dims;
    at_ += size_t(dims);
    place_ += dims;
  }
  void pick(int64_t i) { set(select(view, dim_, i, place_++)); }
  void tensor(const Tensor& t) {
    if (is_integer_scalar(t)) return pick(scalar_value(t));
    if (t.dim() == 0 && is_mask(t)) {
      set(unsqueeze(view, dim_));
      return index(bool_index(scalar_value(t) != 0), 1);
    }
    int64_t dims = is_mask(t) ? t.dim() : 1;
    place_ += dims;
    index(t, dims);
  }

  void part(PyObject* o, bool several) {
    if (PyLong_CheckExact(o)) return pick(as_index(o));
    if (PySlice_Check(o)) {
      Bounds b = bounds_of(o);
      check<IndexError>(view.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
      if (!several || !b.whole(view.sizes()[size_t(dim_)])) set(slice(view, dim_, b.start, b.stop, b.step));
      return skip(1);
    }
    if (o == Py_None) {
      set(unsqueeze(view, dim_));
      ++dim_;
      ++at_;
      return;
    }
    if (o == Py_Ellipsis) return skip(std::exchange(rest_, 0));
    if (PyBool_Check(o)) {
      set(unsqueeze(view, dim_));
      return index(bool_index(o == Py_True), 1);
    }
    if (is_tensor(o)) return tensor(unwrap(o));
    if (is_array(o) && !PyList_Check(o) && !PyTuple_Check(o)) {
      py::object integer = py::reinterpret_steal<py::object>(PyNumber_Index(o));
      if (integer) return pick(as_index(integer.ptr()));
      PyErr_Clear();
      return tensor(array_index(o));
    }
    if (PyIndex_Check(o) && !PyFloat_Check(o)) {
      py::object integer = py::reinterpret_steal<py::object>(PyNumber_Index(o));
      if (integer) return pick(as_index(integer.ptr()));
      PyErr_Clear();
      invalid_index(o);
    }
    if (PySequence_Check(o)) return tensor(list_index(o));
    invalid_index(o);
  }

  int64_t rest_ = 0;   // dims that an ellipsis stands for
  int64_t dim_ = 0;    // of the view, where the next part applies
  size_t at_ = 0;      // the next part's place among `indices`, where a mask of several dims counts once
  int64_t place_ = 0;  // of the tensor that is indexed, for errors
};

[[noreturn]] void scalar_index() {
  fail<IndexError>(
      "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
      "tensor to a number");
}

void read_index(Indexed& x, PyObject* index) {
  if (is_tuple_like(index)) {
    PyObject** items = PySequence_Fast_ITEMS(index);
    x.apply(items, PySequence_Fast_GET_SIZE(index));
    return;
  }
  if (x.view.dim() == 0 && PyIndex_Check(index) && !PyBool_Check(index) &&
      !(is_tensor(index) && !is_integer_scalar(unwrap(index))))
    scalar_index();
  x.apply_single(index);
}

// ---- writing ----

// The value without the leading ones that the place written to does not have.
Tensor without_leading_ones(const Tensor& value, int64_t dims) {
  if (value.dim() <= dims) return value;
  size_t lead = 0;
  while (int64_t(value.dim() - lead) > dims && value.sizes()[lead] == 1) ++lead;
  if (!lead) return value;
  static Op reshape("reshape");
  return reshape(value, value.sizes().slice(lead));
}

void write_view(const Tensor& to, const Tensor& value) {
  static Op fill("fill_"), copy("copy_");
  if (value.impl()->wrapped_number) {
    if (to.numel()) check_no_internal_overlap(to);
    fill(to, value);
    return;
  }
  Tensor v = without_leading_ones(value, to.dim());
  bool fits = v.dim() <= to.dim();
  for (int64_t d = 1; fits && d <= v.dim(); ++d) fits = v.size(-d) == to.size(-d) || v.size(-d) == 1;
  if (!fits) ops::expand(v, to.sizes(), false);  // says what does not fit
  copy(to, v);
}

Tensor value_of(PyObject* value, const Tensor& self) {
  if (is_tensor(value)) return unwrap(value);
  // Python's numbers, and NumPy's that are made of them or of ints.
  bool number = PyLong_Check(value) || PyFloat_Check(value) || PyComplex_Check(value) || is_number(value);
  check<TypeError>(number, "can't assign a ", Py_TYPE(value)->tp_name, " to a torch.", type_name(self.dtype()),
                   "Tensor. Make a tensor of it first.");
  Scalar s = unwrap_scalar(value);
  check(!s.is_complex() || is_complex(self.dtype()), "value cannot be converted to type ",
        self.dtype() == Dtype::Float64 ? "double" : "float", " without overflow");
  return wrapped_number(s);
}

void write(const Tensor& self, PyObject* index, PyObject* given) {
  if (index == Py_False) return;
  Tensor value = value_of(given, self);
  if (index == Py_True) {
    write_view(unsqueeze(self, 0), value);
    return;
  }
  if (PySlice_Check(index) && self.dim() > 0 && bounds_of(index).whole(self.sizes()[0])) {  // x[:] = value
    write_view(self, value);
    return;
  }
  Indexed x(self);
  read_index(x, index);
  if (x.indices.empty()) {
    write_view(x.view, value);
    return;
  }
  static Op put("index_put_");
  if (value.impl()->wrapped_number) {
    NoGrad guard;
    Tensor one = empty({}, self.dtype(), self.device());
    value = self.device().is_cpu() ? ops::copy(one, value, false, {}) : ops::fill(one, value, {one, true});
  }
  // Leading ones beyond the result's dims are forgiven.
  size_t lead = 0;
  while (lead < size_t(value.dim()) && value.sizes()[lead] == 1) ++lead;
  static Op reshape("reshape");
  if (lead) value = reshape(value, value.sizes().slice(lead));
  put(x.view, TensorSpan(x.indices), value, false);
}

}  // namespace

PyObject* tensor_getitem(PyObject* self, PyObject* index) {
  return guarded([&]() -> PyObject* {
    const Tensor& t = unwrap(self);
    if (PyLong_CheckExact(index)) {
      if (t.dim() == 0) [[unlikely]]
        scalar_index();
      return wrap(select(t, 0, as_index(index), 0));
    }
    Indexed x(t);
    read_index(x, index);
    if (x.indices.empty()) return wrap(x.is_self ? alias_of(t) : std::move(x.view));
    if (!recorded(x.view)) return wrap(ops::index(x.view, x.indices));
    static Op op("index");
    return wrap(op(x.view, TensorSpan(x.indices)));
  });
}

int tensor_setitem(PyObject* self, PyObject* index, PyObject* value) {
  return guarded(-1, [&] {
    write(unwrap(self), index, value);
    return 0;
  });
}

}  // namespace tl::python
