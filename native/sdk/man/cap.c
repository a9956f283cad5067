/* Slots for capabilities: take one, make something in it, hand on a copy with fewer rights, give it back. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    const int event = cap_take(1), copy = cap_take(1);
    if (event < 0 || copy < 0 || nx_make_event(event) != 0) {
        cell_panic("no event");
    }
    /* The copy may signal, and not wait. */
    long e = nx_grant_copy(NX_SELF, event, copy, NX_R_SEND);
    e = e == 0 ? nx_send_bell(copy) : e;
    if (e != 0 || nx_recv_wait(1ul << event, cell_now() + cell_ticks_of_ms(1000)) != event) {
        cell_panic("no signal: error %ld", -e);
    }
    cap_give(copy);
    cap_give(event);
    if (bus_find(NX_WANT_USE, "nothing") != -NX_ENOENT) {
        cell_panic("this manifest wants nothing");
    }
    cell_log("ok");
    return 0;
}
