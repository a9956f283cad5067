/* The nucleus' log and the Boot Error Buffer, and the last word: panic.
 *
 * Both are records in a fixed number of places, shared fairly among the cells that write (nx_keep.h):
 * one that floods loses its own oldest, not those of others.  Numbers count all that was ever written,
 * so a reader sees what is gone.  Writing never waits and never fails.
 *
 * Not here: a history longer than these places, and one stream of both; that is the cell logd's.
 */
#ifndef LOG_H
#define LOG_H

#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cell;
struct event;
struct fiber;

/* To the firmware's console: boot messages and panics only, drivers own the device afterwards. */
void console_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line of the nucleus' own, and one of a cell's: n <= NX_LOG_TEXT bytes. */
void log_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_add(const struct cell *c, unsigned level, const char *line, size_t n);
/* Boot argument `nexus.log=console`: the log goes to the firmware's console as well. */
extern bool log_to_console;
uint64_t log_end(void); /* lines ever written: the next one's number */
/* Line number `first`, or the oldest kept one after it; false when there is none. */
bool log_read(uint64_t first, struct nx_log *out);
/* Signal this event (referenced; NULL: none) whenever log or BEB grow. */
void log_watch(struct event *e);

void beb_add(enum nx_beb_kind kind, const struct fiber *f, uint64_t arg0, uint64_t arg1);
void beb_add_cell(enum nx_beb_kind kind, const struct cell *c, uint64_t arg0, uint64_t arg1);
void beb_cell_dead(const struct cell *c);
uint64_t beb_end(void); /* entries ever made */
/* Entry number `first`, or the oldest kept one after it; false when there is none. */
bool beb_read(uint64_t first, struct nx_beb *out);

/* A bug in the nucleus or a machine it cannot run on. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Not the nucleus' fault, but nothing can go on: the newest lines of the log, why, and the end. */
_Noreturn void give_up(const char *why);
/* The machine or its boot data is unusable: say it on the console and stop. */
_Noreturn void boot_stop(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Symbol of an address: name, and the offset into it; "?" when unknown. */
const char *symbol_name(uint64_t addr, uint64_t *off);

#endif
