/* syslog(2), which dmesg uses: the System Truth Ledger as lines of Linux' kernel log,
 *
 *     <LEVEL>[SECONDS.MICROSECONDS] CELL.GENERATION: TEXT
 *
 * Only root may (as with Linux' kernel.dmesg_restrict).  What goes to the console is not ours to say:
 * those actions succeed and change nothing. */
#include <asm/errno.h>
#include <stdio.h>
#include <string.h>

#include "fs/stl.h"
#include "fs/inode.h"
#include "proc.h"
#include "sys.h"

enum {
    ACTION_CLOSE,
    ACTION_OPEN,
    ACTION_READ,
    ACTION_READ_ALL,
    ACTION_READ_CLEAR,
    ACTION_CLEAR,
    ACTION_CONSOLE_OFF,
    ACTION_CONSOLE_ON,
    ACTION_CONSOLE_LEVEL,
    ACTION_SIZE_UNREAD,
    ACTION_SIZE_BUFFER
};

#define BUFFER (1 << 18) /* what is said of the size: about what logd keeps */
#define LINE (NEXUS_STL_TEXT + 128)

static uint64_t read_cursor, clear_cursor;
static uint64_t read_off; /* bytes of the line at read_cursor that were read */

static int line_of(const struct stl_record *r, char *line)
{
    const unsigned long us = r->head.time_ns / 1000;
    return snprintf(line, LINE, "<%u>[%5lu.%06lu] %s.%u: %.*s\n", r->head.level, us / 1000000,
                    us % 1000000, r->head.cell, r->head.generation, (int)r->head.len, r->text);
}

/* Bytes of all lines from `cursor` on. */
static long size_from(uint64_t cursor)
{
    struct stl_record r;
    char line[LINE];
    long sum = 0;
    int e;
    while ((e = stl_read(&cursor, &r, STL_END_STOP)) > 0) {
        sum += line_of(&r, line);
    }
    return e < 0 ? e : sum;
}

/* The newest whole lines that fit. */
static long read_all(uint64_t to, int len, uint64_t *end)
{
    struct stl_record r;
    char line[LINE];
    uint64_t cursor = clear_cursor;
    long skip = size_from(cursor), done = 0;
    int e;
    if (skip < 0) {
        return skip;
    }
    for (skip -= len; (e = stl_read(&cursor, &r, STL_END_STOP)) > 0; *end = cursor) {
        int n = line_of(&r, line);
        if (skip > 0) {
            skip -= n;
            continue;
        }
        if (n > len - done) {
            break; /* lines that came meanwhile */
        }
        if (mb_copy_out(to + (uint64_t)done, line, (size_t)n) != 0) {
            return -EFAULT;
        }
        done += n;
    }
    return e < 0 ? e : done;
}

/* As many bytes as there are and fit, at least one; nobody reads them again. */
static long read_on(uint64_t to, int len)
{
    struct stl_record r;
    char line[LINE];
    long done = 0;
    while (done < len) {
        uint64_t cursor = read_cursor;
        int e = stl_read(&cursor, &r, done == 0 ? STL_END_WAIT : STL_END_STOP);
        if (e <= 0) {
            return done > 0 ? done : e;
        }
        long n = line_of(&r, line);
        long off = r.lost == 0 && (long)read_off < n ? (long)read_off : 0;
        long part = n - off < len - done ? n - off : len - done;
        if (mb_copy_out(to + (uint64_t)done, line + off, (size_t)part) != 0) {
            return done > 0 ? done : -EFAULT;
        }
        done += part;
        if (off + part == n) {
            read_cursor = cursor;
            read_off = 0;
        } else {
            read_cursor = r.head.number;
            read_off = (uint64_t)(off + part);
        }
    }
    return done;
}

static long read_action(int action, uint64_t to, int len)
{
    uint64_t end = clear_cursor;
    if (to == 0 || len < 0) {
        return -EINVAL;
    }
    if (len == 0) {
        return 0;
    }
    if (action == ACTION_READ) {
        return read_on(to, len);
    }
    long n = read_all(to, len, &end);
    if (n >= 0 && action == ACTION_READ_CLEAR) {
        clear_cursor = end;
    }
    return n;
}

long sys_syslog(const uint64_t a[6])
{
    const int action = (int)a[0], len = (int)a[2];
    uint64_t end;
    long n;
    if (!capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN)) {
        return -EPERM;
    }
    if (action < ACTION_CLOSE || action > ACTION_SIZE_BUFFER) {
        return -EINVAL;
    }
    switch (action) {
    case ACTION_READ:
    case ACTION_READ_ALL:
    case ACTION_READ_CLEAR:
        return read_action(action, a[1], len);
    case ACTION_CLEAR:
        n = stl_end(&end);
        clear_cursor = n == 0 ? end : clear_cursor;
        return n;
    case ACTION_CONSOLE_LEVEL:
        return len < 1 || len > 8 ? -EINVAL : 0;
    case ACTION_SIZE_UNREAD:
        n = size_from(read_cursor);
        return n > (long)read_off ? n - (long)read_off : n < 0 ? n : 0;
    case ACTION_SIZE_BUFFER:
        return BUFFER;
    default:
        return 0;
    }
}
