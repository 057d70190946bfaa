/*===- Fiber.c - Stacks, and changing from one to another ------------------------------===*\
|*
|* A switch saves what a call preserves (System V ABI for x86-64, AAPCS64 for AArch64) and swaps
|* stack pointers. It ends in an ordinary return: fibers mostly wait at the same place, so that the
|* processor's prediction of returns, which knows nothing of stacks, is right. Other processors go
|* through ucontext, which is slower: it asks the kernel. EMU_USE_UCONTEXT: all do, for tests.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <string.h>

#if defined(__x86_64__) && !defined(EMU_USE_UCONTEXT)

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden emu_switch\n"
        ".globl emu_switch\n"
        ".type emu_switch, @function\n"
        "emu_switch:\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size emu_switch, .-emu_switch\n");

void *emu_prepare_stack(void *top, void (*entry)(void)) {
  /* At entry of a function the stack is 8 below a multiple of 16. */
  void **stack = (void **)((uintptr_t)top & ~(uintptr_t)15);
  *--stack = NULL; /* where `entry` would return to */
  *--stack = (void *)entry;
  for (int i = 0; i < 6; ++i)
    *--stack = NULL;
  return stack;
}

#elif defined(__aarch64__) && !defined(EMU_USE_UCONTEXT)

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden emu_switch\n"
        ".globl emu_switch\n"
        ".type emu_switch, %function\n"
        "emu_switch:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  ret\n"
        ".size emu_switch, .-emu_switch\n");

void *emu_prepare_stack(void *top, void (*entry)(void)) {
  void **stack = (void **)((uintptr_t)top & ~(uintptr_t)15) - 20;
  memset(stack, 0, 160);
  stack[11] = (void *)entry; /* x30 */
  return stack;
}

#else

#include <ucontext.h>

/* The saved stack pointer is the address of the context, which lies on the stack. */
void emu_switch(void **from, void *to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, to);
}

void *emu_prepare_stack(void *top, void (*entry)(void)) {
  /* The context lies at the top; what is below, at least 32 KB, is the stack. */
  ucontext_t *context = (ucontext_t *)(((uintptr_t)top - sizeof(ucontext_t)) & ~(uintptr_t)63);
  getcontext(context);
  context->uc_stack.ss_sp = (char *)context - 32768;
  context->uc_stack.ss_size = 32768;
  context->uc_link = NULL;
  makecontext(context, entry, 0);
  return context;
}

#endif
