/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who runs in host mode on another hart is not interrupted: it may be just past its look at the latch.
 */
#define NO_IPI_HOST
#include "kick.pml"
