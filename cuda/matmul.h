#pragma once

#include "gemm_tiles.h"
#include "kernels/matmul.h"
#include "runtime/selection.h"

// What the files of this family share: a product as the kernels take it, and the kernels by their speed.

namespace tl::cuda {

template <class T>
struct Product {
  int64_t m, n, k, batch;
  Matrix<T> a, b;
  Output<T> out;
  Stream stream;
};

// How a depth is divided among blocks, so that thin shapes fill a device too: by shape alone, for the same bits
// everywhere.
struct Parts {
  int64_t count = 1, depth = 0;
};
inline Parts parts_of(int64_t tiles, int64_t k, int64_t least_depth) {
  constexpr int64_t kBusy = 2 * 132, kMost = 256;
  if (tiles * 2 > kBusy || k < 2 * least_depth || choose(Kernel::MatmulParts, double(k)) == Choice::Simple) return {};
  int64_t count = kBusy / tiles;
  if (count > k / least_depth) count = k / least_depth;
  if (count > kMost) count = kMost;
  int64_t depth = ((k + count - 1) / count + 63) / 64 * 64;
  count = (k + depth - 1) / depth;
  return count > 1 ? Parts{count, depth} : Parts{};
}

// Whether 16-byte copies of neighbours are aligned and never leave a line.
template <class T>
bool in_chunks(const Matrix<T>& m, int64_t along, int64_t other_step) {
  constexpr int64_t kChunk = 16 / int64_t(sizeof(T));
  return along % kChunk == 0 && other_step % kChunk == 0 && m.batch_step % kChunk == 0 &&
         reinterpret_cast<uintptr_t>(m.data) % 16 == 0;
}
template <class T>
bool is_across(const Matrix<T>& m) {
  return m.line_step == 1 && in_chunks(m, m.lines, m.depth_step);
}
template <class T>
bool is_along(const Matrix<T>& m, int64_t k) {
  return m.depth_step == 1 && in_chunks(m, k, m.line_step);
}
template <Order order, class T>
Matrix<T, order> ordered(const Matrix<T>& m) {
  return {m.data, m.lines, m.line_step, m.depth_step, m.batch_step};
}

inline constexpr int64_t kMostZ = 65535;  // blocks along z

// Calls launch(part of the product, parts of its depth) for as much of the batch as a grid holds, and adds the parts.
template <class T, class Launch>
void in_parts(const Product<T>& product, Parts parts, const Launch& launch);

// Kernels of other files.
void warp_tiles(const Product<float>& p, Choice choice);
void tensor_tiles(const Product<float>& p, Choice choice);
void tensor_tiles(const Product<Half>& p, Choice choice);
void tensor_tiles(const Product<BFloat16>& p, Choice choice);
template <class T>
void vector_product(const Product<T>& p);

// Whether cuBLAS has taken the product over.
bool by_cublas(const GemmArgs& a, Stream stream);
std::string cublas_trouble();  // why there is no cuBLAS; empty when there is

// Results in order of parts, by one thread each.
template <class T>
TL_KERNEL gemm_add_parts(const Output<T> out, int64_t parts, int64_t batch) {
  int64_t matrix = out.m * out.n;
  Output<T> whole = out;
  whole.parts = nullptr;
  for (int64_t i = global_index(); i < batch * matrix; i += global_size()) {
    int64_t z = i / matrix, at = i - z * matrix;
    const Sum<T>* from = out.parts + z * parts * matrix + at;
    Sum<T> sum = from[0];
    for (int64_t p = 1; p < parts; ++p) sum = Sum<T>(sum + from[p * matrix]);
    const Sum<T> v[1] = {sum};
    whole.template store<1>(0, z, at / out.n, at % out.n, v);
  }
}

void* workspace(size_t bytes, const void* beside);
void free_workspace(void* data, const void* beside);

template <class T, class Launch>
void in_parts(const Product<T>& product, Parts parts, const Launch& run) {
  int64_t most = kMostZ / parts.count;
  for (int64_t z = 0; z < product.batch; z += most) {
    Product<T> p = product;
    p.batch = product.batch - z < most ? product.batch - z : most;
    p.a.data += z * p.a.batch_step;
    p.b.data += z * p.b.batch_step;
    p.out.c += z * p.out.c_batch;
    if (p.out.d) p.out.d += z * p.out.d_batch;
    if (parts.count > 1) {
      int64_t results = p.batch * p.m * p.n;
      p.out.parts = static_cast<Sum<T>*>(workspace(size_t(results * parts.count) * sizeof(Sum<T>), p.out.c));
      run(p, parts);
      launch({{blocks_for(results, kThreads)}, {kThreads}, 0, p.stream}, gemm_add_parts<T>, p.out, parts.count,
             p.batch);
      free_workspace(p.out.parts, p.out.c);
    } else {
      run(p, parts);
    }
  }
}

}  // namespace tl::cuda
