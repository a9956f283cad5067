/*
 * expect: fail
 * cc: -DSAFETY
 *
 * When a budget is used up only the line is looked at: with nobody in it who has lent the hart may wait for ever.
 */
#define BLIND_OVER
#include "handover.pml"
