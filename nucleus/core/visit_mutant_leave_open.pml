/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who takes the server out of its wait leaves its door open.
 */
#define LEAVE_OPEN
#include "visit.pml"
