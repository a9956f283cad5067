/* Objects and pages, counted, and the failures: everything that can fail for want of memory asks
 * fail_here(). */
#include "machine.h"

#include <execinfo.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts counts;
bool fail_paused;

static long left = -1; /* steps that still succeed; -1: all do */
static bool all_after, happened;
static void *where[16];
static int depth;

void fail_from(long n, bool all)
{
    left = n;
    all_after = all;
    happened = false;
}

void fail_stop(void)
{
    left = -1;
}

bool fail_happened(void)
{
    return happened;
}

bool fail_here(void)
{
    if (left < 0 || fail_paused) {
        return false;
    }
    if (left > 0) {
        left--;
        return false;
    }
    if (!happened) {
        depth = backtrace(where, 16);
    }
    happened = true;
    left = all_after ? 0 : -1;
    if (fiber_self() != NULL) {
        fiber_self()->failed++;
    }
    return true;
}

void fail_show(void)
{
    if (!happened) {
        fprintf(stderr, "    nothing was made to fail\n");
        return;
    }
    for (int i = 2; i < depth; i++) {
        char line[256];
        __sanitizer_symbolize_pc(where[i], "%f %s:%l", line, sizeof(line));
        fprintf(stderr, "    %s\n", line);
    }
}

struct counts counts_now(void)
{
    return counts;
}

void *mb_alloc(size_t n)
{
    void *p = fail_here() ? NULL : malloc(n != 0 ? n : 1);
    counts.objects += p != NULL;
    if (p != NULL) {
        memset(p, 0xa5, n);
    }
    return p;
}

void *mb_zalloc(size_t n)
{
    void *p = mb_alloc(n);
    return p != NULL ? memset(p, 0, n) : NULL;
}

void mb_free(void *p)
{
    counts.objects -= p != NULL;
    free(p);
}

void *mb_page(void)
{
    void *p = fail_here() ? NULL : aligned_alloc(MB_PAGE, MB_PAGE);
    if (p != NULL) {
        memset(p, 0, MB_PAGE);
        counts.pages++;
    }
    return p;
}

void mb_page_free(void *page)
{
    counts.pages -= page != NULL;
    free(page);
}

bool (*mb_reclaim_hook)(void);

uint64_t mb_pages_total(void)
{
    return 65536;
}

uint64_t mb_pages_free(void)
{
    return 65536 - counts.pages - counts.mapped;
}

uint64_t mb_heap_objects(void)
{
    return counts.objects;
}

void mb_trim(void)
{
}
