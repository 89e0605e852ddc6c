#pragma once

#include <cstddef>

// Stacks that are switched by hand: a CUDA thread that waits is a fiber that is put aside. Under AddressSanitizer each
// switch is announced.

namespace tl::cuda::emulator {

class Fiber {
 public:
  // Runs `entry(context)` on a stack of its own when first resumed; it must never return.
  Fiber(void (*entry)(void*), void* context);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From the owner's stack: runs the fiber until it yields.
  void resume();
  // From within: back to the owner.
  static void yield();
  // The fiber that runs, null on the owner's stack.
  static Fiber* running();
  // Whether an address lies in the page below the stack of the fiber that runs.
  static bool is_stack_overflow(const void* address);

 private:
  static void start();

  void (*entry_)(void*);
  void* context_;
  char* memory_;
  void* sp_;
  void* fake_stack_ = nullptr;
};

}  // namespace tl::cuda::emulator
