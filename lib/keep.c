/* A store shared fairly.  See nx_keep.h. */
#include <nx_keep.h>

#include <string.h>

void nx_keep_init_old(struct nx_keep *k, struct nx_keep_place *place, unsigned places,
                      struct nx_keep_writer *writer, unsigned writers)
{
    *k = (struct nx_keep){.place = place,
                          .writer = writer,
                          .places = (uint16_t)places,
                          .writers = (uint16_t)writers,
                          .oldest = NX_KEEP_NONE,
                          .newest = NX_KEEP_NONE,
                          .free = NX_KEEP_NONE};
    for (unsigned i = 0; i < writers; i++) {
        writer[i] = (struct nx_keep_writer){.oldest = NX_KEEP_NONE, .newest = NX_KEEP_NONE};
    }
}

void nx_keep_init(struct nx_keep *k, struct nx_keep_place *place, unsigned places,
                  struct nx_keep_writer *writer, unsigned writers)
{
    nx_keep_init_old(k, place, places, writer, writers);
    for (unsigned i = places; i > 0; i--) {
        nx_keep_free(k, i - 1);
    }
}

void nx_keep_free(struct nx_keep *k, unsigned at)
{
    k->place[at].next = k->free;
    k->free = (uint16_t)at;
}

/* Names come once and stay: a cell's next life is the same writer. */
static uint16_t writer_of(struct nx_keep *k, const char *name)
{
    const uint16_t last = k->writers - 1;
    if (k->newest != NX_KEEP_NONE) { /* mostly the one who wrote last */
        const uint16_t w = k->place[k->newest].writer;
        if (w != last && strncmp(k->writer[w].name, name, sizeof(k->writer[w].name) - 1) == 0) {
            return w;
        }
    }
    for (uint16_t i = 0; i < last; i++) {
        struct nx_keep_writer *w = &k->writer[i];
        if (w->name[0] == 0) {
            strncpy(w->name, name, sizeof(w->name) - 1);
            return w->name[0] != 0 ? i : last;
        }
        if (strncmp(w->name, name, sizeof(w->name) - 1) == 0) {
            return i;
        }
    }
    return last;
}

/* Take the oldest record of whoever has most. */
static uint16_t make_room(struct nx_keep *k)
{
    uint16_t most = 0;
    for (uint16_t i = 1; i < k->writers; i++) {
        most = k->writer[i].count > k->writer[most].count ? i : most;
    }
    struct nx_keep_writer *w = &k->writer[most];
    const uint16_t at = w->oldest;
    const struct nx_keep_place *p = &k->place[at];
    w->oldest = p->next;
    if (w->oldest == NX_KEEP_NONE) {
        w->newest = NX_KEEP_NONE;
    }
    w->count--;
    if (p->older != NX_KEEP_NONE) {
        k->place[p->older].newer = p->newer;
    } else {
        k->oldest = p->newer;
    }
    if (p->newer != NX_KEEP_NONE) {
        k->place[p->newer].older = p->older;
    } else {
        k->newest = p->older;
    }
    return at;
}

unsigned nx_keep_add(struct nx_keep *k, const char *name, uint64_t number)
{
    unsigned at = k->free;
    if (at != NX_KEEP_NONE) {
        k->free = k->place[at].next;
    } else {
        at = make_room(k);
    }
    nx_keep_adopt(k, at, name, number);
    return at;
}

void nx_keep_adopt(struct nx_keep *k, unsigned place, const char *name, uint64_t number)
{
    const uint16_t at = (uint16_t)place;
    const uint16_t writer = writer_of(k, name);
    struct nx_keep_writer *w = &k->writer[writer];
    k->place[at] = (struct nx_keep_place){.number = number,
                                          .older = k->newest,
                                          .newer = NX_KEEP_NONE,
                                          .next = NX_KEEP_NONE,
                                          .writer = writer};
    if (k->newest != NX_KEEP_NONE) {
        k->place[k->newest].newer = at;
    } else {
        k->oldest = at;
    }
    k->newest = at;
    if (w->newest != NX_KEEP_NONE) {
        k->place[w->newest].next = at;
    } else {
        w->oldest = at;
    }
    w->newest = at;
    w->count++;
}

unsigned nx_keep_find(const struct nx_keep *k, uint64_t number)
{
    unsigned found = NX_KEEP_NONE;
    /* From the newest back: readers are seldom far behind. */
    for (unsigned i = k->newest; i != NX_KEEP_NONE && k->place[i].number >= number;
         i = k->place[i].older) {
        found = i;
    }
    return found;
}
