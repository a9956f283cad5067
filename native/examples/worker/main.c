/* A worker: takes a job, does it, says what came out, until there is none left.
 *
 * It does not trust its agent's memory, and its agent does not trust it: what it may do is in its manifest, what it holds is
 * the one channel it was given.  The `arg` of its info page says how it behaves: WORKER_GREEDY reaches for what it
 * has no right to and WORKER_WILD writes to memory that is not there, to show what becomes of such a worker.
 */
#include "worker.h"

#include <idl/job.h>
#include <manifest/worker.h>
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nx/sys.h>

static int *volatile nowhere;

static bool prime(uint64_t n)
{
    for (uint64_t d = 2; d * d <= n; d++) {
        if (n % d == 0) {
            return false;
        }
    }
    return n >= 2;
}

static void count_primes(const struct job_take_answer *job, struct job_done *result)
{
    for (uint64_t n = job->from; n < job->to; n++) {
        if (prime(n)) {
            result->count++;
            result->largest = n;
        }
    }
}

/* More than it may: each of these is refused, and recorded in the Boot Error Buffer. */
static void reach_out(void)
{
    const long made = nx_make_event(60), slept = nx_tick_sleep(0);
    if (made >= 0 || slept >= 0) {
        cell_panic("the pledge does not hold: %ld, %ld", made, slept);
    }
    uint64_t pages = 0;
    while (cell_anon(NX_PAGE_SIZE, NULL) != NULL && pages < 100000) {
        pages++; /* costs nothing until it is touched */
    }
    cell_log("refused: an object %ld, sleep %ld; had addresses of %lu pages", made, slept,
             (unsigned long)pages);
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client agent;
    struct job_take_answer job;
    int e = client_open(&agent, SLOT_JOB);
    while (e == 0 && (e = job_take(&agent, &job, NX_NEVER)) == 0) {
        struct job_done result = {.number = job.number};
        if (info->arg == WORKER_GREEDY) {
            reach_out();
        } else if (info->arg == WORKER_WILD) {
            *nowhere = 1;
        }
        if (job.kind == JOB_PRIMES) {
            count_primes(&job, &result);
        }
        e = job_done(&agent, &result, NX_NEVER);
    }
    return e == -NX_ENOENT ? 0 : 1;
}
