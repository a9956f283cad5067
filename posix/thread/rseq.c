/* Restartable sequences: a piece of a program that runs to its end on one hart, or begins again elsewhere.
 *
 * A thread registers a struct rseq.  In it the program finds the hart it runs on, and points at a description
 * of the sequence it is in.  Whatever comes between two instructions of one sends it to the sequence's abort
 * address: a signal's handler, or that the hart was taken from the thread.
 *
 * Only the nucleus knows the latter, and the hart: the thread's state area asks for both (`hart`, nx/state.h),
 * so foreign mode is left after each time others had the hart, and not entered on one the program was not told
 * of.  A call that finds nothing of that costs nothing.  What comes with a fault aborts, too: the thread may
 * have slept for the page.
 */
#include <asm/errno.h>
#include <linux/rseq.h>
#include <stddef.h>
#include "mem/mm_int.h"
#include "sig.h"
#include "sys.h"
#include "task.h"
#include "thread/thread.h"

#define RSEQ_ALIGN 32u
#define RSEQ_LEN 32u

struct sequence { /* struct rseq_cs */
    uint32_t version, flags;
    uint64_t start, length, abort;
};
_Static_assert(sizeof(struct sequence) == sizeof(struct rseq_cs), "rseq_cs layout");
_Static_assert(offsetof(struct rseq, cpu_id) == 4 && offsetof(struct rseq, rseq_cs) == 8,
               "rseq layout");

static int put_harts(uint64_t rseq, uint32_t start, uint32_t id)
{
    uint32_t both[2] = {start, id}; /* cpu_id_start, cpu_id */
    return mb_copy_out(rseq, both, sizeof(both));
}

/* What the pointer points at, if it is as it must be. */
static int get_sequence(const struct task *t, uint64_t at, struct sequence *q)
{
    uint32_t signature;
    if (at >= MM_TASK_END) {
        return -EINVAL;
    }
    if (mb_copy_in(q, at, sizeof(*q)) < 0) {
        return -EFAULT;
    }
    if (q->start >= MM_TASK_END || q->length >= MM_TASK_END - q->start || q->abort >= MM_TASK_END ||
        q->version > 0 || q->abort - q->start < q->length) {
        return -EINVAL;
    }
    if (mb_copy_in(&signature, q->abort - sizeof(signature), sizeof(signature)) < 0) {
        return -EFAULT;
    }
    return signature == t->rseq_signature ? 0 : -EINVAL;
}

static int abort_sequence(const struct task *t, struct nx_state *s)
{
    uint64_t at, none = 0;
    uint32_t flags;
    struct sequence q;
    if (mb_copy_in(&at, t->rseq + offsetof(struct rseq, rseq_cs), sizeof(at)) < 0) {
        return -EFAULT;
    }
    if (at == 0) {
        return 0;
    }
    int err = get_sequence(t, at, &q);
    if (err < 0) {
        return err;
    }
    bool inside = s->reg[0] - q.start < q.length;
    if (inside && mb_copy_in(&flags, t->rseq + offsetof(struct rseq, flags), sizeof(flags)) < 0) {
        return -EFAULT;
    }
    if (inside && (q.flags | flags) != 0) {
        return -EINVAL; /* the flags that once forbade it */
    }
    if (mb_copy_out(t->rseq + offsetof(struct rseq, rseq_cs), &none, sizeof(none)) < 0) {
        return -EFAULT;
    }
    if (inside) {
        s->reg[0] = q.abort;
    }
    return 0;
}

void rseq_interrupt(struct task *t)
{
    if (abort_sequence(t, current_state) < 0) {
        sig_force(SIGSEGV);
    }
}

void rseq_resume(struct task *t)
{
    if ((t->work & WORK_EXIT) != 0) {
        return;
    }
    uint32_t hart = (uint32_t)current_state->hart - 1;
    if (abort_sequence(t, current_state) < 0 || put_harts(t->rseq, hart, hart) < 0) {
        sig_force(SIGSEGV);
    }
}

void rseq_begin(struct task *t)
{
    /* Unknown first: that it moves between question and note is told on the way out. */
    current_state->hart = ~0ul;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    unsigned hart = mb_hart();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    current_state->hart = hart + 1;
    if (put_harts(t->rseq, hart, hart) < 0) {
        sig_force(SIGSEGV);
    }
}

void rseq_end(struct task *t)
{
    t->rseq = 0;
    current_state->hart = 0;
}

static long unregister(struct task *t, const uint64_t a[6])
{
    if ((int)a[2] != RSEQ_FLAG_UNREGISTER || t->rseq == 0 || t->rseq != a[0] ||
        (uint32_t)a[1] != RSEQ_LEN) {
        return -EINVAL;
    }
    if ((uint32_t)a[3] != t->rseq_signature) {
        return -EPERM;
    }
    if (put_harts(t->rseq, 0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED) < 0) {
        return -EFAULT;
    }
    rseq_end(t);
    return 0;
}

/* rseq, length, flags, signature */
long sys_rseq(const uint64_t a[6])
{
    struct task *t = current;
    if (((int)a[2] & RSEQ_FLAG_UNREGISTER) != 0) {
        return unregister(t, a);
    }
    if ((int)a[2] != 0) {
        return -EINVAL;
    }
    if (t->rseq != 0) {
        if (t->rseq != a[0] || (uint32_t)a[1] != RSEQ_LEN) {
            return -EINVAL;
        }
        return (uint32_t)a[3] != t->rseq_signature ? -EPERM : -EBUSY;
    }
    if (a[0] % RSEQ_ALIGN != 0 || (uint32_t)a[1] != RSEQ_LEN) {
        return -EINVAL;
    }
    if (a[0] > MM_TASK_END - RSEQ_LEN) {
        return -EFAULT;
    }
    t->rseq = a[0];
    t->rseq_signature = (uint32_t)a[3];
    rseq_begin(t);
    return 0;
}
