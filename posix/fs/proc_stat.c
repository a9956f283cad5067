/* procfs: numbers of a process or thread: stat, status, statm, io. */
#include "fs/procfs.h"
#include "fd/fd_int.h"
#include "include/sig.h"
#include "include/trace.h"
#include "tty/tty.h"

#include <stdio.h>

typedef unsigned long ul;

static void signal_sets(const struct proc_who *w, uint64_t *ignored, uint64_t *caught)
{
    *ignored = *caught = 0;
    if (w->t == NULL || w->t->sighand == NULL) {
        return;
    }
    for (int i = 0; i < SIG_COUNT; i++) {
        uint64_t handler = w->t->sighand->action[i].handler;
        *ignored |= handler == KSIG_IGN ? SIG_BIT(i + 1) : 0;
        *caught |= handler != KSIG_DFL && handler != KSIG_IGN ? SIG_BIT(i + 1) : 0;
    }
}

static ul user_ticks(uint64_t ns)
{
    return (ul)(ns / NSEC_PER_USER_TICK);
}

int proc_show_stat(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err < 0) {
        return err;
    }
    struct process *p = w.p;
    const struct session *s = p->session;
    const struct tty *tty = s != NULL ? s->tty : NULL;
    uint64_t utime, stime, cutime, cstime, ignored, caught;
    process_times(p, &utime, &stime, &cutime, &cstime);
    signal_sets(&w, &ignored, &caught);
    text_printf(t, "%d (%s) %c %d %d %d %d %d 0 %lu %lu 0 0 ", w.id, w.comm, w.state,
                p->parent != NULL ? p->parent->pid : 0, p->pgid, s != NULL ? s->sid : 0,
                tty != NULL ? (int)tty->dev : 0, tty != NULL ? tty->pgrp : -1, (ul)p->min_flt,
                (ul)p->cmin_flt);
    text_printf(t, "%lu %lu %lu %lu %d %d %u 0 %lu %lu %lu %lu ", user_ticks(utime),
                user_ticks(stime), user_ticks(cutime), user_ticks(cstime), 20 + p->nice, p->nice,
                p->nthreads != 0 ? p->nthreads : 1, user_ticks(mb_ticks_to_ns(p->start_ticks)),
                w.t != NULL ? (ul)process_vsize(p) : 0, w.t != NULL ? (ul)process_resident(p) : 0,
                (ul)p->rlimit[5][0]);
    text_printf(t, "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d 0 %d %d 0 0 0 ",
                proc_secret(&w, w.mm.code_start), proc_secret(&w, w.mm.code_end),
                proc_secret(&w, w.mm.stack_top),
                w.t != NULL ? (ul)(w.t->sigpending & 0x7fffffff) : 0,
                w.t != NULL ? (ul)(w.t->sigmask & 0x7fffffff) : 0, (ul)(ignored & 0x7fffffff),
                (ul)(caught & 0x7fffffff), p->exit_signal, w.t != NULL ? w.t->sched_prio : 0,
                w.t != NULL ? w.t->sched_policy : 0);
    text_printf(t, "%lu %lu %lu %lu %lu %lu %lu %d\n", proc_secret(&w, w.mm.data_start),
                proc_secret(&w, w.mm.data_end), proc_secret(&w, w.mm.brk_start),
                proc_secret(&w, w.mm.arg_start), proc_secret(&w, w.mm.arg_end),
                proc_secret(&w, w.mm.env_start), proc_secret(&w, w.mm.env_end),
                procfs_may_look(p) ? p->exit_status : 0);
    return 0;
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "R (running)";
    case 'S':
        return "S (sleeping)";
    case 'D':
        return "D (disk sleep)";
    case 'T':
        return "T (stopped)";
    case 't':
        return "t (tracing stop)";
    case 'Z':
        return "Z (zombie)";
    default:
        return "X (dead)";
    }
}

