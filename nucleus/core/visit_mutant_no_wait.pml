/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who takes the server out of its wait does not wait for the end of a visit.
 */
#define NO_WAIT
#include "visit.pml"
