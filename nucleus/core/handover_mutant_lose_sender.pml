/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The sender is not put in line.
 */
#define LOSE_SENDER
#include "handover.pml"
