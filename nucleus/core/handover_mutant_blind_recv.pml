/*
 * expect: fail
 * cc: -DSAFETY
 *
 * recv does not look whether a bell has rung already.
 */
#define BLIND_RECV
#include "handover.pml"
