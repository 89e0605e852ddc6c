#include "emulator/fiber.h"

#include <sys/mman.h>

#include <cstdint>

#include "core/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define TL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TL_ASAN 1
#endif
#endif
#if defined(TL_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the emulator's switch is written for x86-64"
#endif

// Saves what the System V ABI asks a function to preserve, on the stack that is left.
asm(R"(
.text
.p2align 4
.globl tl_fiber_switch
.hidden tl_fiber_switch
.type tl_fiber_switch, @function
tl_fiber_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tl_fiber_switch, .-tl_fiber_switch
)");
extern "C" void tl_fiber_switch(void** save, void* to);

namespace tl::cuda::emulator {
namespace {

constexpr size_t kPage = 4096;
#if defined(TL_ASAN)
constexpr size_t kStack = size_t(256) << 10;
#else
constexpr size_t kStack = size_t(64) << 10;
#endif

// One host thread at a time runs emulated kernels (scheduler.cpp holds a lock), so these need no guard.
Fiber* running_fiber = nullptr;
void* owner_sp = nullptr;
#if defined(TL_ASAN)
const void* owner_bottom = nullptr;
size_t owner_size = 0;
void* owner_fake_stack = nullptr;
#endif

}  // namespace

Fiber::Fiber(void (*entry)(void*), void* context) : entry_(entry), context_(context) {
  void* p = mmap(nullptr, kStack + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check<OutOfMemoryError>(p != MAP_FAILED, "the CUDA emulator found no memory for the stack of a thread");
  memory_ = static_cast<char*>(p);
  mprotect(memory_, kPage, PROT_NONE);
  // As tl_fiber_switch leaves a stack: six registers, then the address to return to.
  auto top = reinterpret_cast<uintptr_t*>(memory_ + kPage + kStack);
  top[-1] = 0;
  top[-2] = reinterpret_cast<uintptr_t>(&Fiber::start);
  for (int i = 3; i <= 8; ++i) top[-i] = 0;
  sp_ = top - 8;
}

Fiber::~Fiber() { munmap(memory_, kStack + kPage); }

void Fiber::start() {
#if defined(TL_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &owner_bottom, &owner_size);
#endif
  Fiber* self = running_fiber;
  self->entry_(self->context_);
  __builtin_trap();
}

void Fiber::resume() {
  running_fiber = this;
#if defined(TL_ASAN)
  __sanitizer_start_switch_fiber(&owner_fake_stack, memory_ + kPage, kStack);
#endif
  tl_fiber_switch(&owner_sp, sp_);
#if defined(TL_ASAN)
  __sanitizer_finish_switch_fiber(owner_fake_stack, nullptr, nullptr);
#endif
  running_fiber = nullptr;
}

void Fiber::yield() {
  Fiber* self = running_fiber;
#if defined(TL_ASAN)
  __sanitizer_start_switch_fiber(&self->fake_stack_, owner_bottom, owner_size);
#endif
  tl_fiber_switch(&self->sp_, owner_sp);
#if defined(TL_ASAN)
  __sanitizer_finish_switch_fiber(self->fake_stack_, &owner_bottom, &owner_size);
#endif
}

Fiber* Fiber::running() { return running_fiber; }

bool Fiber::is_stack_overflow(const void* address) {
  auto a = static_cast<const char*>(address);
  return running_fiber && a >= running_fiber->memory_ && a < running_fiber->memory_ + kPage;
}

}  // namespace tl::cuda::emulator
