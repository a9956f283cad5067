/* The records of the log there are, from the oldest on. The manifest: use log slot=log */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/stl.h>
#include <string.h>

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client logd;
    struct nexus_stl_read_answer answer = {.next = 0, .end = 1};
    const uint64_t deadline = cell_now() + cell_ticks_of_ms(10000);
    unsigned records = 0;
    int e = client_open(&logd, bus_find(NX_WANT_USE, "log"));
    while (e == 0 && answer.next < answer.end) {
        const struct nexus_stl_read ask = {.from = answer.next};
        e = nexus_stl_read(&logd, &ask, 0, 4096, &answer, deadline);
        /* The pool is the server's to change: copy a record, then look at it. */
        struct nexus_stl r;
        for (uint32_t at = 0; e == 0 && at + sizeof(r) <= answer.length; at += nexus_stl_size(&r)) {
            memcpy(&r, logd.pool + at, sizeof(r));
            records++;
        }
    }
    if (e != 0 || records == 0) {
        cell_panic("no log: error %d", -e);
    }
    cell_log("ok");
    return 0;
}
