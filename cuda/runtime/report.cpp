#include "runtime/report.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "runtime/graph.h"
#include "runtime/stream.h"

namespace tl::cuda {
namespace {

constexpr size_t kPlaces = 4096;

struct Reports {
  std::mutex mutex;
  uint64_t* memory = nullptr;  // pinned: whether anything was reported, then the parts for each error
  uint64_t launches = 0;
  std::vector<DataError> errors;
  std::vector<bool> lasting;   // places that graphs report to
  std::vector<size_t> unused;  // places that may be given away again
  std::map<std::tuple<const char*, int64_t, int64_t, bool>, size_t> places;

  volatile uint64_t* parts(size_t i) const { return memory + 1 + i * Report::kParts; }
  void clear(size_t i) {
    for (int k = 0; k < Report::kParts; ++k) parts(i)[k] = Report::kNothing;
  }
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

// What a kernel said: when it was, and the number. Nothing while some kernel is still saying it.
struct Reported {
  uint64_t when = Report::kNothing;
  int64_t number = 0;

  explicit Reported(const volatile uint64_t* parts) {
    uint64_t bits = 0;
    for (int k = 0; k < Report::kParts; ++k) {
      uint64_t part = parts[k];
      if (part == Report::kNothing || (k && part >> Report::kPartBits != when)) {
        when = Report::kNothing;
        return;
      }
      when = part >> Report::kPartBits;
      bits |= (part & 0xffff) << k * Report::kPartBits;
    }
    number = int64_t(bits);
  }
};

}  // namespace

Report report_to(const DataError& e) {
  Reports& r = reports();
  std::unique_lock lock(r.mutex);
  if (!r.memory) {
    r.memory = static_cast<uint64_t*>(driver::malloc_host((kPlaces * Report::kParts + 1) * sizeof(uint64_t)));
    check<OutOfMemoryError>(r.memory, "CUDA out of memory: no pinned memory is left on the host");
    r.memory[0] = 0;
  }
  std::tuple key{e.text, e.values[0], e.values[1], e.is_index_error};
  auto known = r.places.find(key);
  if (known == r.places.end()) {
    if (r.errors.size() == kPlaces && r.unused.empty()) {
      // All places are given away: once nothing is under way they are free again.
      lock.unlock();
      wait_for_all_devices();
      raise_reported();
      lock.lock();
      for (size_t i = 0; i < kPlaces; ++i)
        if (!r.lasting[i]) r.unused.push_back(i);
      std::erase_if(r.places, [&](const auto& place) { return !r.lasting[place.second]; });
      check(!r.unused.empty(), "CUDA graphs look for more than ", kPlaces, " different errors in the data");
    }
    size_t place = r.errors.size();
    if (r.unused.empty()) {
      r.errors.push_back(e);
      r.lasting.push_back(false);
    } else {
      place = r.unused.back();
      r.unused.pop_back();
      r.errors[place] = e;
    }
    r.clear(place);
    known = r.places.emplace(key, place).first;
  }
  if (capturing()) r.lasting[known->second] = true;
  // Counted modulo 4095, so that no word of a report is kNothing.
  r.launches = (r.launches + 1) % 4095;
  return {const_cast<uint64_t*>(r.parts(known->second)), r.memory, r.launches};
}

void raise_reported() {
  Reports& r = reports();
  // Unlocked, as this is the usual case: one word that devices write to.
  if (!r.memory || *static_cast<volatile uint64_t*>(r.memory) == 0) return;
  std::unique_lock lock(r.mutex);
  const DataError* first = nullptr;
  Reported earliest(&Report::kNothing);
  for (size_t i = 0; i < r.errors.size(); ++i) {
    Reported here(r.parts(i));
    if (here.when == Report::kNothing) continue;
    r.clear(i);
    if (first && here.when > earliest.when) continue;
    first = &r.errors[i];
    earliest = here;
  }
  if (!first) return;  // still under way, on another stream
  *static_cast<volatile uint64_t*>(r.memory) = 0;
  DataError error = *first;
  lock.unlock();
  error.raise(earliest.number);
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
