// On x86-64 a switch saves the registers that calls preserve and changes the stack: some nanoseconds.
// ucontext, which others use, asks the kernel for the signal mask at every switch, some hundreds.
#include "compiler/target/cuda/emulation/Fibers.h"
#include <cstdint>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace linmu::emulation;

#if defined(__x86_64__)

namespace {
using Context = void *; // the stack pointer, below the registers
}

// linmuSwitchStack(Context *from, Context to)
asm(R"(
.text
.p2align 4
.type linmuSwitchStack, @function
linmuSwitchStack:
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
.size linmuSwitchStack, .-linmuSwitchStack
.p2align 4
.type linmuEnterFiber, @function
linmuEnterFiber:
  movq %r12, %rdi
  callq *%r13
  ud2
.size linmuEnterFiber, .-linmuEnterFiber
)");
extern "C" void linmuSwitchStack(void **from, void *to) asm("linmuSwitchStack");
extern "C" void linmuEnterFiber() asm("linmuEnterFiber");

static Context contextOn(std::byte *stack, std::size_t bytes, void (*body)(void *), void *context) {
  // As linmuSwitchStack leaves it: r15, r14, r13 (body), r12 (its argument), rbx, rbp, then where to go on.
  // linmuEnterFiber starts with a stack aligned to 16 bytes, so that its call is as calls are.
  auto *top = reinterpret_cast<std::uint64_t *>(stack + bytes);
  top -= 9;
  top[0] = top[1] = 0;
  top[2] = reinterpret_cast<std::uint64_t>(body);
  top[3] = reinterpret_cast<std::uint64_t>(context);
  top[4] = top[5] = 0;
  top[6] = reinterpret_cast<std::uint64_t>(&linmuEnterFiber);
  return top;
}

static void switchContext(Context &from, Context &to) { linmuSwitchStack(&from, to); }

#else
#include <ucontext.h>

namespace {
using Context = ucontext_t;
}

static void enterFiber(unsigned bodyHigh, unsigned bodyLow, unsigned contextHigh, unsigned contextLow) {
  auto pointer = [](unsigned high, unsigned low) { return std::uintptr_t(high) << 32 | low; };
  reinterpret_cast<void (*)(void *)>(pointer(bodyHigh, bodyLow))(
      reinterpret_cast<void *>(pointer(contextHigh, contextLow)));
}

static Context contextOn(std::byte *stack, std::size_t bytes, void (*body)(void *), void *context) {
  ucontext_t fresh;
  getcontext(&fresh);
  fresh.uc_stack.ss_sp = stack;
  fresh.uc_stack.ss_size = bytes;
  fresh.uc_link = nullptr;
  auto high = [](auto pointer) {
    return static_cast<unsigned>(reinterpret_cast<std::uint64_t>(pointer) >> 32);
  };
  auto low = [](auto pointer) { return static_cast<unsigned>(reinterpret_cast<std::uint64_t>(pointer)); };
  makecontext(&fresh, reinterpret_cast<void (*)()>(enterFiber), 4, high(body), low(body), high(context),
              low(context));
  return fresh;
}

static void switchContext(Context &from, Context &to) { swapcontext(&from, &to); }
#endif

struct Fibers::State {
  std::byte *memory = nullptr;
  std::size_t bytes = 0, guard = 0, stride = 0;
  std::vector<Context> contexts;
  Context caller{};
};

Fibers::Fibers(std::size_t count, std::size_t stackBytes) : state(std::make_unique<State>()) {
  state->guard = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  state->stride = stackBytes + state->guard;
  state->bytes = count * state->stride;
  void *memory =
      mmap(nullptr, state->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw std::bad_alloc();
  state->memory = static_cast<std::byte *>(memory);
  state->contexts.resize(count);
  for (std::size_t index = 0; index < count; ++index)
    mprotect(state->memory + index * state->stride, state->guard, PROT_NONE);
}

Fibers::~Fibers() { munmap(state->memory, state->bytes); }

void Fibers::prepare(std::size_t index, void (*body)(void *), void *context) {
  state->contexts[index] = contextOn(state->memory + index * state->stride + state->guard,
                                     state->stride - state->guard, body, context);
}

void Fibers::run(std::size_t index) { switchContext(state->caller, state->contexts[index]); }

void Fibers::switchTo(std::size_t from, std::size_t to) {
  switchContext(state->contexts[from], state->contexts[to]);
}

void Fibers::leave(std::size_t from) { switchContext(state->contexts[from], state->caller); }
