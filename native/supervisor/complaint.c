/* See complaint.h. */
#include "complaint.h"
#include "link.h"

#include <nexus/control.h>
#include <nexus/exit.h>
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

int complaint_hear(const struct service *client, const uint8_t *name, size_t size, bool silent)
{
    char what[sizeof(((struct nx_want *)0)->what)];
    if (!read_name(name, size, what, sizeof(what))) {
        return -NX_EINVAL;
    }
    struct service *s = link_server(client, what);
    if (s == NULL) {
        return -NX_ENOENT;
    }
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
