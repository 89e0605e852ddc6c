#pragma once

#include <memory>
#include <set>
#include <vector>

#include "core/cuda.h"
#include "core/error.h"
#include "core/generator.h"
#include "runtime/driver.h"
#include "runtime/machine.h"

// CUDA graphs: what a stream was asked for between capture_begin and capture_end, to be asked for again at once.

namespace tl::cuda {

struct PhiloxState;

class Graph final : public CudaGraph {
 public:
  ~Graph() override;
  void capture_begin(uint64_t pool, const std::string& mode) override;
  void capture_end() override;
  void replay() override;
  void reset() override;
  uint64_t pool() override;

  // While it is captured: where its memory comes from; pinned memory that its copies touch; where the numbers of a call
  // begin.
  uint64_t memory() const { return pool_; }
  void keep(const void* pinned);
  PhiloxState draw(Generator* g);

 private:
  struct Drawn {
    Ref<Generator> generator;
    uint64_t* state;  // seed and offset of the replay
    uint64_t count;   // by how much a replay advances the offset
  };
  void leave_capture();

  int device_ = 0;
  Stream stream_ = nullptr;
  uint64_t capture_ = 0, pool_ = 0;
  ReadyGraph ready_ = nullptr;
  uint64_t* states_ = nullptr;  // on the device
  std::vector<Drawn> drawn_;
  std::vector<const void*> pinned_;
  std::set<Stream> replayed_;  // where
};

// While any stream is captured, the host waits for none and asks none: events are left for later.
inline bool capturing() { return cuda_captures.load(std::memory_order_relaxed) != 0; }
// The graph that records what is queued on this stream, or null.
Graph* recording(Stream s);

// What CUDA says of a call that cannot be captured.
[[noreturn, gnu::cold]] inline void fail_capture(const char* what) {
  const char* op = current_operator();
  fail("CUDA error: ", what, op ? " in operator '" : "", op ? op : "", op ? "'" : "",
       ". A CUDA graph records what is queued on its stream: meanwhile the host can neither wait for the device, as "
       "item(), cpu(), nonzero() and synchronize() do, nor can the stream wait for work outside of the graph. This "
       "capture is invalid.");
}

}  // namespace tl::cuda
