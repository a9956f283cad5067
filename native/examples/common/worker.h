/* What agent and worker agree on beside common/job.idl. */
#ifndef EXAMPLE_WORKER_H
#define EXAMPLE_WORKER_H

#define JOB_PRIMES 1u

enum worker_arg { WORKER_GOOD, WORKER_GREEDY, WORKER_WILD };

#endif
