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

/* ---- what native clients say of theirs (nexus/complaint.h): an event that any of them may ring, and a look at what stands in
 * their rings, not more often than they need ---- */

void complaint_init(void);
/* A cell that is made and not yet started, and uses something: let it ring. */
void complaint_give(const struct service *s);
/* The slots to watch, and when to look at the latest; looks when it is time. */
uint64_t complaint_watch(uint64_t *deadline);
/* This slot fired. */
void complaint_heard(long slot);

#endif
