/* A client's word that its server does not answer, or answers errors (NEXUS_CONTROL_COMPLAIN and _DOUBT,
 * nexus/control.h).
 *
 * Nobody but the client can know that a server which runs serves nobody, so it is believed - about servers it
 * uses, and no faster than one that is honest could find out: a life younger than NEXUS_CONTROL_FAIR_MS, and
 * a server that is not there, are not complained of.  What a liar can do is restart those servers, until
 * their policy holds them back, or twice a second when it lies about errors, which nobody is blamed for. */
#ifndef SUPERVISOR_COMPLAINT_H
#define SUPERVISOR_COMPLAINT_H

#include "service.h"

/* A name of `size` bytes; silent: it does not answer, else it answers errors.  The result: see native/idl/control.idl. */
int complaint_hear(const struct service *client, const uint8_t *name, size_t size, bool silent);

#endif
