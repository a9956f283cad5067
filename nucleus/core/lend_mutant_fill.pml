/*
 * expect: fail
 * cc: -DSAFETY
 *
 * see lend.pml
 */
#define FILL
#include "lend.pml"
