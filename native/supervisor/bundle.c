/* See bundle.h. */
#include "bundle.h"

#include <nx_base.h>
#include <string.h>

bool bundle_open(struct bundle *b, const void *bytes, size_t size)
{
    struct nx_bundle_head head;
    if (size < sizeof(head)) {
        return false;
    }
    memcpy(&head, bytes, sizeof(head));
    if (head.magic != NX_BUNDLE_MAGIC || head.version != 1 || head.size > size ||
        head.size < sizeof(head) ||
        head.count > (head.size - sizeof(head)) / sizeof(struct nx_bundle_entry)) {
        return false;
    }
    *b = (struct bundle){.base = bytes, .size = head.size, .count = head.count};
    return true;
}

bool bundle_part(const struct bundle *b, uint32_t i, struct bundle_part *out)
{
    struct nx_bundle_entry e;
    if (i >= b->count) {
        return false;
    }
    memcpy(&e, b->base + sizeof(struct nx_bundle_head) + i * sizeof(e), sizeof(e));
    if (memchr(e.name, 0, sizeof(e.name)) == NULL || e.offset % 4096 != 0 ||
        !nx_in_bounds(e.offset, e.size, b->size)) {
        return false;
    }
    *out = (struct bundle_part){.kind = e.kind, .offset = e.offset, .size = e.size};
    memcpy(out->name, e.name, sizeof(out->name));
    return true;
}
