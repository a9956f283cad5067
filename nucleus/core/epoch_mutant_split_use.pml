/*
 * expect: fail
 * cc: -DSAFETY
 *
 * A use looks the object up in one critical section and does its work in another.
 */
#define SPLIT_USE
#include "epoch.pml"
