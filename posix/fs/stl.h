/* Reading the System Truth Ledger: the stream of what cells said and did, kept by the cell logd.
 *
 * A reader is a cursor, the number of the record it wants next.  Without logd it gets what the nucleus
 * itself keeps: lines of the log only, and nobody is told of new ones. */
#ifndef POSIX_FS_STL_H
#define POSIX_FS_STL_H

#include "include/vfs.h"

#include <nexus/stl.h>

struct stl_record {
    struct nexus_stl head;
    char text[NEXUS_STL_TEXT];
    uint64_t lost; /* records between the cursor and this one that are gone */
};

enum stl_end { STL_END_WAIT, STL_END_AGAIN, STL_END_STOP };

/* The next record at *cursor, which moves behind it: 1.  At the end: waits, -EAGAIN, or 0.  Also waits
 * for logd to answer; -ERESTARTSYS when a signal ends that. */
int stl_read(uint64_t *cursor, struct stl_record *r, enum stl_end at_end);
/* Is there something at this cursor, as far as is known?  pt not NULL: be told when there is. */
bool stl_ready(uint64_t cursor, struct poll_table *pt);
/* The number the next record will have: 0, or an error as above. */
int stl_end(uint64_t *end);

/* The record as a line with its newline, at most STL_LINE bytes with the NUL: the length.
 *     [SECONDS.NANOSECONDS] CELL.GENERATION #SEQ: TEXT       a line of the log
 *     [SECONDS.NANOSECONDS] CELL.GENERATION !NUMBER: TEXT    an entry of the Boot Error Buffer
 * Before it, when records are lost there:
 *     [SECONDS.NANOSECONDS] -- N lost -- */
#define STL_LINE (NEXUS_STL_TEXT + 160)
int stl_line(const struct stl_record *r, char *line);

int stl_init(void); /* /Bus/log */

#endif
