/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The new index may still be in the store buffer when the waker looks at the sleep word.
 */
#define NO_WAKER_FENCE
#include "ring.pml"
