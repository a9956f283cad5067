/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A bell for who does not sleep is forgotten.
 */
#define NO_PENDING
#include "handover.pml"
