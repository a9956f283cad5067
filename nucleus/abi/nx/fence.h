/*
 * fence.h - the memory orderings that shared rings need, spelled per ISA.
 *
 * The only header of the ABI with an ISA #if. It orders normal memory between harts and keeps the
 * compiler from moving accesses across; it is not for device registers (they need i and o too).
 *
 * Written by hand because gcc 12 for riscv64 turns C11 atomic stores, even relaxed ones, into
 * amoswap. Everywhere else plain C11 fences are as good as anything we would write.
 *
 *   nx_fence_publish()   everything before it, then the store that makes it visible
 *   nx_fence_observe()   the load that saw it, then everything after
 *   nx_fence_full()      store, fence, load of something else: the only one that drains the store
 *                        buffer; needed on both sides of "announce sleep, look again" (ring.pml)
 */
#ifndef NX_FENCE_H
#define NX_FENCE_H

#if defined(__riscv)
#define nx_fence_publish() __asm__ volatile("fence rw, w" ::: "memory")
#define nx_fence_observe() __asm__ volatile("fence r, rw" ::: "memory")
#define nx_fence_full() __asm__ volatile("fence rw, rw" ::: "memory")
#else
#define nx_fence_publish() __atomic_thread_fence(__ATOMIC_RELEASE)
#define nx_fence_observe() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define nx_fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#endif
