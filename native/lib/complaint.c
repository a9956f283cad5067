/* A client's word about its server.  See nexus/complaint.h. */
#include <nexus/complaint.h>
#include <nx/fence.h>
#include <nx/sys.h>

static int say(struct nexus_client *c, enum nexus_complaint kind)
{
    volatile uint32_t *word = &c->ch.out.own_end->reserved[2 * kind];
    const uint32_t n = word[0] + 1;
    word[0] = n;
    word[1] = ~n;
    nx_fence_full();
    return (int)nx_send_bell(NEXUS_COMPLAINT_SLOT);
}

int client_complain(struct nexus_client *c)
{
    return say(c, NEXUS_COMPLAINT_SILENT);
}

int client_doubt(struct nexus_client *c)
{
    return say(c, NEXUS_COMPLAINT_ERRORS);
}
