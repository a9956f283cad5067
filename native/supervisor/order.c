/* See order.h. */
#include "order.h"

#include <stdbool.h>
#include <string.h>

static bool serves(const struct nx_manifest *m, const char *what)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        if (m->want[i].kind == NX_WANT_SERVE && strcmp(m->want[i].what, what) == 0) {
            return true;
        }
    }
    return false;
}

static bool placed(const unsigned *order, unsigned n, unsigned cell)
{
    for (unsigned i = 0; i < n; i++) {
        if (order[i] == cell) {
            return true;
        }
    }
    return false;
}

/* Does cell `c` use something of a cell that is not among the `done` placed ones? */
static bool waits(const struct nx_manifest *const *cells, unsigned n, unsigned c,
                  const unsigned *order, unsigned done)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &cells[c]->want[i];
        for (unsigned s = 0; w->kind == NX_WANT_USE && s < n; s++) {
            if (s != c && serves(cells[s], w->what) && !placed(order, done, s)) {
                return true;
            }
        }
    }
    return false;
}

void order_cells(const struct nx_manifest *const *cells, unsigned n, unsigned *order)
{
    unsigned done = 0, before;
    bool force = false;
    while (done < n) {
        before = done;
        for (unsigned c = 0; c < n; c++) {
            if (!placed(order, done, c) && (force || !waits(cells, n, c, order, done))) {
                order[done++] = c;
            }
        }
        force = done == before;
    }
}
