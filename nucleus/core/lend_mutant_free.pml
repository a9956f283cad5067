/*
 * expect: fail
 * cc: -DSAFETY
 *
 * see lend.pml
 */
#define FREE
#include "lend.pml"
