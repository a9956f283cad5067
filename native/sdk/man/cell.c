/* What every cell has: the log, memory, time, its end. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <stdarg.h>
#include <string.h>

static void say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(NX_LOG_NOTICE, fmt, ap);
    va_end(ap);
}

int cell_main(const struct nx_cellinfo *info)
{
    const uint64_t start = cell_now();
    say("%s, generation %u", info->name, info->generation);

    /* A page of its own; demand-zero. */
    int e;
    char *text = cell_anon(100, &e);
    if (text == NULL) {
        cell_panic("no memory: error %d", -e);
    }
    memcpy(text, "a text", 7);

    /* A page that could be given to others: a memory object, which is mapped to be used. */
    const int slot = cap_take(1);
    size_t size;
    if (slot < 0 || nx_make_mem(slot, 2, 0) != 0) {
        cell_no_channel(slot, "memory", -NX_ENOMEM); /* ends the cell, as cell_panic does */
    }
    char *shared = cell_map(slot, NX_PROT_R | NX_PROT_W, &size, NULL);
    memcpy(shared, text, 7);
    cell_log("%s, %zu bytes", shared, size);

    cell_sleep_ms(5);
    cell_beat(); /* with `heartbeat` in the manifest: I go on */
    if (cell_now() - start < cell_ticks_of_ms(5)) {
        cell_log_at(NX_LOG_ERR, "the clock stands still");
        return 1;
    }
    cell_unmap(shared, size);
    cell_unmap(text, 100);
    cap_give(slot);
    cell_log("ok");
    cell_exit(0); /* as `return 0` */
}
