#include "ops/cast.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

#define TL_FORMAT "format? memory_format=None"

const Row rows[] = {
    {"copy(Tensor input, Operand src, bool non_blocking=False, *, Tensor? out=None) -> Tensor", TL_OP(ops::copy),
     kMethod | kInplace | kInplaceOnly, "Copies `src`, broadcast and converted to this dtype, into the tensor."},
    {"_to_copy(Tensor input, *, dtype? dtype=None, device? device=None, bool non_blocking=False, " TL_FORMAT
     ") -> Tensor",
     TL_OP(ops::to_copy), kFunction, "A copy of this dtype and device."},
    {"to(Tensor input, dtype dtype, bool non_blocking=False, bool copy=False, *, " TL_FORMAT ") -> Tensor",
     TL_OP(ops::to_dtype), kMethod,
     "The tensor with this dtype or device, or those of `other`; itself when nothing changes and copy is False."},
    {"to.device(Tensor input, device device, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, " TL_FORMAT
     ") -> Tensor",
     TL_OP(ops::to_device), kMethod, ""},
    {"to.other(Tensor input, Tensor other, bool non_blocking=False, bool copy=False, *, " TL_FORMAT ") -> Tensor",
     TL_OP(ops::to_other), kMethod, ""},
    {"to.options(Tensor input, *, dtype? dtype=None, device? device=None, bool non_blocking=False, bool "
     "copy=False, " TL_FORMAT ") -> Tensor",
     TL_OP(ops::to), kMethod, ""},
    {"type_as(Tensor input, Tensor other) -> Tensor", TL_OP(ops::type_as), kMethod,
     "The tensor with the dtype of `other`; itself when that is its own."},
    {"clone(Tensor input, *, " TL_FORMAT ") -> Tensor", TL_OP(ops::clone), kFunction | kMethod,
     "A copy that keeps the strides of a dense tensor; gradients flow back through it."},
    {"contiguous(Tensor input, " TL_FORMAT ") -> Tensor", TL_OP(ops::contiguous), kMethod,
     "The tensor itself when its elements lie in row-major order (or in that of `memory_format`), else such a copy."},
#define TL_TO(name, tag, text) \
  {name "(Tensor input, " TL_FORMAT ") -> Tensor", TL_OP(ops::to_fixed<Dtype::tag>), kMethod, "self.to(" text ")"},
    TL_TO("float", Float32, "float32") TL_TO("double", Float64, "float64") TL_TO("half", Float16, "float16") TL_TO(
        "bfloat16", BFloat16, "bfloat16") TL_TO("bool", Bool, "bool") TL_TO("byte", UInt8, "uint8")
        TL_TO("char", Int8, "int8") TL_TO("short", Int16, "int16") TL_TO("int", Int32, "int32") TL_TO(
            "long", Int64, "int64") TL_TO("cfloat", Complex64, "complex64") TL_TO("cdouble", Complex128, "complex128")
#undef TL_TO
            {"cpu(Tensor input, " TL_FORMAT ") -> Tensor", TL_OP(ops::cpu), kMethod, "The tensor in host memory."},
};

}  // namespace

TL_ROWS(rows)

}  // namespace tl::python
