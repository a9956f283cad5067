/* An agent: spawns workers with narrower rights and budgets than its own, hands out jobs, and collects typed answers.
 *
 * A worker is the cell `worker` of the boot bundle.  Its manifest bounds it (pages, energy, tier, classes of calls), the
 * nucleus holds it to that, and it is charged to the agent's own quota: an agent cannot give what it does not have.  It
 * holds one channel (interface "job", common/job.idl), and so can reach nobody but the agent.
 *
 * A worker may be bad: one here reaches for what it may not have and is refused, another faults and dies in the
 * middle of its job.  The agent hears of the end, puts the job back, and makes another worker in its place.  The result
 * is the same as if nothing had happened.
 */
#include "worker.h"

#include <idl/job.h>
#include <manifest/agent.h>
#include <nexus/bundle.h>
#include <nexus/cell.h>
#include <nexus/child.h>
#include <nx/sys.h>

#define WORKERS 3u
#define SLOT_JOB 0u /* of the worker: the first slot of its one want */
#define RING_SLOTS 8u
#define JOBS 12u
#define STEP 5000ul

enum state { OPEN, TAKEN, DONE };

static struct job {
    enum state state;
    uint64_t count, largest;
} jobs[JOBS];

static struct worker {
    struct nexus_server session;
    struct nx_slot backlog[8];
    struct nx_slot asks; /* a `take` that waits for work */
    struct child child;
    bool runs, waits;
    int job;        /* the one it has, or -1 */
    unsigned taken; /* jobs it has had */
} workers[WORKERS];

static const uint8_t *image;
static size_t image_size;
static unsigned deaths;

/* ---- jobs ---- */

static bool all_done(void)
{
    for (unsigned i = 0; i < JOBS; i++) {
        if (jobs[i].state != DONE) {
            return false;
        }
    }
    return true;
}

/* Nobody has two before everybody has had one. */
static bool fair(const struct worker *w)
{
    for (const struct worker *o = workers; o < workers + WORKERS; o++) {
        if (o->runs && o->taken == 0 && w->taken > 0) {
            return false;
        }
    }
    return true;
}

/* A piece of work for this worker, -NX_ENOENT when all is done, or NEXUS_LATER: others are still at theirs, and may die. */
static int take(void *ctx, const struct nx_slot *request, struct job_take_answer *answer)
{
    struct worker *w = ctx;
    for (unsigned i = 0; i < JOBS && fair(w); i++) {
        if (jobs[i].state == OPEN) {
            jobs[i].state = TAKEN;
            w->job = (int)i;
            w->taken++;
            *answer = (struct job_take_answer){
                .kind = JOB_PRIMES, .number = i, .from = i * STEP, .to = (i + 1) * STEP};
            return 0;
        }
    }
    return all_done() ? -NX_ENOENT : NEXUS_LATER;
}

static int done(void *ctx, const struct nx_slot *request, const struct job_done *ask)
{
    struct worker *w = ctx;
    if (w->job < 0 || ask->number != (uint64_t)w->job) {
        return -NX_EINVAL;
    }
    jobs[w->job] = (struct job){.state = DONE, .count = ask->count, .largest = ask->largest};
    w->job = -1;
    return 0;
}

/* ---- workers ---- */

static void hire(struct worker *w, enum worker_arg how)
{
    *w = (struct worker){.job = -1};
    int e = child_make(&w->child, image, image_size);
    if (e == 0) {
        e = child_channel(&w->child, SLOT_JOB, RING_SLOTS, 0);
        e = e == 0 ? server_open(&w->session, w->child.channel, 0, w->backlog, 8) : e;
        e = e == 0 ? server_hello(&w->session, NULL) : e;
        e = e == 0 ? child_start(&w->child, how) : e;
        w->runs = e == 0;
        if (e != 0) {
            child_free(&w->child);
        }
    }
    if (e != 0) {
        cell_panic("no worker: error %d", -e);
    }
}

/* It has ended: well, or its job is somebody else's now. */
static void bury(struct worker *w, const struct child_end *end)
{
    const bool well = end->why == NX_WHY_EXIT && end->code == 0;
    child_free(&w->child);
    w->runs = w->waits = false;
    if (w->job >= 0) {
        jobs[w->job].state = OPEN;
    }
    if (!well) {
        deaths++;
        cell_log("worker %u ended (%u, %lu): job %d goes to another", (unsigned)(w - workers),
                 end->why, (unsigned long)end->code, w->job);
        hire(w, WORKER_GOOD);
    }
}

/* True when something was answered: others may go on then. */
static bool serve(struct worker *w)
{
    static const struct job_ops ops = {.take = take, .done = done};
    bool progress = false;
    int e = 1;
    while (e == 1) { /* a worker asks one thing at a time */
        if (!w->waits) {
            e = server_take(&w->session, &w->asks);
        }
        if (e == 1) {
            w->waits = job_serve(&w->session, &w->asks, &ops, w) == NEXUS_LATER;
            progress |= !w->waits;
            e = w->waits ? 0 : 1;
        }
    }
    if (e < 0 || server_flush(&w->session) != 0) {
        nx_exit_kill(w->child.slot, 1); /* it broke its ring; its end is heard of like any other */
    }
    return progress;
}

/* Look after all of them until nothing is left to do; false when no worker is left. */
static bool work(void)
{
    bool any, progress;
    do {
        any = progress = false;
        for (struct worker *w = workers; w < workers + WORKERS; w++) {
            struct child_end end;
            if (w->runs) {
                progress |= serve(w);
            }
            if (w->runs && child_ended(&w->child, &end)) {
                bury(w, &end);
                progress = true;
            }
            any |= w->runs;
        }
    } while (progress);
    return any;
}

static void rest(void)
{
    uint64_t watch = 0;
    bool idle = true;
    for (struct worker *w = workers; w < workers + WORKERS; w++) {
        if (w->runs) {
            idle = idle && server_sleep_prepare(&w->session) == 0;
            watch |= server_watch(&w->session) | 1ul << w->child.slot;
        }
    }
    if (idle) {
        nx_recv_wait(watch, NX_NEVER);
    }
    for (struct worker *w = workers; w < workers + WORKERS; w++) {
        if (w->runs) {
            server_awake(&w->session);
        }
    }
}

static void find_image(void)
{
    struct bundle b;
    struct bundle_part part;
    size_t size;
    const uint8_t *bytes = cell_map(SLOT_ARCHIVE, NX_PROT_R, &size, NULL);
    if (bytes == NULL || !bundle_open(&b, bytes, size) ||
        !bundle_find(&b, "worker", NX_BUNDLE_CELL, &part)) {
        cell_panic("the boot bundle has no worker");
    }
    image = bytes + part.offset;
    image_size = part.size;
}

int cell_main(const struct nx_cellinfo *info)
{
    uint64_t count = 0, largest = 0;
    find_image();
    hire(&workers[0], WORKER_GOOD);
    hire(&workers[1], WORKER_GREEDY);
    hire(&workers[2], WORKER_WILD);
    while (work()) {
        rest();
    }
    for (unsigned i = 0; i < JOBS; i++) {
        count += jobs[i].count;
        largest = jobs[i].largest > largest ? jobs[i].largest : largest;
    }
    cell_log("%lu primes below %lu, the largest %lu; %u workers died", (unsigned long)count,
             JOBS * STEP, (unsigned long)largest, deaths);
    return 0;
}
