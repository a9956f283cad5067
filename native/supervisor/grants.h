/* What the supervisor gives to cells: devices and channels.  Each is made once, when first wanted, and
 * granted anew at every restart; the supervisor's own slots are never given back but for a channel that
 * is made anew. */
#ifndef SUPERVISOR_GRANTS_H
#define SUPERVISOR_GRANTS_H

#include "service.h"

/* The capabilities the nucleus gives the supervisor. */
#define SLOT_BUNDLE 0
#define SLOT_FDT 1
#define SLOT_MACHINE 2

/* A free slot of the supervisor's, or -NX_EFULL. */
int grants_slot(void);

void grants_init(const void *fdt);

/* Make what a cell's manifest serves and wants of devices, and connect what it uses.  Servers first.
 * What cannot be had is logged and stays missing. */
void grants_prepare(struct service *s);

/* Fill the slots of a cell that is made and not yet started. */
void grants_give(struct service *s);

/* Who is at the ends of the channel at `slot` of this cell; false when there is no such channel, or
 * nobody at its other end. */
bool grants_ends(const struct service *s, unsigned slot, struct service **server,
                 struct service **client);

/* Do the shared pages of that channel look as two honest sides leave them? */
bool grants_intact(const struct service *s, unsigned slot);

/* Make that channel anew: for the next lives of both sides. */
void grants_renew(const struct service *s, unsigned slot);

/* Does this cell use a console that somebody serves, with a device that is there? */
bool grants_console(const struct service *s);

/* Put a text on the console this cell uses, in its place: only while it is not running. */
void grants_say(const struct service *s, const char *text);

/* Wait until the servers have done with all that clients have sent, or make no progress any more. */
void grants_drain(void);

#endif
