#include "runtime/graph.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "philox.h"
#include "runtime/allocator.h"
#include "runtime/pinned.h"
#include "runtime/report.h"
#include "runtime/stream.h"

namespace tl::cuda {

void prepare_cublas(Stream stream);  // of matmul_cublas.cu: a handle cannot be made during a capture
namespace {

struct Captures {
  std::mutex mutex;
  std::map<uint64_t, Graph*> graphs;  // by the driver's number of the capture
};
Captures& captures() {
  static Captures* c = new Captures;
  return *c;
}

driver::CaptureMode mode_of(const std::string& name) {
  if (name == "global") return driver::CaptureMode::Global;
  if (name == "thread_local") return driver::CaptureMode::ThreadLocal;
  check(name == "relaxed", "Unknown capture error mode. Expected `global`, `thread_local`, or `relaxed`, got ", name);
  return driver::CaptureMode::Relaxed;
}

// Room for the states of this many generators.
constexpr size_t kGenerators = 32, kStates = kGenerators * 2 * sizeof(uint64_t);

}  // namespace

Graph* recording(Stream s) {
  if (!capturing()) return nullptr;
  uint64_t id = driver::capture_of(s).id;
  if (!id) return nullptr;
  std::lock_guard lock(captures().mutex);
  auto it = captures().graphs.find(id);
  return it == captures().graphs.end() ? nullptr : it->second;
}

PhiloxState take_philox(Generator* g, Stream stream) {
  if (Graph* graph = recording(stream)) return graph->draw(g);
  PhiloxState s{g->initial_seed(), g->offset, nullptr};
  g->offset += kPhiloxStep;
  return s;
}

Graph::~Graph() {
  try {
    reset();
  } catch (const Error&) {  // the device is broken or gone
  }
}

void Graph::capture_begin(uint64_t pool, const std::string& mode) {
  check(!ready_ && !capture_,
        "This CUDAGraph instance already owns a captured graph. To capture a new graph, create a new instance.");
  driver::CaptureMode m = mode_of(mode);
  device_ = driver::device();
  stream_ = current_stream(device_);
  check(stream_,
        "CUDA graphs must be captured on a non-default stream. (However, after capture, it's ok to replay them on the "
        "default stream.)");
  if (!driver::capture_of(stream_).underway) prepare_cublas(stream_);
  ++cuda_captures;
  try {
    driver::begin_capture(stream_, m);
  } catch (const Error&) {
    --cuda_captures;
    throw;
  }
  capture_ = driver::capture_of(stream_).id;
  pool_ = pool;
  caching_allocator().enter_pool(pool_);
  {
    std::lock_guard lock(captures().mutex);
    captures().graphs[capture_] = this;
  }
  try {
    // Before anything else, so that no work of this graph has used the memory when the states are read.
    states_ = static_cast<uint64_t*>(caching_allocator().allocate(kStates, {DeviceType::CUDA, int8_t(device_)}));
  } catch (const Error&) {
    reset();
    throw;
  }
}

void Graph::leave_capture() {
  std::lock_guard lock(captures().mutex);
  captures().graphs.erase(capture_);
  capture_ = 0;
  --cuda_captures;
}

void Graph::capture_end() {
  check(capture_, "Called CUDAGraph::capture_end without a preceding capture_begin.");
  check(current_stream(device_) == stream_, "Capture must end on the same stream it began on.");
  DeviceScope scope(device_);
  leave_capture();
  bool empty = false;
  try {
    ready_ = driver::end_capture(stream_, &empty);
  } catch (const Error&) {
    reset();
    throw;
  }
  if (empty)
    warn(
        "The CUDA Graph is empty. This usually means that the graph was attempted to be captured on wrong device or "
        "stream.");
}

void Graph::replay() {
  check(ready_, "Called CUDAGraph::replay without a preceding successful capture.");
  DeviceScope scope(device_);
  Stream stream = current_stream(device_);
  check(!driver::capture_of(stream).underway, "Cannot prepare for replay during capturing stage.");
  for (Drawn& d : drawn_) {
    set_philox(d.state, d.generator->initial_seed(), d.generator->offset, stream);
    d.generator->offset += d.count;
  }
  driver::launch_graph(ready_, stream);
  replayed_.insert(stream);
  raise_at_once();
}

void Graph::reset() {
  DeviceScope scope(device_);
  if (capture_) {
    leave_capture();
    try {
      bool empty;
      ready_ = driver::end_capture(stream_, &empty);
    } catch (const Error&) {  // it was invalid
    }
  }
  if (ready_) driver::destroy_graph(std::exchange(ready_, nullptr));
  drawn_.clear();
  if (states_) caching_allocator().free(std::exchange(states_, nullptr), kStates, {DeviceType::CUDA, int8_t(device_)});
  for (const void* p : pinned_) release_pinned(p, device_, replayed_);
  pinned_.clear();
  replayed_.clear();
  if (pool_) caching_allocator().leave_pool(std::exchange(pool_, 0));
}

uint64_t Graph::pool() {
  check(ready_, "Called CUDAGraph::pool() without a preceding successful capture.");
  return pool_;
}

void Graph::keep(const void* pinned) {
  if (hold_pinned(pinned)) pinned_.push_back(pinned);
}

PhiloxState Graph::draw(Generator* g) {
  auto d = std::find_if(drawn_.begin(), drawn_.end(), [&](const Drawn& d) { return d.generator.get() == g; });
  if (d == drawn_.end()) {
    check(drawn_.size() < kGenerators, "a CUDA graph can draw from ", kGenerators, " generators at most");
    d = drawn_.insert(d, {Ref<Generator>::share(g), states_ + 2 * drawn_.size(), 0});
  }
  PhiloxState s{0, d->count, d->state};
  d->count += kPhiloxStep;
  return s;
}

}  // namespace tl::cuda
