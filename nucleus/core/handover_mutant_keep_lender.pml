/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who is put in line stays the lender: it would run twice.
 */
#define KEEP_LENDER
#include "handover.pml"
