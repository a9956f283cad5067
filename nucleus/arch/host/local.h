/* host: what the files of this folder share. */
#ifndef LOCAL_H
#define LOCAL_H

#include "host.h"

/* The current hart's translation: where va is in memory; NULL: page fault. */
void *mmu_look(uint64_t va, unsigned access);
/* Claim one pending interrupt of the current hart and tell the nucleus. */
void plic_claim(void);
bool plic_pending(unsigned hart);

#endif
