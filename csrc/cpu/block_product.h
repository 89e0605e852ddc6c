#pragma once

#include <cstdint>

#include "cpu/isa.h"

// A matrix product on the thread that asks, for kernels that work through their operands block by block.

namespace tl::cpu::TL_ISA {

// c = alpha * a @ b, or added to c; c has unit column stride. float and double, defined in matmul.cpp.
template <class T>
struct BlockProduct {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_col;
  const T* b;
  int64_t b_row, b_col;
  T* c;
  int64_t c_row;
  T alpha = 1;
  bool add = false;
};
void block_product(const BlockProduct<float>& p);
void block_product(const BlockProduct<double>& p);

}  // namespace tl::cpu::TL_ISA
