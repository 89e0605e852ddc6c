#pragma once

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// A convolution of `batch` images of up to three dims (unused leading dims have size 1). x: (batch, groups * cin,
// in...), w: (groups * cout, cin, kernel...), y: (batch, groups * cout, out...), all row-major. Each kernel writes one
// of them and reads the others.
struct ConvArgs {
  struct Dim {
    int64_t in, out, kernel, stride, padding, dilation;
  };
  Dtype dtype;
  int64_t batch, groups, cin, cout;
  Dim dim[3];
  void* x;
  void* w;
  void* y;
  void* bias = nullptr;  // (channels of what is written), may be null; conv_bias_grad writes it
};

struct ConvKernels {
  void (*forward)(const ConvArgs&);          // writes y
  void (*backward_input)(const ConvArgs&);   // writes x from y and w; with bias it is the transposed convolution
  void (*backward_weight)(const ConvArgs&);  // writes w from x and y
  void (*backward_bias)(const ConvArgs&);    // writes bias: the sums of y over batch and places
};
TL_API extern ConvKernels conv_kernels[kDeviceTypes];  // defined in ops/conv.cpp

}  // namespace tl
