/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who waits keeps the loan: it sleeps on it.
 */
#define KEEP
#include "lend.pml"
