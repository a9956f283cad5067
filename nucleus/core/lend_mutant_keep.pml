/*
 * expect: fail
 * cc: -DSAFETY
 *
 * see lend.pml
 */
#define KEEP
#include "lend.pml"
