/*
 * expect: fail
 * cc: -DSAFETY
 *
 * see lend.pml
 */
#define TWICE
#include "lend.pml"
