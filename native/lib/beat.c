/* A cell's sign of life.  See nexus/cell.h and nexus/beat.h. */
#include <nexus/beat.h>
#include <nexus/cell.h>
#include <nx/types.h>

void cell_beat(void)
{
    static struct nexus_beat nowhere; /* for cells whose manifest asks for none */
    static volatile struct nexus_beat *page;
    if (page == NULL) {
        page = cell_map(NEXUS_BEAT_SLOT, NX_PROT_R | NX_PROT_W, NULL, NULL);
        if (page == NULL) {
            page = &nowhere;
        }
    }
    page->beats++;
}
