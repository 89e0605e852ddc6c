#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "emulator/scheduler.h"

// What captured streams queue: pieces of work, each behind others.

namespace tl::cuda::emulator {

struct Recording {
  using Places = std::set<size_t>;
  struct Piece {
    std::function<void()> run;
    Places behind;
  };
  uint64_t id;
  std::vector<Piece> pieces;
  bool valid = true, ended = false;

  explicit Recording(uint64_t number) : id(number) {}

  // Whether every piece is among these or before one of them.
  bool all_before(const Places& last) const {
    Places reached, ahead = last;
    while (!ahead.empty()) {
      size_t piece = *ahead.begin();
      ahead.erase(ahead.begin());
      if (reached.insert(piece).second) ahead.insert(pieces[piece].behind.begin(), pieces[piece].behind.end());
    }
    return reached.size() == pieces.size();
  }
};

// One replay: each step runs a piece that may run, drawn from the seed.
class Replay {
 public:
  explicit Replay(std::shared_ptr<const Recording> r) : recording_(std::move(r)), done_(recording_->pieces.size()) {}

  void step() {
    size_t chosen = 0;
    uint32_t seen = 0;
    for (size_t i = 0; i < done_.size(); ++i)
      if (!done_[i] && may_run(i) && draw(++seen) == 0) chosen = i;
    done_[chosen] = true;
    recording_->pieces[chosen].run();
  }

 private:
  bool may_run(size_t i) const {
    for (size_t before : recording_->pieces[i].behind)
      if (!done_[before]) return false;
    return true;
  }
  std::shared_ptr<const Recording> recording_;
  std::vector<bool> done_;
};

}  // namespace tl::cuda::emulator
