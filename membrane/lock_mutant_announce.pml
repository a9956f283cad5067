/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The holder takes the short way and never finds the sleeper.
 */
#define NO_ANNOUNCE
#include "lock.pml"
