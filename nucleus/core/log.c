/* Log, Boot Error Buffer, console messages, panic.  See log.h. */
#include "log.h"

#include "event.h"
#include "fiber.h"
#include "hart.h"
#include "watchdog.h"

#include <nx_base.h>
#include <nx_keep.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINES 256u
#define BEB_SIZE 128u
#define WRITERS 60u
#define LAST_LINES 6u /* of the log, shown when nothing goes on */

static struct nx_log log_line[LOG_LINES];
static struct nx_keep_place log_place[LOG_LINES];
static struct nx_keep_writer log_writer[WRITERS];
static struct nx_keep log_keep;
static uint64_t log_next;
bool log_to_console;

static struct nx_beb beb[BEB_SIZE];
static struct nx_keep_place beb_place[BEB_SIZE];
static struct nx_keep_writer beb_writer[WRITERS];
static struct nx_keep beb_keep;
static uint64_t beb_next;

static struct event *watcher;

static int format(char *buf, size_t n, const char *fmt, va_list ap)
{
    int len = vsnprintf(buf, n, fmt, ap);
    return len < 0 ? 0 : NX_MIN(len, (int)n - 1);
}

void console_print(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = format(line, sizeof(line), fmt, ap);
    va_end(ap);
    arch_console_write(line, (size_t)n);
}

/* Nobody calls before the first line is written, so that is where the stores begin. */
static struct nx_log *log_new(const char *writer, uint32_t generation, unsigned level)
{
    if (log_keep.places == 0) {
        nx_keep_init(&log_keep, log_place, LOG_LINES, log_writer, WRITERS);
    }
    unsigned at = nx_keep_add(&log_keep, writer, log_next);
    struct nx_log *l = &log_line[at];
    *l = (struct nx_log){
        .number = log_next++,
        .time = arch_time(),
        .seq = ++nx_keep_writer(&log_keep, at)->seq,
        .generation = generation,
        .level = (uint8_t)level,
    };
    strncpy(l->cell, writer, sizeof(l->cell) - 1);
    return l;
}

static int log_text(const struct nx_log *l, char *buf, size_t n)
{
    unsigned long long time = l->time;
    return l->generation == 0 ? snprintf(buf, n, "%llu %.*s\n", time, (int)l->len, l->text)
                              : snprintf(buf, n, "%llu %s.%u: %.*s\n", time, l->cell, l->generation,
                                         (int)l->len, l->text);
}
#define LINE_MAX (NX_LOG_TEXT + 80u) /* what log_text makes */

static void grown(void)
{
    if (watcher != NULL) {
        event_signal(&watcher->to);
    }
}

static void log_done(const struct nx_log *l)
{
    char line[LINE_MAX];
    if (log_to_console) {
        arch_console_write(line, (size_t)log_text(l, line, sizeof(line)));
    }
    grown();
}

void log_print(const char *fmt, ...)
{
    struct nx_log *l = log_new("nucleus", 0, NX_LOG_INFO);
    va_list ap;
    va_start(ap, fmt);
    l->len = (uint16_t)format(l->text, sizeof(l->text), fmt, ap);
    va_end(ap);
    log_done(l);
}

void log_add(const struct cell *c, unsigned level, const char *line, size_t n)
{
    struct nx_log *l = log_new(c->name, c->generation, level);
    l->len = (uint16_t)NX_MIN(n, sizeof(l->text));
    memcpy(l->text, line, l->len);
    log_done(l);
}

uint64_t log_end(void)
{
    return log_next;
}

bool log_read(uint64_t first, struct nx_log *out)
{
    unsigned at = log_keep.places != 0 ? nx_keep_find(&log_keep, first) : NX_KEEP_NONE;
    if (at == NX_KEEP_NONE) {
        return false;
    }
    *out = log_line[at];
    return true;
}

void log_watch(struct event *e)
{
    struct event *before = watcher;
    if (e != NULL) {
        object_ref(&e->obj);
    }
    watcher = e;
    if (before != NULL) {
        object_unref(&before->obj);
    }
}

static struct nx_beb *beb_new(enum nx_beb_kind kind, const struct cell *c)
{
    if (beb_keep.places == 0) {
        nx_keep_init(&beb_keep, beb_place, BEB_SIZE, beb_writer, WRITERS);
    }
    struct nx_beb *b = &beb[nx_keep_add(&beb_keep, c->name, beb_next)];
    *b = (struct nx_beb){
        .time = arch_time(),
        .kind = kind,
        .hart = this_hart()->index,
        .generation = c->generation,
        .number = beb_next++,
    };
    memcpy(b->cell, c->name, sizeof(b->cell) - 1);
    return b;
}

void beb_add(enum nx_beb_kind kind, const struct fiber *f, uint64_t arg0, uint64_t arg1)
{
    struct nx_beb *b = beb_new(kind, f->cell);
    b->fiber = (uint32_t)f->handle;
    b->arg0 = arg0;
    b->arg1 = arg1;
    grown();
}

void beb_add_cell(enum nx_beb_kind kind, const struct cell *c, uint64_t arg0, uint64_t arg1)
{
    struct nx_beb *b = beb_new(kind, c);
    b->arg0 = arg0;
    b->arg1 = arg1;
    grown();
}

void beb_cell_dead(const struct cell *c)
{
    beb_add_cell(NX_BEB_CELL_DEAD, c, c->end.why, c->end.code);
}

uint64_t beb_end(void)
{
    return beb_next;
}

bool beb_read(uint64_t first, struct nx_beb *out)
{
    unsigned at = beb_keep.places != 0 ? nx_keep_find(&beb_keep, first) : NX_KEEP_NONE;
    if (at == NX_KEEP_NONE) {
        return false;
    }
    *out = beb[at];
    return true;
}

_Noreturn void boot_stop(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    (void)format(line, sizeof(line), fmt, ap);
    va_end(ap);
    console_print("\nnexus: cannot start: %s\n", line);
    arch_halt();
}

_Noreturn void give_up(const char *why)
{
    char line[LINE_MAX];
    struct nx_log l;
    uint64_t next = log_next > LAST_LINES ? log_next - LAST_LINES : 0;
    arch_console_write("\n", 1);
    for (; log_read(next, &l); next = l.number + 1) {
        arch_console_write(line, (size_t)log_text(&l, line, sizeof(line)));
    }
    console_print("nexus: cannot go on: %s\n", why);
    watchdog_end(false);
}

_Noreturn void panic(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    (void)format(line, sizeof(line), fmt, ap);
    va_end(ap);
    console_print("\nnexus: panic on hart %u: %s\n", this_hart()->index, line);
    arch_backtrace((uint64_t)__builtin_return_address(0), (uint64_t)__builtin_frame_address(0));
    watchdog_end(false);
}
