/* The two pages that every program is given and all share: the vDSO (userland/vdso), an ELF image of functions it finds by
 * AT_SYSINFO_EHDR, and before it what they read (vvar.h).
 */
#include "mem/mm_int.h"

#include <asm/errno.h>
#include <string.h>
#include <vvar.h>

static struct pagevec *pages;
static struct vvar first; /* until there is the page */
static struct vvar *vvar = &first;

void vdso_clock(uint64_t ns_per_tick, int64_t realtime_offset)
{
    vvar->ns_per_tick = ns_per_tick;
    vvar->realtime_offset = realtime_offset;
}

int vdso_init(void)
{
    pages = pagevec_make(2);
    int err;
    char *data = pages ? pagevec_page(pages, 0, &err) : NULL;
    char *code = data ? pagevec_page(pages, 1, &err) : NULL;
    const size_t size = (uintptr_t)vdso_image_end - (uintptr_t)vdso_image;
    if (!code || size > MB_PAGE) {
        return -ENOMEM;
    }
    memcpy(code, vdso_image, size);
    vvar = (struct vvar *)data;
    *vvar = first;
    return 0;
}

struct pagevec *vdso_pages(void)
{
    return pages;
}
