#include "emulator/shared.h"

#include <cstring>

#include "core/error.h"

namespace tl::cuda::emulator {
namespace {

// Whether `now` cannot tell what thread `then` did at that epoch and clock: no barrier stands between.
bool unordered(const Thread& now, int then, uint32_t epoch, uint32_t clock) {
  if (then < 0 || uint32_t(then) == now.linear || epoch != now.block->epoch) return false;
  if (uint32_t(then) / 32 != now.warp()) return true;
  const Warp& w = now.block->warps[now.warp()];
  uint32_t met = w.all_met;
  if (w.met) met = std::max(met, w.met[uint32_t(then) % 32 * 32 + now.lane()]);
  return met <= clock;
}

}  // namespace

unsigned char* shared_memory(Block& b) {
  if (!b.shared) {
    b.shared.reset(new unsigned char[kSharedMax]);
    b.shadow.reset(new Shadow[kSharedMax]());
  }
  return b.shared.get();
}

uint32_t static_shared(const void* key, size_t bytes, size_t align) {
  Block& b = *current->block;
  for (const StaticShared& s : b.statics)
    if (s.key == key) return uint32_t(s.offset);
  size_t offset = (b.shared_used + align - 1) / align * align;
  if (offset + bytes > kSharedMax) fail_thread("declares more shared memory than a block has");
  std::memset(shared_memory(b) + offset, 0xff, bytes);
  b.statics.push_back({key, offset, bytes});
  b.shared_used = offset + bytes;
  return uint32_t(offset);
}

void fail_index(int64_t index, size_t count, Site site) {
  fail_thread(str("uses element ", index, " of a shared array of ", count), site);
}

void note_access(uint32_t offset, Access access, Site site) {
  Thread& t = *current;
  Shadow& s = t.block->shadow[offset];
  if (s.serial != t.block->serial) {
    s = Shadow{};
    s.serial = t.block->serial;
    s.writer = s.reader[0] = s.reader[1] = -1;
  }
  const Warp& w = t.block->warps[t.warp()];
  bool atomic = access == Access::Atomic;
  if (s.copying && access != Access::Landed)
    fail_thread(str(access == Access::Read ? "reads" : "writes",
                    " shared memory that nobody wrote yet: a cp.async to it was not waited for"),
                site);
  if (access == Access::Read && s.writer < 0) fail_thread("reads shared memory that nobody wrote", site);
  if (!(atomic && s.atomic) && unordered(t, s.writer, s.write_epoch, s.write_clock))
    fail_thread(str(access == Access::Read ? "reads" : "writes", " shared memory that thread ", s.writer,
                    " of its block wrote, with no barrier between"),
                site);
  if (access == Access::Read) {
    int k = s.reader[0] == int(t.linear) || s.reader[0] < 0 ? 0 : 1;
    // Of many readers the last two that no barrier covers are enough to catch a writer.
    if (k == 1 && s.reader[1] != int(t.linear) && !unordered(t, s.reader[0], s.read_epoch[0], s.read_clock[0])) k = 0;
    s.reader[k] = int16_t(t.linear);
    s.read_epoch[k] = t.block->epoch;
    s.read_clock[k] = w.clock;
    return;
  }
  for (int k = 0; k < 2; ++k)
    if (unordered(t, s.reader[k], s.read_epoch[k], s.read_clock[k]))
      fail_thread(str("writes shared memory that thread ", s.reader[k], " of its block reads, with no barrier between"),
                  site);
  s.writer = int16_t(t.linear);
  s.write_epoch = t.block->epoch;
  s.write_clock = w.clock;
  s.atomic = atomic;
  s.copying = access == Access::Copying;
}

// The place is written at some time between the copy's start and its wait: others may not touch it since the last
// barrier before, and find nothing of use there until the wait.
void copy_async(uint32_t offset, uint32_t bytes, uint32_t step, const void* from) {
  for (uint32_t k = 0; k < bytes; k += step) note_access(offset + k, Access::Copying, {nullptr, 0});
  std::memset(shared_memory(*current->block) + offset, 0xff, bytes);
  current->copies.push_back({offset, bytes, step, from, current->group});
}

void commit_copies() { ++current->group; }

void wait_copies(uint32_t allowed, Site site) {
  Thread& t = *current;
  size_t kept = 0;
  for (size_t i = 0; i < t.copies.size(); ++i) {
    const AsyncCopy c = t.copies[i];
    if (c.group + allowed >= t.group) {
      t.copies[kept++] = c;
      continue;
    }
    for (uint32_t k = 0; k < c.bytes; k += c.step) note_access(c.offset + k, Access::Landed, site);
    if (c.from)
      std::memcpy(t.block->shared.get() + c.offset, c.from, c.bytes);
    else
      std::memset(t.block->shared.get() + c.offset, 0, c.bytes);
  }
  t.copies.resize(kept);
}

}  // namespace tl::cuda::emulator
