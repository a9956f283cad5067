/* Private to membrane/: sessions with services (nexus/session.h), which the main fiber looks after (serve.c).
 *
 * Requests are submitted from any fiber with the personality lock; their done functions run with it on
 * the main fiber. */
#ifndef MEMBRANE_SERVICE_H
#define MEMBRANE_SERVICE_H

#include "mb_int.h"

#include <nexus/session.h>

#define MB_SERVICES 4u

/* Look after this open session from now on.  lost: it broke, every request has ended. */
void mb_service_add(struct nexus_client *c, void (*lost)(struct nexus_client *c));

#endif
