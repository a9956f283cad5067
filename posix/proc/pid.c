/* Numbers of threads, processes, groups and sessions: one space of numbers, one object a number.
 *
 * A number is free again when nothing that bears it is left: so a group or session may outlive the
 * process that founded it without another process getting its number.
 * Numbers go up and wrap, so a number that was just freed stays unused for a while.
 */
#include <string.h>
#include "proc.h"

#define BUCKETS 1024u
#define PID_WRAP 300 /* after the first round, low numbers stay with long-lived processes */

static struct pid *bucket[BUCKETS];
static int last;
unsigned pid_max = PID_MAX;

static struct pid **slot_of(int nr)
{
    struct pid **at = &bucket[(unsigned)nr % BUCKETS];
    while (*at && (*at)->nr != nr)
        at = &(*at)->hash_next;
    return at;
}

struct pid *pid_find(int nr)
{
    return nr > 0 ? *slot_of(nr) : NULL;
}

struct pid *pid_make(void)
{
    int nr = last;
    for (int tries = 0; tries < PID_MAX; tries++) {
        nr = nr + 1 >= (int)pid_max ? PID_WRAP : nr + 1;
        struct pid **at = slot_of(nr);
        if (*at)
            continue;
        struct pid *p = mb_zalloc(sizeof *p);
        if (!p)
            return NULL;
        p->nr = last = nr;
        p->refs = 1;
        *at = p;
        return p;
    }
    return NULL;
}

void pid_ref(struct pid *p)
{
    p->refs++;
}

void pid_unref(struct pid *p)
{
    if (!p || --p->refs)
        return;
    *slot_of(p->nr) = p->hash_next;
    mb_free(p);
}

struct task *task_find(int tid)
{
    struct pid *p = pid_find(tid);
    return p ? p->task : NULL;
}

struct process *process_find(int pid)
{
    struct pid *p = pid_find(pid);
    return p ? p->proc : NULL;
}
