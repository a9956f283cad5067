/* Process groups and sessions: membership, and what happens when a group is orphaned.
 *
 * A group is the list of its members, hung on the pid it is named after; each member holds a reference
 * to that pid.  A session is an object with a reference from every process in it.
 */
#include <asm/errno.h>
#include "proc.h"
#include "sig.h"
#include "tty/tty.h"

void pgrp_join(struct process *p, struct pid *pgrp)
{
    pid_ref(pgrp);
    p->pgrp = pgrp;
    p->pgid = pgrp->nr;
    p->pgrp_next = pgrp->members;
    p->pgrp_link = &pgrp->members;
    if (pgrp->members)
        pgrp->members->pgrp_link = &p->pgrp_next;
    pgrp->members = p;
}

void pgrp_leave(struct process *p)
{
    if (!p->pgrp)
        return;
    *p->pgrp_link = p->pgrp_next;
    if (p->pgrp_next)
        p->pgrp_next->pgrp_link = p->pgrp_link;
    struct pid *old = p->pgrp;
    p->pgrp = NULL;
    pid_unref(old);
}

struct session *session_make(struct pid *leader)
{
    struct session *s = mb_zalloc(sizeof *s);
    if (!s)
        return NULL;
    s->refs = 1;
    s->sid = leader->nr;
    s->pid = leader;
    pid_ref(leader);
    return s;
}

struct session *session_ref(struct session *s)
{
    s->refs++;
    return s;
}

void session_unref(struct session *s)
{
    if (!s || --s->refs)
        return;
    tty_session_gone(s);
    pid_unref(s->old_pgrp);
    pid_unref(s->pid);
    mb_free(s);
}

/* A group is orphaned when no member has a parent in another group of the same session: then nobody
 * is left who would continue it. */
bool pgrp_orphaned(const struct pid *pgrp, const struct process *without)
{
    for (const struct process *p = pgrp->members; p; p = p->pgrp_next) {
        if (p == without || p->zombie || !p->parent || p->parent == process_init())
            continue;
        if (p->parent->pgrp != pgrp && p->parent->session == p->session)
            return false;
    }
    return true;
}

static bool has_stopped(const struct pid *pgrp)
{
    for (const struct process *p = pgrp->members; p; p = p->pgrp_next)
        if (p->stopped)
            return true;
    return false;
}

/* `without` exits: with p itself, its own group may be orphaned by that; with its child p, that child's
 * group, of which `without` was the tie. */
void pgrp_check_orphaned(struct process *p, struct process *parent)
{
    const struct process *without = NULL;
    if (!parent) {
        parent = p->parent;
        without = p;
    }
    if (!p->pgrp || !parent || parent->pgrp == p->pgrp || parent->session != p->session)
        return;
    int pgid = p->pgid;
    if (pgrp_orphaned(p->pgrp, without) && has_stopped(p->pgrp)) {
        signal_pgrp(pgid, SIGHUP);
        signal_pgrp(pgid, SIGCONT);
    }
}
