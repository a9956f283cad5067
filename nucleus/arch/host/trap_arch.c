/* host: in and out of the nucleus, as riscv64's trap.S and trap_arch.c do it. */
#include "call.h"
#include "local.h"
#include "../../core/sched.h" /* the host has a sched.h too */
#include "trap.h"
#include "visit.h"

#define CAUSE_FETCH_FAULT 12
#define CAUSE_LOAD_FAULT 13
#define CAUSE_STORE_FAULT 15

enum host_exit host_try(void (*body)(void *), void *arg)
{
    host.exit = HOST_RETURNED;
    if (setjmp(host.back) == 0) {
        body(arg);
    }
    if (nucleus_lock_word != 0) {
        host_bug("the nucleus was left with its lock taken");
    }
    return host.exit;
}

static _Noreturn void leave(enum host_exit how)
{
    host.exit = how;
    longjmp(host.back, 1);
}

_Noreturn void arch_resume(struct hart *h)
{
    if (h != this_hart() || h->fiber == NULL) {
        host_bug("hart %u resumes what is not its own", host.current);
    }
    arch_root_set(h->foreign != NULL ? h->fiber->foreign_root : h->fiber->host_root);
    leave(HOST_RESUMED);
}

_Noreturn void arch_resume_rooted(void)
{
    const struct hart *h = this_hart();
    uint64_t root = host.hart[host.current].root;
    if (h->fiber == NULL ||
        root != (h->foreign != NULL ? h->fiber->foreign_root : h->fiber->host_root)) {
        host_bug("hart %u resumes without its fiber's tables", host.current);
    }
    leave(HOST_RESUMED);
}

/* What another hart does meanwhile. */
void host_relax(void)
{
    const unsigned me = host.current;
    if (host.relax != NULL) {
        host.relax();
        host.current = me;
    }
}

_Noreturn void arch_resume_visit(void)
{
    const struct hart *h = this_hart();
    if (host.hart[host.current].root != h->visit->host_root) {
        host_bug("hart %u goes on in a visit without the tables of the server", host.current);
    }
    leave(HOST_RESUMED);
}

void arch_visit_over(void)
{
    host.visits_over++;
}

long arch_resume_call(long result)
{
    this_hart()->fiber->reg[10] = (uint64_t)result;
    arch_resume_rooted();
}

/* ---- interrupts ---- */
bool host_interrupt_pending(unsigned hart)
{
    const struct host_hart *h = &host.hart[hart];
    return h->ipi || h->deadline <= host.time || plic_pending(hart);
}

void arch_idle(void)
{
    const struct host_hart *h = &host.hart[host.current];
    if (nucleus_lock_word != 0) {
        host_bug("a hart idles with the lock taken");
    }
    if (host_interrupt_pending(host.current)) {
        return;
    }
    if (!host.idle_advances || h->deadline == NX_NEVER) {
        leave(HOST_IDLING);
    }
    host.time = h->deadline;
}

void arch_poll_interrupts(struct hart *h)
{
    struct host_hart *m = &host.hart[h->index];
    if (m->ipi) {
        m->ipi = false;
        sched_ipi();
    }
    if (m->deadline <= host.time) {
        sched_timer();
    }
    plic_claim();
}

static void enter_body(void *arg)
{
    arch_poll_interrupts(this_hart());
    sched_enter();
}

enum host_exit host_enter(void)
{
    return host_try(enter_body, NULL);
}

/* The tables user code of the hart runs in. */
static uint64_t user_root(const struct hart *h)
{
    return h->visit != NULL     ? h->visit->host_root
           : h->foreign != NULL ? h->fiber->foreign_root
                                : h->fiber->host_root;
}

static struct hart *user_hart(void)
{
    struct hart *h = this_hart();
    if (h->fiber == NULL) {
        host_bug("hart %u runs nothing", host.current);
    }
    if (host.hart[host.current].root != user_root(h)) {
        host_bug("hart %u runs in another address space than its fiber's", host.current);
    }
    return h;
}

static void interrupt_body(void *arg)
{
    struct hart *h = arg;
    arch_poll_interrupts(h);
    trap_return(h);
}

void host_interrupt(void)
{
    (void)host_try(interrupt_body, user_hart());
}

/* ---- system calls ---- */
struct call {
    uint64_t nr, arg[6];
    long result;
};

