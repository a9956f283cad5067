/*
 * expect: fail
 * cc: -DSAFETY
 *
 * grant looks whether the capability lives, and copies it later, with the epoch of then.
 */
#define SPLIT_GRANT
#include "epoch.pml"
