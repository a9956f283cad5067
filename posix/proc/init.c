/* The first process: made from nothing, where all others are cloned.
 *
 * It starts in session and group 0, as on Linux: so it does not take the terminal by opening it, and
 * may found its own session.
 */
#include <string.h>
#include <tax.h>
#include "mm.h"
#include "proc_int.h"
#include "ptime.h"
#include "sig.h"
#include "vfs.h"

static struct pid nobody = {.nr = 0, .refs = 1};
static void (*init_body)(void);

static void first_program(void *arg)
{
    struct task *t = arg;
    mb_lock();
    mb_self()->task = t;
    init_body();
    thread_main(t);
}

static struct task *make_task(void)
{
    struct task *t = mb_zalloc(sizeof *t);
    if (!t)
        return NULL;
    t->pid = pid_make();
    t->user = user_get(0);
    t->files = files_make();
    t->fs = fsctx_make();
    t->sighand = sighand_make();
    t->mm = mm_make(true);
    if (!t->pid || !t->user || !t->files || !t->fs || !t->sighand || !t->mm)
        return NULL; /* the machine cannot start: nothing is given back */
    t->tid = t->pid->nr;
    t->state = 'R';
    t->alt_flags = SS_DISABLE;
    t->affinity = ~0ull;
    t->timer_slack = t->timer_slack_default = TIMER_SLACK;
    t->cred = (struct cred)CRED_ROOT;
    memcpy(t->comm, "init", sizeof "init");
    return t;
}

struct process *proc_make_init(void (*fn)(void))
{
    struct task *t = make_task();
    struct process *p = mb_zalloc(sizeof *p);
    if (!t || !p)
        return NULL;
    p->tax = tax_make();
    p->session = session_make(&nobody);
    if (!p->tax || !p->session)
        return NULL;
    p->pid = t->tid;
    p->start_ticks = mb_ticks();
    p->exit_signal = SIGCHLD;
    p->dumpable = true;
    memcpy(p->comm, t->comm, sizeof p->comm);
    rlimit_defaults(p);
    process_init_queues(p);
    process_found(p, t, NULL);
    pgrp_join(p, &nobody);
    init_body = fn;
    t->fiber = mb_fiber_start(first_program, t);
    return t->fiber ? p : NULL;
}
