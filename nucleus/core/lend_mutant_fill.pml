/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Waiting on a loan fills it again.
 */
#define FILL
#include "lend.pml"