/* Where it may run, as a mask and as a list. */
static void put_harts(struct text *t, const struct task *who)
{
    unsigned n = mb_harts();
    ul all = n >= 64 ? ~0ul : (1ul << n) - 1, mask = who != NULL ? who->affinity & all : all;
    text_printf(t, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", mask);
    const char *comma = "";
    for (unsigned i = 0; i < n; i++) {
        unsigned last = i;
        if ((mask >> i & 1) == 0) {
            continue;
        }
        while (last + 1 < n && (mask >> (last + 1) & 1) != 0) {
            last++;
        }
        text_printf(t, last > i ? "%s%u-%u" : "%s%u", comma, i, last);
        comma = ",";
        i = last;
    }
    text_printf(t, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

static size_t fill_signals(void *ctx, char *buf, size_t n)
{
    return proc_status_signals(ctx, buf, n);
}

int proc_show_status(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err < 0) {
        return err;
    }
    const struct process *p = w.p;
    const struct cred *c = w.cred;
    text_printf(t, "Name:\t%s\n", w.comm);
    if (w.t != NULL && w.t->fs != NULL) {
        text_printf(t, "Umask:\t%04o\n", w.t->fs->umask);
    }
    text_printf(t, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
                state_name(w.state), p->pid, w.id, p->parent != NULL ? p->parent->pid : 0,
                w.t != NULL && w.t->trace != NULL ? w.t->trace->tracer->proc->pid : 0);
    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->ruid, c->euid, c->suid,
                c->fsuid, c->rgid, c->egid, c->sgid, c->fsgid);
    text_printf(t, "FDSize:\t%u\nGroups:\t",
                w.t != NULL && w.t->files != NULL ? w.t->files->cap : 0);
    for (unsigned i = 0; c->groups != NULL && i < c->groups->count; i++) {
        text_printf(t, "%u ", c->groups->gid[i]);
    }
    text_printf(t, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->pid, w.id, p->pgid,
                p->session != NULL ? p->session->sid : 0);
    if (w.t != NULL && w.t->mm != NULL) {
        ul size = (ul)(process_vsize(p) / 1024), rss = (ul)(process_resident(p) * (MB_PAGE / 1024));
        ul page = MB_PAGE / 1024, peak = (ul)p->max_rss * page;
        text_printf(t,
                    "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n"
                    "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n"
                    "RssShmem:\t%8lu kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\n"
                    "VmExe:\t%8lu kB\nVmLib:\t%8u kB\nVmSwap:\t%8u kB\n",
                    size, size, (ul)w.mm.locked_pages * page, 0, peak > rss ? peak : rss, rss, rss,
                    0ul, 0ul, (ul)w.mm.data_pages * page, (ul)w.mm.stack_pages * page,
                    (ul)w.mm.text_pages * page, 0, 0);
    }
    text_printf(t, "Threads:\t%u\n", p->nthreads != 0 ? p->nthreads : 1);
    text_fill(t, fill_signals, w.p);
    text_printf(t,
                "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n"
                "CapAmb:\t%016lx\nNoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n",
                (ul)c->inheritable, (ul)c->permitted, (ul)c->effective, (ul)c->bounding,
                (ul)c->ambient, w.t != NULL && w.t->no_new_privs);
    put_harts(t, w.t);
    text_printf(t, "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
    return 0;
}

int proc_show_statm(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err < 0) {
        return err;
    }
    if (w.t == NULL || w.t->mm == NULL) {
        text_printf(t, "0 0 0 0 0 0 0\n");
        return 0;
    }
    text_printf(t, "%lu %lu 0 %lu 0 %lu 0\n", (ul)(process_vsize(w.p) / MB_PAGE),
                (ul)process_resident(w.p), (ul)w.mm.text_pages,
                (ul)(w.mm.data_pages + w.mm.stack_pages));
    return 0;
}

/* What was moved by read and write and their kin; devices are not told apart. */
int proc_show_io(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err = proc_who(ino, &w);
    if (err < 0) {
        return err;
    }
    if (!procfs_may_look(w.p)) {
        return -EACCES;
    }
    const struct io_account *io = &w.p->io;
    text_printf(t,
                "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: 0\nwrite_bytes: 0\n"
                "cancelled_write_bytes: 0\n",
                (ul)io->bytes[0], (ul)io->bytes[1], (ul)io->calls[0], (ul)io->calls[1]);
    return 0;
}
