/* See complaint.h. */
#include "complaint.h"
#include "link.h"

#include <nexus/control.h>
#include <nexus/exit.h>
#include <string.h>

/* The name in a request, which is a copy of ours: false when there is none. */
static bool read_name(const struct nx_slot *request, char *to, size_t size)
{
    const size_t n = request->buf_len;
    if ((request->flags & NX_SLOT_INLINE) == 0 || n == 0 || n >= size || n > NX_RING_PAYLOAD ||
        memchr(request->payload, 0, n) != NULL) {
        return false;
    }
    memcpy(to, request->payload, n);
    to[n] = 0;
    return true;
}

int complaint_hear(const struct service *client, const struct nx_slot *request)
{
    char what[sizeof(((struct nx_want *)0)->what)];
    if (!read_name(request, what, sizeof(what))) {
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
    const bool silent = request->type == NEXUS_CONTROL_COMPLAIN;
    s->accuser = client;
    /* when it takes long, its end is heard of */
    (void)service_kill(s, silent ? NEXUS_KILL_SILENT : NEXUS_KILL_DOUBTED, silent);
    return 0;
}
