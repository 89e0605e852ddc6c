#pragma once

#include <string>
#include <vector>

#include "autograd/call.h"
#include "bindings/tensor_object.h"

namespace tl::python {

enum class Type : uint8_t {
  Tensor,
  Operand,  // a Tensor or a number, which becomes a weak 0-dim tensor
  Tensors,
  Scalar,
  Int,
  Float,
  Bool,
  Ints,
  Size,  // ints as separate arguments, or one sequence
  Dtype,
  Device,
  Format,  // memory_format
  String,
  Generator,
  RequiresGrad,  // handled here, not passed on
  Ignored,       // accepted for PyTorch's sake: layout, pin_memory
  OnlyFalse,     // a flag whose other value is another signature's
};

struct Param {
  std::string name;
  PyObject* interned;
  Type type;
  bool optional = false;  // takes None
  bool has_default = false;
  std::string given;  // the default as it stands in the signature
  bool keyword_only = false;
  int repeat = 0;         // int[2]: one int stands for two
  bool sequence = false;  // shape: one int does not stand for a sequence
  bool gaps = false;      // Tensor?[]: None may stand for an element
  int value = -1;         // index among the operator's values; -1: not passed on
};

// A signature of the operator table, "name(Type param=default, *, ...) -> Results", read once at import.
struct Signature {
  std::string text;     // "add(Tensor input, Tensor other, *, Scalar alpha=1)"
  std::string name;     // "add" of "add.other"
  std::string results;  // "(Tensor values, Tensor indices)"
  std::vector<Param> params;
  int positional = 0;
  bool returns_tuple = false;
  std::vector<std::string> result_names;
  PyTypeObject* result_type = nullptr;  // named tuple
  bool returns_bool = false;
  bool returns_none = false;
  Operator* op = nullptr;
};

// The named tuple of an operator's results, `return_types.max`; null when it has none.
PyTypeObject* find_result_type(const std::string& op);

Signature parse_signature(const char* text, Operator& op);

// Arguments of one call. Owns what the values point to.
struct Arguments {
  static constexpr size_t kTemporaries = 6;
  // Uninitialised until a signature is matched: most calls use three or four of them.
  alignas(Value) unsigned char raw[Operator::kMaxArgs * sizeof(Value)];
  Value* values = reinterpret_cast<Value*>(raw);
  Small<Tensor, kTemporaries> tensors;
  Small<Dims, kTemporaries> dims;
  Small<std::vector<Tensor>, 2> lists;
  bool requires_grad = false, pin_memory = false;
};

// Matches Python arguments with a signature. False when they do not fit: `why` (if given) then says so in PyTorch's
// words. `method`: args[0] is self, which messages do not count.
bool match(const Signature& s, PyObject* const* args, size_t n, PyObject* names, Arguments& out,
           std::string* why = nullptr, bool method = false);

// A type of named tuples, shown as `tensorlite.return_types.<op>`.
PyTypeObject* named_tuple(const std::string& op, const std::vector<std::string>& names);

// "(Tensor, int, dim=int)": what was given, for the error.
std::string describe_arguments(PyObject* const* args, size_t n, PyObject* names);

bool is_generator(PyObject* o);
Generator* unwrap_generator(PyObject* o);

}  // namespace tl::python
