/* See complaint.h. */
#include "complaint.h"
#include "link.h"
#include "store.h"

#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nexus/control.h>
#include <nexus/exit.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

/* The name as a text: false when there is none. */
static bool read_name(const uint8_t *name, size_t n, char *to, size_t size)
{
    if (n == 0 || n >= size || memchr(name, 0, n) != NULL) {
        return false;
    }
    memcpy(to, name, n);
    to[n] = 0;
    return true;
}

/* What is done about it: see native/idl/control.idl. */
static int judge(const struct service *client, struct service *s, bool silent)
{
    if (s->slot == NX_SELF) {
        return -NX_EPERM;
    }
    if (s->state != SERVICE_RUNNING) {
        return s->state == SERVICE_WAITING ? -NX_EBUSY : -NX_ENOENT;
    }
    if (service_now_ms() - s->born_ms < NEXUS_CONTROL_FAIR_MS) {
        return -NX_EBUSY;
    }
    s->accuser = client;
    /* when it takes long, its end is heard of */
    (void)service_kill(s, silent ? NEXUS_KILL_SILENT : NEXUS_KILL_DOUBTED, silent);
    return 0;
}

int complaint_hear(const struct service *client, const uint8_t *name, size_t size, bool silent)
{
    char what[sizeof(((struct nx_want *)0)->what)];
    if (!read_name(name, size, what, sizeof(what))) {
        return -NX_EINVAL;
    }
    struct service *s = link_server(client, what);
    return s != NULL ? judge(client, s, silent) : -NX_ENOENT;
}

/* ---- native clients' words ---- */

static bool works;         /* there is an event to be rung */
static bool rung;          /* and it was: looked at from now on */
static uint64_t next_look; /* ticks */

void complaint_init(void)
{
    works = nx_make_event(SLOT_COMPLAINT) == 0;
    if (!works) {
        cell_log("native clients cannot complain");
    }
}

void complaint_give(const struct service *s)
{
    if (works) {
        (void)nx_grant_copy(s->slot, SLOT_COMPLAINT, NEXUS_COMPLAINT_SLOT, NX_R_SEND);
    }
}

uint64_t complaint_watch(uint64_t *deadline)
{
    if (rung && cell_now() >= next_look) {
        next_look = cell_now() + cell_ticks_of_ms(NEXUS_COMPLAINT_MS);
        rung = link_words(judge); /* again, when one is about too young a life */
    }
    if (rung) {
        *deadline = NX_MIN(*deadline, next_look);
    }
    return works && !rung ? 1ul << SLOT_COMPLAINT : 0;
}

void complaint_heard(long slot)
{
    rung |= slot == SLOT_COMPLAINT;
}
