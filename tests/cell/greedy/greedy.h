/* Test cell "greedy": takes all it can get, and then asks for more.
 *
 *     main.c     which act is played in which life     hoard.c  pages, objects, fibers, until it is refused
 *     hog.c      the hart, without end                 brood.c  cells of its own, from an image it writes itself
 *     flood.c    requests and bells, without end
 *
 * Its even lives play one act each and never end by themselves; its odd ones rest, so that what an act has left
 * behind can be seen (tests/system/greedy.py, which ends them).  An act logs `does NAME`, and `WHAT refused after N:
 * error E` for what is refused to it.
 */
#ifndef GREEDY_H
#define GREEDY_H

#include <manifest/greedy.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#define SLOT_FREE 8u                  /* from here on nothing is in the slots */
#define ROOM (NX_FREE + 0x10000000ul) /* nothing is there */

/* None returns. */
void hoard_pages(void);
void hoard_objects(void);
void hoard_fibers(void);
void brood_cells(void);
void flood_requests(void);
void flood_busily(void);
void flood_bells(void);
void hog_loop(void);
void hog_period(void);

void refused(const char *what, unsigned long after, long error);
void nap(void); /* a moment, for whoever asks again and again and is no hog */
/* A fiber of the best tier, at number n: 0 .. MANIFEST_QUOTA_FIBERS - 2.  Its handle or an error. */
long start_fiber(unsigned n, void (*body)(uint64_t), uint64_t arg);

#endif
