/* Page frames: allocation, reference counts, who pays.
 *
 * A frame is freed when its last reference goes.  References are page table entries and objects.
 * Frames come uninitialised; page_alloc_zero clears them.
 */
#ifndef PAGE_H
#define PAGE_H

#include "quota.h"

#include <stdbool.h>
#include <stdint.h>

/* Memory from base to end (physical); `frames` points to page_frames_size() bytes for the table. */
uint64_t page_frames_size(uint64_t base, uint64_t end);
void page_init(uint64_t base, uint64_t end, void *frames);
/* Hand a range to the allocator (whole pages inside it). */
void page_give(uint64_t from, uint64_t to);
/* Count a range that is in use already, and was not handed out (the boot bundle): every whole page of it
 * has one reference from now on, the caller's; q pays, whatever its limit. */
void page_keep(struct quota *q, uint64_t from, uint64_t to);

/* 0 when the machine or the quota (less `reserve` bytes) is exhausted. */
uint64_t page_alloc(struct quota *q, uint64_t reserve);
uint64_t page_alloc_zero(struct quota *q, uint64_t reserve);
/* Physically contiguous, zeroed. */
uint64_t page_alloc_contig(struct quota *q, uint64_t pages);
void page_ref(uint64_t pa);
void page_unref(uint64_t pa);
uint32_t page_refs(uint64_t pa);
/* Is pa memory with a reference count (no device, no hole)? */
bool page_known(uint64_t pa);
uint64_t page_free_count(void);
uint64_t page_total(void);

#endif
