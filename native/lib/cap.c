/* Slots for capabilities.  See nexus/cap.h. */
#include <nexus/beat.h>
#include <nexus/cap.h>
#include <nexus/complaint.h>
#include <nx/sys.h>
#include <string.h>

extern const struct nx_manifest manifest;

static uint64_t taken; /* 0: nobody has asked yet */

static unsigned slots_of(const struct nx_want *w)
{
    return w->kind == NX_WANT_USE ? 3 : w->kind == NX_WANT_SERVE ? 3 * w->clients : 1;
}

static uint64_t wanted(void)
{
    uint64_t mask = 1ul << NEXUS_BEAT_SLOT | 1ul << NEXUS_COMPLAINT_SLOT;
    for (uint32_t i = 0; i < manifest.want_count; i++) {
        const struct nx_want *w = &manifest.want[i];
        mask |= ((1ul << slots_of(w)) - 1) << w->slot;
    }
    return mask;
}

int cap_take(unsigned count)
{
    if (taken == 0) {
        taken = wanted();
    }
    for (unsigned slot = 0; count > 0 && slot + count <= NX_SLOTS && count < NX_SLOTS; slot++) {
        const uint64_t mask = ((1ul << count) - 1) << slot;
        if ((taken & mask) == 0) {
            taken |= mask;
            return (int)slot;
        }
    }
    return -NX_ENOMEM;
}

void cap_give(unsigned slot)
{
    nx_grant_drop(slot);
    taken &= ~(1ul << slot);
}

int bus_find(uint32_t kind, const char *interface)
{
    for (uint32_t i = 0; i < manifest.want_count; i++) {
        const struct nx_want *w = &manifest.want[i];
        if (w->kind == kind && strcmp(w->what, interface) == 0) {
            return (int)w->slot;
        }
    }
    return -NX_ENOENT;
}
