/* Address spaces of processes (posix/mem).
 *
 * A struct mm is a foreign space of the nucleus plus the list of areas that says what every address
 * means.  Anonymous memory and copy-on-write are resolved by the nucleus; what it cannot resolve (file
 * pages, stack growth) comes to mm_fault.  Threads and vfork children share one mm.
 * Everything wants the personality lock.  Errors are negated errno.
 */
#ifndef POSIX_MM_H
#define POSIX_MM_H

#include <membrane.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mm;
struct file;

/* Empty but for the page with the sigreturn code; where things go in it is random, or not.  NULL: no memory. */
struct mm *mm_make(bool random);
struct mm *mm_ref(struct mm *mm);
/* The last reference destroys the space: no fiber may be bound to it (mb_space_bind(0) first). */
void mm_unref(struct mm *mm);
struct mm *mm_clone(struct mm *from); /* fork; NULL: no memory */
mb_space mm_space(const struct mm *mm);
/* The calling fiber runs in mm from now on (NULL: in none). */
int mm_bind(struct mm *mm);

/* What a fault of a program comes to. */
struct mm_signal {
    int signo; /* SIGSEGV, SIGBUS */
    int code;  /* SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR */
};
#define MM_CAUSE_EXEC 12u /* scause: 12 fetch, 13 load, 15 store; 1, 5, 7: access faults */
#define MM_CAUSE_LOAD 13u
#define MM_CAUSE_STORE 15u
/* NX_LEAVE_FAULT, NX_LEAVE_NOMEM: 0: run on; 1: send the signal; -ENOMEM: memory is out (OOM). */
int mm_fault(struct mm *mm, uint64_t addr, uint64_t cause, struct mm_signal *out);

/* Of the vDSO in it, and of its code that makes the rt_sigreturn system call. */
uint64_t mm_vdso_addr(const struct mm *mm);
uint64_t mm_sigreturn_addr(const struct mm *mm);
/* What programs read clocks by without a call: from now on it is this.  ns_per_tick 0: they have to call. */
void vdso_clock(uint64_t ns_per_tick, int64_t realtime_offset);

uint64_t mm_vsize(const struct mm *mm);    /* bytes */
uint64_t mm_resident(const struct mm *mm); /* pages */
struct text;
void mm_maps_text(const struct mm *mm, struct text *t, bool details); /* /proc/<pid>/maps, smaps */
#define MM_AUXV_PAIRS 21
/* For /proc/<pid>/stat and friends. */
struct mm_layout {
    uint64_t code_start, code_end, data_start, data_end, brk_start, brk, stack_top;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[2 * MM_AUXV_PAIRS]; /* as it was put on the stack */
    unsigned auxv_words;
    uint64_t text_pages, data_pages, stack_pages; /* virtual sizes as in /proc/<pid>/status */
    uint64_t locked_pages;
};
void mm_layout(const struct mm *mm, struct mm_layout *out);

/* What a futex word at addr is, whoever maps it where: the key of a futex.  Private memory belongs to
 * the mm, shared memory to its object.  The object lives as long as something maps it. */
struct mm_futex_key {
    const void *object;
    uint64_t offset;
};
int mm_futex_key(struct mm *mm, uint64_t addr, bool private_, struct mm_futex_key *key);

/* Every hart passes through a fence that runs a program of mm / of any that has registered for all of
 * these barriers.  0 or -ENOMEM. */
int mm_fence(const struct mm *mm);
int mm_fence_all(uint32_t barriers);
uint32_t *mm_barriers(struct mm *mm);

/* Copy between buf and the memory of any address space (NULL: none): bytes, fewer where it cannot be
 * touched.  force: as a debugger does, whatever the areas forbid. */
size_t mm_remote_read(struct mm *mm, uint64_t addr, void *buf, size_t n, bool force);
size_t mm_remote_write(struct mm *mm, uint64_t addr, const void *buf, size_t n, bool force);

/* Does anybody map a file with these operations? */
struct file_ops;
bool mm_ops_mapped(const struct file_ops *ops);
/* Does anybody share this file's pages and may write to them, now or after mprotect? */
struct inode;
bool mm_inode_writable(const struct inode *ino);

/* Asynchronous I/O of an address space, the first of a list (aio/aio.c, which sets the hook): its end is theirs. */
struct aio;
struct aio **mm_aio(struct mm *mm);
extern void (*mm_aio_end)(struct aio **first);

/* Before the first process; sets mb_fault_hook and vfs_truncate_hook.  0 or -ENOMEM. */
int mm_init(void);

#endif
