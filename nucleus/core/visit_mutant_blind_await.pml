/*
 * expect: fail
 * cc: -DSAFETY
 *
 * Who shuts a door says that he waits for a visit, whoever is being visited.
 */
#define BLIND_AWAIT
#include "visit.pml"
