/*
 * expect: fail
 * cc: -DSAFETY
 *
 * After an interrupt the latch is looked at before the lock is taken: a kick that comes in between waits for the next
 * trap of a program that is switched out now.
 */
#define EARLY_LOOK
#include "kick.pml"
