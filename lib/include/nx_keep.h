/* Which place of a full store the next record takes, so that nobody's flood pushes out what others
 * wrote.
 *
 * A store keeps records of several writers in a fixed number of places.  While it is full, a new record
 * takes the place of the oldest record of the writer that has most there ("longest queue first").  So a
 * writer that has no more than its even share (places / writers present) loses nothing, whatever the
 * others do, and a writer that is alone may use all of it.  The newest record of a writer is never the
 * one that goes, as long as there are more than twice as many places as writers.
 *
 * Records have numbers that only grow; a number that is not there is one that was lost.  This file
 * knows numbers and names, the records themselves lie in an array of the caller's beside `place`.
 *
 *      all:       oldest <-> ... <-> ... <-> newest         by number
 *      writer w:  oldest -> ... -> newest                   by number, the same places
 *
 * Not locked; no allocation.  The caller gives the arrays.
 */
#ifndef NX_KEEP_H
#define NX_KEEP_H

#include <stdint.h>

#define NX_KEEP_NAME 32u
#define NX_KEEP_NONE 0xffffu

struct nx_keep_place {
    uint64_t number;
    uint16_t older, newer; /* of all */
    uint16_t next;         /* newer one of the same writer */
    uint16_t writer;
};

struct nx_keep_writer {
    char name[NX_KEEP_NAME]; /* "": free, but for the last one, which is for those without one */
    uint64_t seq;            /* the caller's to count */
    uint16_t oldest, newest, count;
};

struct nx_keep {
    struct nx_keep_place *place;
    struct nx_keep_writer *writer;
    uint16_t places, writers;
    uint16_t oldest, newest;
    uint16_t free; /* the first free place; the others follow by `next` */
};

/* An empty store.  1 < writers, 2 * writers < places < NX_KEEP_NONE. */
void nx_keep_init(struct nx_keep *k, struct nx_keep_place *place, unsigned places,
                  struct nx_keep_writer *writer, unsigned writers);
/* Instead of that, for a store whose records are older than its lists: first this, then for each place
 * once, adopt what is in it, in order of numbers, or free it. */
void nx_keep_init_old(struct nx_keep *k, struct nx_keep_place *place, unsigned places,
                      struct nx_keep_writer *writer, unsigned writers);
void nx_keep_adopt(struct nx_keep *k, unsigned at, const char *name, uint64_t number);
void nx_keep_free(struct nx_keep *k, unsigned at);
/* The place for a record of this writer (name: at most 31 characters count) and this number, which is
 * greater than all before.  What was there is lost.  Never fails. */
unsigned nx_keep_add(struct nx_keep *k, const char *name, uint64_t number);
/* The writer of what is in a place. */
static inline struct nx_keep_writer *nx_keep_writer(const struct nx_keep *k, unsigned place)
{
    return &k->writer[k->place[place].writer];
}
/* The place of the record with this number, or of the oldest one after it; NX_KEEP_NONE. */
unsigned nx_keep_find(const struct nx_keep *k, uint64_t number);
/* The place after that one in order of numbers; NX_KEEP_NONE. */
static inline unsigned nx_keep_next(const struct nx_keep *k, unsigned place)
{
    return k->place[place].newer;
}

#endif
