#include "kernels/cast.h"

#include "runtime/walk.h"

// Copies within a device: of elements of the same dtype as words of their width, of others one by one through a type
// that holds both.

namespace tl::cuda {
namespace {

template <class Word, class Index>
TL_KERNEL copy_strided(char* to, const char* from, int64_t n, const Walk<2, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[2];
    walk.offsets(i, at);
    *reinterpret_cast<Word*>(to + at[0]) = *reinterpret_cast<const Word*>(from + at[1]);
  }
}

template <class From, class Index>
TL_KERNEL convert_strided(char* to, Dtype to_dtype, const char* from, int64_t n, const Walk<2, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[2];
    walk.offsets(i, at);
    store_as(to + at[0], to_dtype, *reinterpret_cast<const From*>(from + at[1]));
  }
}

template <class Word>
void move(const Plan& p, const Launcher& l) {
  LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
  auto* to = static_cast<char*>(p.data[0]);
  auto* from = static_cast<const char*>(p.data[1]);
  if (p.index32)
    launch(config, copy_strided<Word, uint32_t>, to, from, p.numel, Walk<2, uint32_t>(p));
  else
    launch(config, copy_strided<Word, int64_t>, to, from, p.numel, Walk<2, int64_t>(p));
}

template <class From>
void convert_from(const Plan& p, const Launcher& l) {
  LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
  auto* to = static_cast<char*>(p.data[0]);
  auto* from = static_cast<const char*>(p.data[1]);
  if (p.index32)
    launch(config, convert_strided<From, uint32_t>, to, p.dtypes[0], from, p.numel, Walk<2, uint32_t>(p));
  else
    launch(config, convert_strided<From, int64_t>, to, p.dtypes[0], from, p.numel, Walk<2, int64_t>(p));
}

void copy(const Plan& p) {
  if (p.numel == 0) return;
  Launcher l(p.device);
  if (p.dtypes[0] == p.dtypes[1]) {
    int64_t width = int64_t(itemsize(p.dtypes[0])), bytes = p.numel * width;
    bool flat = p.ndim == 1 && p.strides[0][0] == width && p.strides[1][0] == width;
    if (flat) {
      driver::copy(p.data[0], p.data[1], size_t(bytes), driver::CopyKind::DeviceToDevice, l.stream);
      return;
    }
    switch (width) {
      case 1:
        return move<uint8_t>(p, l);
      case 2:
        return move<uint16_t>(p, l);
      case 4:
        return move<uint32_t>(p, l);
      case 8:
        return move<uint64_t>(p, l);
      default:
        return move<Pack<uint64_t, 2>>(p, l);
    }
  }
  switch (p.dtypes[1]) {
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return convert_from<S>(p, l);
    TL_STORED(TL_CASE)
#undef TL_CASE
    case Dtype::Bool:
      return convert_from<bool>(p, l);
  }
}

[[maybe_unused]] const bool filled = [] {
  cast_kernels[int(DeviceType::CUDA)] = {copy};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
