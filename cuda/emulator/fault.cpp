#include "emulator/fault.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "core/error.h"
#include "emulator/fiber.h"
#include "emulator/memory.h"
#include "emulator/scheduler.h"

namespace tl::cuda::emulator {
namespace {

struct sigaction previous;
const void* fault_address = nullptr;
bool guarded = false;
bool fault_is_write = false, fault_is_overflow = false;

// The kernel stands still for ever where it was; this runs on its stack in place of it.
[[noreturn]] void on_fault() {
  if (fault_is_overflow) fail_thread("uses more stack than the emulator has for a thread");
  fail_thread(str(fault_is_write ? "writes " : "reads ", describe(fault_address)));
}

void handler(int number, siginfo_t* info, void* context) {
  auto* uc = static_cast<ucontext_t*>(context);
  const void* address = info->si_addr;
  bool device = is_device_memory(address);
  if (guarded && Fiber::running()) {
    // Memory is opened when it is first touched after the host had its turn.
    if (device && open_device_memory(address)) return;
    bool overflow = Fiber::is_stack_overflow(address);
    if (device || overflow || reinterpret_cast<uintptr_t>(address) < 65536) {
      fault_address = address;
      fault_is_overflow = overflow;
      fault_is_write = uc->uc_mcontext.gregs[REG_ERR] & 2;
      greg_t& sp = uc->uc_mcontext.gregs[REG_RSP];
      // An overflown stack has no room: its upper end is reused, nobody returns to it.
      if (overflow) sp = greg_t(reinterpret_cast<uintptr_t>(address) / 4096 * 4096 + 4096 + 32768);
      sp = (sp - 256) / 16 * 16 - 8;  // below the red zone, aligned as a call leaves it
      uc->uc_mcontext.gregs[REG_RIP] = greg_t(reinterpret_cast<uintptr_t>(&on_fault));
      return;
    }
  }
  if (device && !guarded) {
    static const char text[] =
        "CUDA emulator: the host touches device memory outside of kernels and copies. A tensor's data is read on the "
        "host after .cpu() only.\n";
    [[maybe_unused]] ssize_t written = write(2, text, sizeof(text) - 1);
  }
  // As if this handler were not there; the access is made again. The one before may hand it back here: that is the end.
  static bool handed_on = false;
  if (handed_on) signal(number, SIG_DFL);
  if (!std::exchange(handed_on, true)) sigaction(number, &previous, nullptr);
}

// Another may have been put before it since (Python's faulthandler).
void put_first() {
  struct sigaction now{};
  sigaction(SIGSEGV, nullptr, &now);
  if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == handler) return;
  previous = now;
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace

void install_fault_handler() { put_first(); }

FaultGuard::FaultGuard() {
  install_fault_handler();
  // The handler needs a stack of its own: the one at fault may be full.
  thread_local bool has_stack = [] {
    stack_t now{};
    sigaltstack(nullptr, &now);
    if (!(now.ss_flags & SS_DISABLE)) return true;
    stack_t s{};
    s.ss_size = size_t(64) << 10;
    s.ss_sp = mmap(nullptr, s.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&s, nullptr);
    return true;
  }();
  (void)has_stack;
  guarded = true;
}

FaultGuard::~FaultGuard() { guarded = false; }

}  // namespace tl::cuda::emulator
