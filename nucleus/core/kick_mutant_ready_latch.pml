/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who waits for its turn in foreign mode gets the latch only, which nobody looks at when it goes on.
 */
#define READY_LATCH
#include "kick.pml"
