/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The new holder takes the short way, past those who wait still.
 */
#define FIBERS 3 /* of two, nobody would wait still */
#define ROUNDS 1
#define STRAYS 0
#define BARE_HAND_OVER
#include "lock.pml"