static void call_body(void *arg)
{
    struct call *c = arg;
    struct hart *h = this_hart();
    if (h->visit != NULL) {
        visit_call(h, h->fiber->reg[0]);
    }
    const bool serves = c->nr == NX_CALL_RECV && c->arg[0] != NX_RECV_WAIT && h->fiber->fused;
    c->result =
        serves ? call_serve(c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], c->arg[5])
        : c->nr < NX_CALL_COUNT
            ? call_table[c->nr](c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], c->arg[5])
            : -NX_ENOSYS;
    if (h->resched != 0) {
        h->fiber->reg[10] = (uint64_t)c->result;
        sched_reschedule();
    }
}

long host_call(uint64_t nr, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
               uint64_t a5)
{
    const struct hart *h = user_hart();
    const struct fiber *f = h->fiber;
    if (h->foreign != NULL) {
        host_bug("a foreign program makes a native call");
    }
    struct call c = {.nr = nr, .arg = {op, a1, a2, a3, a4, a5}};
    switch (host_try(call_body, &c)) {
    case HOST_RETURNED:
        return c.result;
    case HOST_RESUMED:
        return h->fiber == f && h->foreign == NULL ? (long)f->reg[10] : HOST_SWITCHED;
    default:
        return HOST_SWITCHED;
    }
}

/* As visit.S does it. */
long host_visit(uint64_t slot)
{
    struct hart *h = user_hart();
    const struct fiber *f = h->fiber;
    if (h->visit != NULL) {
        (void)host_call(NX_CALL_SEND, 0, 0, 0, 0, 0, 0);
        return HOST_SWITCHED;
    }
    struct fiber *s = slot < NX_SLOTS && f->odd == 0 ? f->cell->open[slot] : NULL;
    if (s == NULL || s->hart != h) {
        return -NX_EBUSY;
    }
    if (nucleus_lock_word != 0) {
        host_bug("a visit begins while a hart has the lock");
    }
    h->visit = s;
    h->guest[0] = f->reg[0];
    h->guest[1] = f->reg[2];
    for (unsigned i = 0; i < 2; i++) {
        h->guest[2 + i] = f->reg[8 + i];
    }
    for (unsigned i = 0; i < 10; i++) {
        h->guest[4 + i] = f->reg[18 + i];
    }
    arch_root_write(s->host_root);
    return 0;
}

void host_visit_end(void)
{
    struct hart *h = user_hart();
    arch_root_write(h->fiber->host_root);
    h->visit = NULL;
}

void host_foreign_call(void)
{
    struct hart *h = user_hart();
    if (h->foreign == NULL) {
        host_bug("a foreign call in host mode");
    }
    h->foreign = NULL;
    h->fiber->reg[10] = NX_LEAVE_SYSCALL;
    arch_root_set(h->fiber->host_root);
}

/* ---- exceptions ---- */
struct exception {
    uint64_t cause, addr;
    unsigned access; /* 0: no page fault */
};

static void exception_body(void *arg)
{
    const struct exception *e = arg;
    struct hart *h = this_hart();
    if (e->access != 0) {
        trap_fault(h, e->addr, e->access, e->cause);
    } else {
        trap_other(h, e->cause, e->addr);
    }
    trap_return(h);
}

void host_exception(uint64_t cause, uint64_t addr)
{
    struct exception e = {.cause = cause, .addr = addr};
    (void)user_hart();
    (void)host_try(exception_body, &e);
}

void *host_access(uint64_t va, unsigned access)
{
    const struct hart *h = user_hart();
    const struct fiber *f = h->fiber;
    const struct nx_state *foreign = h->foreign;
    uint64_t pc = f->reg[0];
    struct exception e = {
        .cause = access == NX_PROT_X   ? CAUSE_FETCH_FAULT
                 : access == NX_PROT_R ? CAUSE_LOAD_FAULT
                                       : CAUSE_STORE_FAULT,
        .addr = va,
        .access = access,
    };
    for (unsigned tries = 0; tries < 8; tries++) {
        void *p = mmu_look(va, access);
        if (p != NULL) {
            return p;
        }
        (void)host_try(exception_body, &e);
        if (h->fiber != f || h->foreign != foreign || f->reg[0] != pc) {
            return NULL;
        }
    }
    host_bug("address %#lx faults for ever", (unsigned long)va);
}

static void fp_body(void *arg)
{
    trap_fp(arg);
    trap_return(arg);
}

bool host_fp(uint64_t *value, bool write)
{
    struct hart *h = user_hart();
    const struct fiber *f = h->fiber;
    struct host_hart *m = &host.hart[host.current];
    if (h->foreign == NULL) {
        host_bug("floating point in host mode");
    }
    if (!m->fp_on) {
        (void)host_try(fp_body, h);
        if (h->fiber != f || h->foreign == NULL) {
            return false;
        }
    }
    if (write) {
        m->fp = *value;
        m->fp_dirty = true;
    } else {
        *value = m->fp;
    }
    return true;
}
