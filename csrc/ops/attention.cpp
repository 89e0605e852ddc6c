#include "ops/attention.h"

#include "kernels/attention.h"
#include "ops/place.h"
#include "ops/same_device.h"
#include "ops/shape.h"

namespace tl {
AttentionKernels attention_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

HeadRows rows_of(const Tensor& t) { return {t.data(), {t.stride(0), t.stride(1), t.stride(2)}}; }
Tensor with_unit_rows(const Tensor& t) { return t.size(3) <= 1 || t.stride(3) == 1 ? t : contiguous(t); }

// The operands as the kernel reads them; keeps copies alive.
struct Operands {
  Tensor query, key, value, mask;
  AttentionArgs args;

  Operands(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& m, bool causal, double scale) {
    check<NotImplementedError>(is_floating(q.dtype()), "\"attention\" not implemented for '", type_name(q.dtype()),
                               "'. Convert the operands to a floating dtype first.");
    check(q.dim() == 4 && k.dim() == 4 && v.dim() == 4,
          "attention: expected 4-dimensional operands (batch, heads, rows, width), but got ", to_string(q.sizes()),
          ", ", to_string(k.sizes()), " and ", to_string(v.sizes()));
    const Dtype t = q.dtype();
    check(k.dtype() == t && v.dtype() == t,
          "Expected query, key, and value to have the same dtype. Convert them with .to(dtype).");
    const int64_t batch = q.size(0), heads = q.size(1), kv_heads = k.size(1), queries = q.size(2), keys = k.size(2);
    check(k.size(0) == batch && v.size(0) == batch && v.size(1) == kv_heads && v.size(2) == keys &&
              k.size(3) == q.size(3),
          "attention: sizes do not fit: query ", to_string(q.sizes()), ", key ", to_string(k.sizes()), ", value ",
          to_string(v.sizes()));
    check(kv_heads > 0 && heads % kv_heads == 0,
          "Number of heads in key and value must divide the number of heads in query, but got ", kv_heads, " and ",
          heads);
    check_same_device({&q, &k, &v, &m});
    query = with_unit_rows(q), key = with_unit_rows(k), value = with_unit_rows(v);
    args = {t,
            batch,
            heads,
            kv_heads,
            queries,
            keys,
            q.size(3),
            v.size(3),
            scale,
            causal,
            AttentionMask::None,
            nullptr,
            {},
            rows_of(query),
            rows_of(key),
            rows_of(value),
            {},
            nullptr};
    if (!m.defined()) return;
    mask = m;
    if (m.dtype() == Dtype::Bool) {
      args.mask_kind = AttentionMask::Bool;
    } else {
      args.mask_kind = AttentionMask::Added;
      if (m.dtype() != accumulate_type(t)) mask = to_dtype(m, accumulate_type(t), false, false);
    }
    mask = expand(mask, {batch, heads, queries, keys}, false);
    args.mask = mask.data();
    for (int i = 0; i < 4; ++i) args.mask_stride[i] = mask.stride(i);
  }
};

}  // namespace

std::tuple<Tensor, Tensor> attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask,
                                     bool causal, double scale) {
  Operands o(query, key, value, mask, causal, scale);
  AttentionArgs& a = o.args;
  const Device device = query.device();
  const Dims sizes{a.batch, a.heads, a.queries, a.value_width};
  // Heads that lie side by side in the query's rows do in the result's.
  const bool as_query = query.sizes() == Ints(sizes) && is_dense(query) && (query.size(3) <= 1 || query.stride(3) == 1);
  const Tensor out =
      as_query ? empty_strided(sizes, query.strides(), query.dtype(), device) : empty(sizes, query.dtype(), device);
  const Tensor log_sum = empty({a.batch, a.heads, a.queries}, accumulate_type(query.dtype()), device);
  a.output = rows_of(out);
  a.log_sum = log_sum.data();
  if (out.numel()) kernel(attention_kernels[int(device.type)].forward, "attention", device)(a);
  return {out, log_sum};
}

std::tuple<Tensor, Tensor, Tensor> attention_backward(const Tensor& grad_output, const Tensor& query, const Tensor& key,
                                                      const Tensor& value, const Tensor& mask, const Tensor& output,
                                                      const Tensor& log_sum, bool causal, double scale) {
  Operands o(query, key, value, mask, causal, scale);
  check(grad_output.sizes() == output.sizes(), "attention_backward: the gradient has sizes ",
        to_string(grad_output.sizes()), ", the output ", to_string(output.sizes()));
  const Device device = query.device();
  const Tensor grad = with_unit_rows(grad_output);
  o.args.output = rows_of(output);
  o.args.log_sum = log_sum.data();
  const Tensor gq = empty_like(query, query.dtype(), device), gk = empty_like(key, key.dtype(), device),
               gv = empty_like(value, value.dtype(), device);
  const Tensor tq = with_unit_rows(gq), tk = with_unit_rows(gk), tv = with_unit_rows(gv);
  kernel(attention_kernels[int(device.type)].backward, "attention_backward",
         device)({o.args, rows_of(grad), rows_of(tq), rows_of(tk), rows_of(tv)});
  auto finish = [](const Tensor& wanted, const Tensor& made) {
    if (!made.is(wanted)) copy_into(wanted, made);
    return wanted;
  };
  return {finish(gq, tq), finish(gk, tk), finish(gv, tv)};
}

}  // namespace tl::ops
