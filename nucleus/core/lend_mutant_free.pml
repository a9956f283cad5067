/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Nobody pays for what was run on a loan.
 */
#define FREE
#include "lend.pml"
