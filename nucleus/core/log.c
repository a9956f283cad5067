/* Log ring, Boot Error Buffer, console messages, panic.  See log.h. */
#include "log.h"

#include "fiber.h"
#include "hart.h"
#include "watchdog.h"

#include <nx_base.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_SIZE 16384u
#define BEB_SIZE 128u
#define TAIL 512u /* of the log, shown when nothing goes on */

static char text[LOG_SIZE];
static uint64_t text_end;
bool log_to_console;
static struct nx_beb beb[BEB_SIZE];
static uint64_t beb_next;

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

void log_print(const char *fmt, ...)
{
    char line[320];
    int head = snprintf(line, sizeof(line), "%llu ", (unsigned long long)arch_time());
    va_list ap;
    va_start(ap, fmt);
    int n = head + format(line + head, sizeof(line) - 1 - (size_t)head, fmt, ap);
    va_end(ap);
    line[n++] = '\n';
    for (int i = 0; i < n; i++) {
        text[text_end++ % LOG_SIZE] = line[i];
    }
    if (log_to_console) {
        arch_console_write(line, (size_t)n);
    }
}

uint64_t log_end(void)
{
    return text_end;
}

size_t log_read(uint64_t *cursor, char *buf, size_t n)
{
    uint64_t oldest = text_end > LOG_SIZE ? text_end - LOG_SIZE : 0;
    size_t got = 0;
    for (*cursor = NX_MAX(*cursor, oldest); *cursor < text_end && got < n; ++*cursor) {
        buf[got++] = text[*cursor % LOG_SIZE];
    }
    return got;
}

static struct nx_beb *beb_new(enum nx_beb_kind kind, const struct cell *c)
{
    struct nx_beb *b = &beb[beb_next % BEB_SIZE];
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
}

void beb_add_cell(enum nx_beb_kind kind, const struct cell *c, uint64_t arg0, uint64_t arg1)
{
    struct nx_beb *b = beb_new(kind, c);
    b->arg0 = arg0;
    b->arg1 = arg1;
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
    uint64_t oldest = beb_next > BEB_SIZE ? beb_next - BEB_SIZE : 0;
    first = NX_MAX(first, oldest);
    if (first >= beb_next) {
        return false;
    }
    *out = beb[first % BEB_SIZE];
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
    char newest[TAIL + 1];
    uint64_t cursor = text_end > TAIL ? text_end - TAIL : 0;
    bool cut = cursor != 0;
    newest[log_read(&cursor, newest, TAIL)] = 0;
    const char *line = strchr(newest, '\n');
    line = cut && line != NULL ? line + 1 : newest;
    arch_console_write("\n", 1);
    arch_console_write(line, strlen(line));
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
