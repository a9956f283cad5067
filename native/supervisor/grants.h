/* What a cell holds when it starts, by its manifest: devices, channels, memory.  What can be made
 * afresh is; channels and memory for DMA outlive their cells. */
#ifndef SUPERVISOR_GRANTS_H
#define SUPERVISOR_GRANTS_H

#include "service.h"

/* Claim the devices that a cell cannot do without, and those it would like.  False, with the reason in
 * s->missing: one is not there. */
bool grants_devices(struct service *s);

/* Make what it serves, and its memory.  False, with the reason in s->missing: that cannot be had. */
bool grants_make(struct service *s);

/* Connect it with those who serve what it uses.  False, with the reason in s->missing: one that it cannot
 * do without has no channel left. */
bool grants_connect(struct service *s);

/* Fill the slots of a cell that is made and not yet started. */
void grants_give(struct service *s);

/* It is dead: nothing of it goes on, and what its successor is to find zeroed is. */
void grants_take_back(struct service *s);

/* It has another image: what that wants and the one before did not. */
void grants_swapped(struct service *s);

#endif
