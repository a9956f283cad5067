/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who is handed the hart gets a full budget: two that hand it to and fro keep it for ever.
 */
#define REFILL
#include "handover.pml"
