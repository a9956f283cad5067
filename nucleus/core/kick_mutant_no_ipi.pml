/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who runs a program on another hart is not interrupted.
 */
#define NO_IPI
#include "kick.pml"
