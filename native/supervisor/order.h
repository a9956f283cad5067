/* In which order cells are started: servers before those who use them. */
#ifndef SUPERVISOR_ORDER_H
#define SUPERVISOR_ORDER_H

#include <nx/manifest.h>

/* order[0..n): the numbers of the cells, 0..n-1.  Who needs what nobody serves is not held back; cells
 * that need one another go last, in the order given. */
void order_cells(const struct nx_manifest *const *cells, unsigned n, unsigned *order);

#endif
