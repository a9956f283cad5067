/*
 * cc: -DSAFETY -DCOLLAPSE
 *
 * Three fibers at the lock.
 */
#define FIBERS 3
#define ROUNDS 2
#define STRAYS 1
#include "lock.pml"
