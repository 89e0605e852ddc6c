#include <algorithm>

#include "core/parallel.h"
#include "kernels/pool.h"

// Poolings of integers: rare, so plain loops, compiled once.

namespace tl::cpu {
namespace {

// Strides in elements of one batch's depth, height and width, of a channel and of the batch.
struct Layout {
  int64_t step[3], channel, batch;
  Layout(const PoolShape& s, const int64_t* size) {
    const int64_t unit = s.channels_last ? s.channels : 1, plane = size[0] * size[1] * size[2];
    step[2] = unit, step[1] = size[2] * unit, step[0] = size[1] * size[2] * unit;
    channel = s.channels_last ? 1 : plane;
    batch = s.channels * plane;
  }
};

// Calls f(place of the output, the input's plane, first, last, step of the window in each dim, its size with padding).
template <class F>
void each_window(const PoolShape& s, F&& f) {
  const Layout in(s, s.in), out(s, s.out);
  parallel_for(s.batch * s.channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t n = p / s.channels, c = p % s.channels;
      const int64_t plane = n * in.batch + c * in.channel;
      int64_t o[3];
      for (o[0] = 0; o[0] < s.out[0]; ++o[0])
        for (o[1] = 0; o[1] < s.out[1]; ++o[1])
          for (o[2] = 0; o[2] < s.out[2]; ++o[2]) {
            int64_t first[3], last[3], padded = 1, to = n * out.batch + c * out.channel;
            for (int d = 0; d < 3; ++d) {
              const int64_t start = o[d] * s.stride[d] - s.padding[d], step = s.dilation[d];
              first[d] = start < 0 ? start + (-start + step - 1) / step * step : start;
              last[d] = std::min(start + (s.kernel[d] - 1) * step + 1, s.in[d]);
              padded *= std::min(start + s.kernel[d], s.in[d] + s.padding[d]) - start;
              to += o[d] * out.step[d];
            }
            f(to, plane, in, first, last, padded);
          }
    }
  });
}

void max_int64(const MaxPoolArgs& a) {
  const PoolShape& s = a.shape;
  const int64_t* input = static_cast<const int64_t*>(a.input);
  int64_t* output = static_cast<int64_t*>(a.output);
  each_window(s, [&](int64_t to, int64_t plane, const Layout& in, const int64_t* first, const int64_t* last, int64_t) {
    int64_t best = INT64_MIN, at = (first[0] * s.in[1] + first[1]) * s.in[2] + first[2];
    for (int64_t z = first[0]; z < last[0]; z += s.dilation[0])
      for (int64_t y = first[1]; y < last[1]; y += s.dilation[1])
        for (int64_t x = first[2]; x < last[2]; x += s.dilation[2]) {
          const int64_t v = input[plane + z * in.step[0] + y * in.step[1] + x * in.step[2]];
          if (v > best) best = v, at = (z * s.in[1] + y) * s.in[2] + x;
        }
    output[to] = best;
    if (a.indices) a.indices[to] = at;
  });
}

void avg_int64(const AvgPoolArgs& a) {
  const int64_t* input = static_cast<const int64_t*>(a.input);
  int64_t* output = static_cast<int64_t*>(a.output);
  each_window(a.shape, [&](int64_t to, int64_t plane, const Layout& in, const int64_t* first, const int64_t* last,
                           int64_t padded) {
    uint64_t sum = 0;
    int64_t inside = 1;
    for (int d = 0; d < 3; ++d) inside *= std::max<int64_t>(0, last[d] - first[d]);
    for (int64_t z = first[0]; z < last[0]; ++z)
      for (int64_t y = first[1]; y < last[1]; ++y)
        for (int64_t x = first[2]; x < last[2]; ++x)
          sum += uint64_t(input[plane + z * in.step[0] + y * in.step[1] + x * in.step[2]]);
    const int64_t divisor = a.divisor ? a.divisor : a.count_include_pad ? padded : inside;
    output[to] = inside ? int64_t(sum) / divisor : 0;
  });
}

[[maybe_unused]] const bool filled = [] {
  pool_kernels[int(DeviceType::CPU)].max_int64 = max_int64;
  pool_kernels[int(DeviceType::CPU)].avg_int64 = avg_int64;
  return true;
}();

}  // namespace
}  // namespace tl::cpu
