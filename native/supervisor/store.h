/* What the supervisor keeps to hand out: rings and memory, on shelves (nucleus/core/shelf.h), because
 * its 64 slots are for what it listens to: one slot a cell.
 *
 * A place is >= 0; the functions that make one answer it, or -NX_E*.  Devices are not kept: their
 * capabilities are made afresh for every life. */
#ifndef SUPERVISOR_STORE_H
#define SUPERVISOR_STORE_H

#include <stddef.h>
#include <stdint.h>

/* The capabilities the nucleus gives the supervisor, and slots it uses for the time of one function. */
#define SLOT_BUNDLE 0
#define SLOT_FDT 1
#define SLOT_MACHINE 2
#define SLOT_SCRATCH 3
/* Its own end of the channel "control" (main.c): three slots. */
#define SLOT_CONTROL 4
/* A life that is made while the one before still runs. */
#define SLOT_NEXT 7
/* What clients that complain of their servers ring (complaint.h). */
#define SLOT_COMPLAINT 8
#define SLOT_FIRST 9

/* A slot for good, or -NX_EFULL. */
int store_slot(void);

int store_ring(uint32_t slots);
/* Zeroed memory, physically contiguous. */
int store_mem(uint64_t pages);
/* A new ring in place of an old one: 0, or an error and the place is empty. */
long store_ring_anew(int place, uint32_t slots);
/* Zeroed memory of up to 16 MiB in any pages, mapped at *at. */
int store_image(uint64_t pages, void **at);
/* Keep what is in SLOT_SCRATCH, which is empty afterwards. */
int store_scratch(void);
void store_drop(int place);

/* Copy what is in a place to a slot of a cell (NX_SELF: our own). */
long store_give(unsigned cell, int place, uint64_t dst, uint32_t rights);

/* Map it; NULL when that cannot be.  The supervisor hears nothing of a ring it only looks at. */
void *store_map(int place, unsigned prot, size_t *size);

#endif
