/*
 * expect: fail
 * cc: -DSAFETY
 *
 * The predecessor died between publishing and ringing: the successor must.
 */
#define NO_ATTACH_BELL
#include "ring.pml"
