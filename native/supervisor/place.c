/* See place.h. */
#include "place.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define KEY "nexus.place="

/* The n bytes at text are this word. */
static bool is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

enum nx_placement place_of(const char *bootargs, const struct nx_manifest *m)
{
    uint32_t place = m->placement;
    while (*bootargs != 0) {
        size_t word = strcspn(bootargs, " ");
        const char *end = bootargs + word;
        bool ours = word >= strlen(KEY) && memcmp(bootargs, KEY, strlen(KEY)) == 0;
        for (const char *at = bootargs + strlen(KEY); ours && at < end;) {
            size_t name = strcspn(at, ":, "), all = strcspn(at, ", ");
            const char *value = at + name + 1;
            size_t n = name < all ? all - name - 1 : 0;
            if (is(at, name, "all") || is(at, name, m->name)) {
                place = is(value, n, "fused")      ? NX_PLACE_FUSED
                        : is(value, n, "isolated") ? NX_PLACE_ISOLATED
                                                   : place;
            }
            at += all + 1;
        }
        bootargs = end + strspn(end, " ");
    }
    return place == NX_PLACE_FUSED ? NX_PLACE_FUSED : NX_PLACE_ISOLATED;
}
