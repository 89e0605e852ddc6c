#include "runtime/report.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "runtime/stream.h"

namespace tl::cuda {
namespace {

constexpr size_t kPlaces = 4096;

struct Reports {
  std::mutex mutex;
  int64_t* memory = nullptr;  // pinned: whether anything was reported, then a place for each error
  std::vector<DataError> errors;
  std::map<std::tuple<const char*, int64_t, int64_t, bool>, size_t> places;

  int64_t* place(size_t i) const { return memory + 1 + i; }
};

Reports& reports() {
  static Reports* r = new Reports;
  return *r;
}

void wait_for_all_devices() {
  std::string why;
  for (int d = driver::device_count(&why); d-- > 0;) {
    DeviceScope scope(d);
    driver::synchronize_device();
  }
}

}  // namespace

Report report_to(const DataError& e) {
  Reports& r = reports();
  std::unique_lock lock(r.mutex);
  if (!r.memory) {
    r.memory = static_cast<int64_t*>(driver::malloc_host((kPlaces + 1) * sizeof(int64_t)));
    check<OutOfMemoryError>(r.memory, "CUDA out of memory: no pinned memory is left on the host");
    r.memory[0] = 0;
  }
  std::tuple key{e.text, e.values[0], e.values[1], e.is_index_error};
  auto known = r.places.find(key);
  if (known == r.places.end()) {
    if (r.errors.size() == kPlaces) {
      // All places are given away: once nothing is under way they are free again.
      lock.unlock();
      wait_for_all_devices();
      raise_reported();
      lock.lock();
      r.errors.clear();
      r.places.clear();
    }
    *r.place(r.errors.size()) = Report::kNothing;
    known = r.places.emplace(key, r.errors.size()).first;
    r.errors.push_back(e);
  }
  return {r.place(known->second), r.memory};
}

void raise_reported() {
  Reports& r = reports();
  // Unlocked, as this is the usual case: one word that devices write to.
  if (!r.memory || *static_cast<volatile int64_t*>(r.memory) == 0) return;
  std::unique_lock lock(r.mutex);
  const DataError* first = nullptr;
  int64_t number = 0;
  for (size_t i = 0; i < r.errors.size(); ++i) {
    volatile int64_t* place = r.place(i);
    if (*place == Report::kNothing) continue;
    if (!first) {
      first = &r.errors[i];
      number = *place;
    }
    *place = Report::kNothing;
  }
  if (!first) return;  // still under way, on another stream
  *static_cast<volatile int64_t*>(r.memory) = 0;
  DataError error = *first;
  lock.unlock();
  error.raise(number);
}

void raise_at_once() {
  static const bool synchronous = [] {
    const char* text = std::getenv("TENSORLITE_CUDA_SYNC");
    return text && text[0] == '1';
  }();
  if (synchronous) raise_reported();
}

void read_back(void* to, const void* from, size_t bytes, Stream stream) {
  driver::copy(to, from, bytes, driver::CopyKind::DeviceToHost, stream);
  driver::synchronize_stream(stream);
  raise_reported();
}

}  // namespace tl::cuda
