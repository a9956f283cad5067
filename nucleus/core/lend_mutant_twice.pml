/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A second bell lends the same budget once more.
 */
#define TWICE
#include "lend.pml"
