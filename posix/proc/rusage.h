/* struct rusage as programs have it, and how it is filled. */
#ifndef POSIX_RUSAGE_H
#define POSIX_RUSAGE_H

#include "ptime.h"

struct process;
struct krusage {
    struct ktimeval utime, stime;
    int64_t maxrss; /* KiB */
    int64_t ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals;
    int64_t nvcsw, nivcsw;
};
_Static_assert(sizeof(struct krusage) == 144, "struct rusage layout");

void rusage_both(const struct process *p, struct krusage *r); /* itself and its reaped children */

#endif
