/* See plan.h. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

static bool number(char *text, size_t size, const char *dot, unsigned n)
{
    size_t at = strlen(text);
    return snprintf(text + at, size - at, "%s%u", dot, n) < (int)(size - at);
}

bool plan_instance(const struct nx_manifest *m, unsigned n, struct nx_manifest *out)
{
    *out = *m;
    bool good = number(out->name, sizeof(out->name), "", n);
    for (unsigned i = 0; good && i < NX_MANIFEST_WANTS; i++) {
        struct nx_want *w = &out->want[i];
        if (w->kind == NX_WANT_SERVE) {
            good = number(w->what, sizeof(w->what), ".", n);
        }
    }
    return good;
}

const struct nx_want *plan_device(const struct nx_manifest *m)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        if (m->want[i].kind == NX_WANT_DEVMEM) {
            return &m->want[i];
        }
    }
    return NULL;
}

static bool served(const struct nx_manifest *const *cells, unsigned n, const bool *absent,
                   const char *what)
{
    for (unsigned c = 0; c < n; c++) {
        for (unsigned i = 0; !absent[c] && i < NX_MANIFEST_WANTS; i++) {
            const struct nx_want *w = &cells[c]->want[i];
            if (w->kind == NX_WANT_SERVE && strcmp(w->what, what) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool lacks(const struct nx_manifest *const *cells, unsigned n, const bool *absent,
                  unsigned c)
{
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &cells[c]->want[i];
        if (w->kind == NX_WANT_USE && (w->flags & NX_WANT_OPTIONAL) == 0 &&
            !served(cells, n, absent, w->what)) {
            return true;
        }
    }
    return false;
}

void plan_absent(const struct nx_manifest *const *cells, unsigned n, bool *absent)
{
    for (bool again = true; again;) {
        again = false;
        for (unsigned c = 0; c < n; c++) {
            if (!absent[c] && lacks(cells, n, absent, c)) {
                absent[c] = again = true;
            }
        }
    }
}

static bool same_want(const struct nx_want *a, const struct nx_want *b)
{
    return a->kind == b->kind && a->ring_slots == b->ring_slots && a->pool_pages == b->pool_pages &&
           a->clients == b->clients && a->device_id == b->device_id &&
           strcmp(a->what, b->what) == 0;
}

const char *plan_swap(const struct nx_manifest *from, const struct nx_manifest *to)
{
    if (strcmp(from->name, to->name) != 0) {
        return "the image has another name";
    }
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        if (!same_want(&from->want[i], &to->want[i])) {
            return "the image serves or wants something else";
        }
    }
    return NULL;
}

static char plain(char c)
{
    return c == '-' ? '_' : c;
}

bool plan_meant(const char *asked, const char *name)
{
    while (*asked != 0 && plain(*asked) == plain(*name)) {
        asked++;
        name++;
    }
    if (*asked != 0) {
        return false;
    }
    while (*name >= '0' && *name <= '9') {
        name++;
    }
    return *name == 0;
}
