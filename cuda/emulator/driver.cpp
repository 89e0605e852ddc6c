#include "runtime/driver.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "core/cuda.h"
#include "core/error.h"
#include "emulator/attribution.h"
#include "emulator/fault.h"
#include "emulator/memory.h"
#include "emulator/recording.h"
#include "emulator/scheduler.h"
#include "runtime/graph.h"
#include "runtime/launch.h"
#include "runtime/machine.h"

// Streams are queues. Nothing runs when it is queued; where the host synchronises, and when a queue grows long, streams
// run in an order drawn from the seed, as far as events allow, until what was asked for is done.

namespace tl::cuda {

using emulator::Recording;

struct EventHandle {
  int device = 0;
  uint64_t recorded = 0;  // how often it was put in a queue
  uint64_t reached = 0;   // the last of these that ran
  std::chrono::steady_clock::time_point time;
  std::shared_ptr<Recording> recording;  // in which it was recorded last, behind these
  Recording::Places behind;
};

struct Work {
  std::function<void()> run;
  EventHandle* waits_for = nullptr;
  uint64_t count = 0;  // of the event
};

struct StreamHandle {
  std::deque<Work> queue;
  int device = 0;
  std::shared_ptr<Recording> recording;  // while it is captured; what comes next is behind these
  Recording::Places last;
};

struct GraphHandle {
  std::shared_ptr<const Recording> recording;
  Event done;  // launches follow one another
};

namespace driver {
using namespace emulator;

namespace {

constexpr size_t kLongQueue = 256;

struct Machine {
  std::recursive_mutex mutex;
  std::vector<StreamHandle*> standard;  // of each device
  std::vector<StreamHandle*> streams;
  std::vector<StreamHandle*> retired;  // destroyed with work left
  std::map<const char*, size_t> pinned;
  bool sync = false;
  bool running = false;
  // As on a device, an error in a kernel is the end: everything after it fails with the same words.
  std::string broken;
  std::atomic<bool> is_broken = false;
  Machine() {
    const char* count = std::getenv("TENSORLITE_EMULATE_DEVICES");
    int devices = count ? std::clamp(std::atoi(count), 1, 8) : 1;
    for (int d = 0; d < devices; ++d) {
      standard.push_back(new StreamHandle{{}, d});
      streams.push_back(standard.back());
    }
    const char* text = std::getenv("TENSORLITE_CUDA_SYNC");
    sync = text && text[0] == '1';
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
  }
  static bool forked;  // a driver does not outlive a fork
};
bool Machine::forked = false;

Machine& machine() {
  static Machine* m = new Machine;
  return *m;
}

thread_local int current = 0;

StreamHandle& of(Stream s) { return s ? *s : *machine().standard[size_t(current)]; }

bool is_pinned_memory(const void* p) {
  auto c = static_cast<const char*>(p);
  auto it = machine().pinned.upper_bound(c);
  return it != machine().pinned.begin() && c < std::prev(it)->first + std::prev(it)->second;
}

bool can_run(const StreamHandle& s) {
  if (s.queue.empty()) return false;
  const Work& w = s.queue.front();
  return !w.waits_for || w.waits_for->reached >= w.count;
}

// Runs one piece of work of a stream that may run; false when there is none.
bool step() {
  Machine& m = machine();
  StreamHandle* able = nullptr;
  uint32_t seen = 0;
  for (StreamHandle* s : m.streams)
    if (can_run(*s) && draw(++seen) == 0) able = s;
  if (!able) return false;
  Work w = std::move(able->queue.front());
  able->queue.pop_front();
  if (w.run) w.run();
  return true;
}

template <class Done>
void run_until(Done done) {
  Machine& m = machine();
  if (m.running) return;
  m.running = true;
  try {
    while (!done())
      if (!step()) fail("CUDA emulator: a stream waits for an event that nothing records");
    check_guards();
  } catch (const Error& e) {
    m.running = false;
    close_device_memory();
    m.broken = e.what();
    m.is_broken = true;
    for (StreamHandle* s : m.streams) s->queue.clear();
    throw;
  }
  close_device_memory();
  m.running = false;
}

bool is_broken() { return Machine::forked || machine().is_broken; }
void raise_if_broken() {
  check(!Machine::forked, "CUDA error: initialization error");
  if (is_broken()) fail(machine().broken);
}
// A stream's device and an event's are the same one where it is recorded; so are a kernel's and the current one.
void check_device(int device, int other) { check(device == other, "CUDA error: invalid resource handle"); }

[[noreturn]] void spoil(Recording& r, const char* why) {
  r.valid = false;
  fail_capture(why);
}
constexpr const char* kUnsupported = "operation not permitted when stream is capturing";
constexpr const char* kCapturedEvent = "operation not permitted on an event last recorded in a capturing stream";

// What is asked of a stream as such, not queued on it.
void refuse_captured(StreamHandle& s) {
  if (s.recording) spoil(*s.recording, kUnsupported);
}

void record(StreamHandle& s, Work w) {
  Recording& r = *s.recording;
  if (!r.valid) spoil(r, "operation failed due to a previous error during capture");
  r.pieces.push_back({std::move(w.run), std::move(s.last)});
  s.last = {r.pieces.size() - 1};
}

void push(StreamHandle& s, Work w) {
  Machine& m = machine();
  raise_if_broken();
  s.queue.push_back(std::move(w));
  if (m.sync)
    run_until([&] { return s.queue.empty(); });
  else if (s.queue.size() > kLongQueue)
    run_until([&] { return s.queue.size() < kLongQueue / 2; });
}

void enqueue(Stream stream, Work w) {
  StreamHandle& s = of(stream);
  s.recording ? record(s, std::move(w)) : push(s, std::move(w));
}

using Lock = std::lock_guard<std::recursive_mutex>;

}  // namespace

int device_count(std::string*) {
  install_fault_handler();
  return int(machine().standard.size());
}
bool emulated() { return true; }
bool caches_memory() {
  const char* text = std::getenv("TENSORLITE_CUDA_CACHE");
  return text && text[0] == '1';
}

DeviceProperties properties(int) {
  DeviceProperties p;
  p.name = "tensorlite CUDA emulator";
  p.major = 9;
  p.multiprocessors = 4;
  p.max_threads_per_multiprocessor = 2048;
  p.total_memory = int64_t(device_memory_total());
  p.shared_per_block = int64_t(kSharedMax);
  p.shared_per_multiprocessor = 228 << 10;
  p.l2_cache = 1 << 20;
  p.registers_per_multiprocessor = 65536;
  return p;
}

MoreProperties more_properties(int) { return {}; }
int compiled_for() { return 90; }
int runtime_version() { return 0; }
bool can_access_peer(int, int) { return false; }
void sleep(int64_t, Stream) {}
void set_device(int device) {
  check(device >= 0 && device < int(machine().standard.size()), "CUDA error: invalid device ordinal");
  raise_if_broken();
  current = device;
}
int exchange_device(int device) {
  int previous = driver::device();
  if (device != previous) set_device(device);
  return previous;
}
void restore_device(int device) noexcept { current = device; }
int device() {
  raise_if_broken();
  return current;
}

void synchronize_device() {
  Lock lock(machine().mutex);
  raise_if_broken();
  for (StreamHandle* s : machine().streams)
    if (s->device == current) refuse_captured(*s);
  run_until([] {
    auto& s = machine().streams;
    return std::all_of(s.begin(), s.end(), [](StreamHandle* q) { return q->device != current || q->queue.empty(); });
  });
}

void memory_info(int64_t* free, int64_t* total) {
  *total = int64_t(device_memory_total());
  *free = *total - int64_t(device_memory_used(current));
}

void* malloc(size_t bytes) {
  Lock lock(machine().mutex);
  raise_if_broken();
  void* p = device_malloc(bytes, current);
  if (!machine().running) close_device_memory();
  return p;
}

void free(void* data, Stream stream) {
  Lock lock(machine().mutex);
  if (is_broken()) return;                            // what a broken device holds is lost
  push(of(stream), {[data] { device_free(data); }});  // recorded or not: a replay would find it gone
}

void* malloc_host(size_t bytes) {
  Lock lock(machine().mutex);
  void* p = std::aligned_alloc(64, (std::max<size_t>(bytes, 1) + 63) / 64 * 64);
  if (p) machine().pinned[static_cast<char*>(p)] = bytes;
  return p;
}
void free_host(void* data) {
  Lock lock(machine().mutex);
  machine().pinned.erase(static_cast<char*>(data));
  std::free(data);
}
bool is_pinned(const void* data) {
  Lock lock(machine().mutex);
  return is_pinned_memory(data);
}

int device_of(const void* data) { return data ? device_of_memory(data) : current; }

void copy(void* to, const void* from, size_t bytes, CopyKind kind, Stream stream) {
  Lock lock(machine().mutex);
  if (!bytes) return;
  auto run = [=] {
    if (kind != CopyKind::DeviceToHost) check_device_range(to, bytes, "a copy to the device");
    if (kind != CopyKind::HostToDevice) check_device_range(from, bytes, "a copy from the device");
    std::memmove(to, from, bytes);
  };
  if (kind == CopyKind::HostToDevice && !is_pinned_memory(from)) {
    check(!of(stream).recording, "CUDA emulator: a copy from pageable memory is captured");
    auto* staged = new std::vector<char>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
    enqueue(stream, {[=] {
              check_device_range(to, bytes, "a copy to the device");
              std::memcpy(to, staged->data(), bytes);
              delete staged;
            }});
    return;
  }
  if (kind == CopyKind::DeviceToHost && !is_pinned_memory(to)) refuse_captured(of(stream));
  enqueue(stream, {run});
  // To pageable memory a copy is done when the call returns.
  if (kind == CopyKind::DeviceToHost && !is_pinned_memory(to)) run_until([&] { return of(stream).queue.empty(); });
}

void copy_peer(void* to, int, const void* from, int, size_t bytes, Stream stream) {
  copy(to, from, bytes, CopyKind::DeviceToDevice, stream);
}

void set_bytes(void* data, int value, size_t bytes, Stream stream) {
  Lock lock(machine().mutex);
  if (!bytes) return;
  enqueue(stream, {[=] {
            check_device_range(data, bytes, "a memset");
            std::memset(data, value, bytes);
          }});
}

Stream create_stream(int) {
  Lock lock(machine().mutex);
  auto* s = new StreamHandle{{}, current};
  machine().streams.push_back(s);
  return s;
}
void destroy_stream(Stream s) {
  Lock lock(machine().mutex);
  if (!is_broken()) run_until([&] { return s->queue.empty(); });
  std::erase(machine().streams, s);
  delete s;
}
bool query_stream(Stream s) {
  Lock lock(machine().mutex);
  raise_if_broken();
  refuse_captured(of(s));
  // Work may go on while the host asks.
  uint32_t steps = draw(3);
  run_until([&] { return of(s).queue.empty() || steps-- == 0; });
  return of(s).queue.empty();
}
void synchronize_stream(Stream s) {
  Lock lock(machine().mutex);
  raise_if_broken();
  refuse_captured(of(s));
  run_until([&] { return of(s).queue.empty(); });
}

Event create_event(bool) {
  raise_if_broken();
  return new EventHandle{current};
}
void destroy_event(Event e) {
  // Queued work may still point to it.
  Lock lock(machine().mutex);
  if (!is_broken()) run_until([&] { return e->reached >= e->recorded; });
  for (StreamHandle* s : machine().streams)
    for (Work& w : s->queue)
      if (w.waits_for == e) w.waits_for = nullptr;
  delete e;
}
void record_event(Event e, Stream s) {
  Lock lock(machine().mutex);
  check_device(of(s).device, e->device);
  e->recording = of(s).recording;
  e->behind = of(s).last;
  if (e->recording) return;
  uint64_t count = ++e->recorded;
  enqueue(s, {[=] {
            e->reached = count;
            e->time = std::chrono::steady_clock::now();
          }});
}
void wait_event(Stream stream, Event e) {
  Lock lock(machine().mutex);
  StreamHandle& s = of(stream);
  if (!e->recording && !s.recording) {
    if (e->recorded) enqueue(stream, {{}, e, e->recorded});
    return;
  }
  if (!e->recording && !e->recorded) return;
  if (!e->recording) spoil(*s.recording, "dependency created on uncaptured work in another stream");
  if (e->recording->ended) fail_capture(kCapturedEvent);
  if (s.recording && s.recording != e->recording)
    spoil(*s.recording, "operation would result in a merge of separate capture sequences");
  if (!stream) spoil(*e->recording, "operation would make the legacy stream depend on a capturing blocking stream");
  s.recording = e->recording;  // takes part from here on
  s.last.insert(e->behind.begin(), e->behind.end());
}
bool query_event(Event e) {
  Lock lock(machine().mutex);
  raise_if_broken();
  if (e->recording) spoil(*e->recording, kCapturedEvent);
  uint32_t steps = draw(3);
  run_until([&] { return e->reached >= e->recorded || steps-- == 0; });
  return e->reached >= e->recorded;
}
void synchronize_event(Event e) {
  Lock lock(machine().mutex);
  raise_if_broken();
  if (e->recording) spoil(*e->recording, kCapturedEvent);
  run_until([&] { return e->reached >= e->recorded; });
}
float elapsed_ms(Event from, Event to) {
  check_device(from->device, to->device);
  return std::chrono::duration<float, std::milli>(to->time - from->time).count();
}

void begin_capture(Stream stream, CaptureMode) {
  static uint64_t last = 0;
  Lock lock(machine().mutex);
  raise_if_broken();
  check(stream, "CUDA error: ", kUnsupported);
  if (stream->recording) spoil(*stream->recording, "the operation cannot be performed in the present state");
  stream->recording = std::make_shared<Recording>(++last);
  stream->last = {};
}
ReadyGraph end_capture(Stream stream, bool* empty) {
  Lock lock(machine().mutex);
  check(bool(stream->recording), "CUDA error: capture was not initiated in this stream");
  std::shared_ptr<Recording> r = stream->recording;
  for (StreamHandle* s : machine().streams)
    if (s->recording == r) s->recording = nullptr;
  r->ended = true;
  if (!r->valid) fail_capture("operation failed due to a previous error during capture");
  if (!r->all_before(stream->last)) fail_capture("capturing stream has unjoined work");
  *empty = r->pieces.empty();
  return new GraphHandle{r, create_event(false)};
}
Capture capture_of(Stream stream) {
  Lock lock(machine().mutex);
  const Recording* r = of(stream).recording.get();
  return {r != nullptr, r && r->valid ? r->id : 0};
}
void launch_graph(ReadyGraph g, Stream stream) {
  Lock lock(machine().mutex);
  wait_event(stream, g->done);
  auto replay = std::make_shared<Replay>(g->recording);
  for (size_t i = g->recording->pieces.size(); i-- > 0;) enqueue(stream, {[replay] { replay->step(); }});
  record_event(g->done, stream);
}
void destroy_graph(ReadyGraph g) {
  destroy_event(g->done);
  delete g;
}

void launch(const LaunchConfig& config, void (*run)(void*), void* context, void (*done)(void*)) {
  Lock lock(machine().mutex);
  // It may run as often as a graph is replayed.
  std::shared_ptr<void> held(context, done);
  emulator::Grid grid{config.grid, config.block, config.shared, {config.file, config.line}, run, context};
  const char* op = current_operator();
  int device = of(config.stream).device;
  check_device(device, current);
  enqueue(config.stream, {[grid, held, device, op] {
            run_on(device);
            operator_of_grid = op;
            emulator::run_grid(grid);
          }});
}

}  // namespace driver
}  // namespace tl::cuda
