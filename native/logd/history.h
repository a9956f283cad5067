/* The records logd keeps, in memory that outlives it.
 *
 * The memory holds an array of entries and nothing else; what links them (nx_keep.h) is made anew from
 * them by every life.  An entry is believed when its checksum is right: it is written last, so an entry
 * that was being written when logd died is a free place, and what it held is read again from the
 * nucleus.  Who keeps how much when it is full: nx_keep.h.
 */
#ifndef LOGD_HISTORY_H
#define LOGD_HISTORY_H

#include <nexus/stl.h>
#include <nx_keep.h>

struct history_entry {
    uint64_t sum;    /* of all that follows, up to the end of the text; 0: free */
    uint64_t source; /* number of the line or entry in the nucleus */
    struct nexus_stl head;
    char text[NEXUS_STL_TEXT];
};
_Static_assert(sizeof(struct history_entry) == 336, "history_entry layout");

#define HISTORY_PLACES 8192u /* at most, whatever the size of the memory */
#define HISTORY_WRITERS 64u

struct history {
    struct history_entry *entry;
    uint64_t next;                    /* number of the next record */
    uint64_t source[NEXUS_STL_KINDS]; /* number of the next line, of the next entry of the BEB */
    struct nx_keep keep;
    struct nx_keep_place place[HISTORY_PLACES];
    struct nx_keep_writer writer[HISTORY_WRITERS];
};

/* Take over what is in the memory: how many records, or -1 when it is too small to be used. */
int history_open(struct history *h, void *memory, size_t size);
/* Empty it; numbers go on. */
void history_forget(struct history *h);
/* Add what the nucleus has next of this kind.  head: all but number; text: head->len bytes (at most
 * NEXUS_STL_TEXT).  source: its number there; those skipped since the last one are counted as lost. */
void history_add(struct history *h, const struct nexus_stl *head, const char *text,
                 uint64_t source);
/* Write records from number *from on, whole ones, as nexus/stl.h says; *from moves behind them. */
size_t history_read(const struct history *h, uint64_t *from, uint8_t *buf, size_t n);

#endif
