/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who came between the look and the clearing is forgotten.
 */
#define LATE_CLEAR
#include "lock.pml"
