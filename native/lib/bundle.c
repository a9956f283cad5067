/* The boot bundle, and the archives (cpio, newc) in it.  See nexus/bundle.h. */
#include <nexus/bundle.h>

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

bool bundle_find(const struct bundle *b, const char *name, uint32_t kind, struct bundle_part *out)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (bundle_part(b, i, out) && out->kind == kind && strcmp(out->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A cpio entry: six characters of magic, thirteen fields of eight hexadecimal digits, the name with its NUL,
 * the data; name and data are padded so that what follows is at a multiple of four. */
#define CPIO_HEAD 110u
#define CPIO_SIZE 6u /* which field: of the data, of the name */
#define CPIO_NAME 11u

static bool hex(const uint8_t *digits, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        const unsigned c = digits[i];
        const unsigned letter = (c | 0x20) - 'a';
        if (c - '0' > 9 && letter > 5) {
            return false;
        }
        *value = *value << 4 | (c - '0' <= 9 ? c - '0' : letter + 10);
    }
    return true;
}

static uint64_t padded(uint64_t n)
{
    return (n + 3) & ~3ul;
}

const uint8_t *bundle_file(const struct bundle *b, const struct bundle_part *archive,
                           const char *path, size_t *size)
{
    const uint8_t *at = b->base + archive->offset;
    uint64_t left = archive->size;
    while (left >= CPIO_HEAD && memcmp(at, "070701", 6) == 0) {
        uint32_t length, name;
        if (!hex(at + 6 + 8 * CPIO_SIZE, &length) || !hex(at + 6 + 8 * CPIO_NAME, &name)) {
            return NULL;
        }
        const uint64_t data = padded(CPIO_HEAD + (uint64_t)name);
        if (data > left || padded(length) > left - data || name == 0 ||
            at[CPIO_HEAD + name - 1] != 0) {
            return NULL;
        }
        if (strcmp((const char *)at + CPIO_HEAD, path) == 0) {
            *size = length;
            return at + data;
        }
        at += data + padded(length);
        left -= data + padded(length);
    }
    return NULL;
}
