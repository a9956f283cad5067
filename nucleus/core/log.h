/* The nucleus' log (text), the Boot Error Buffer (structured), and the last word: panic. */
#ifndef LOG_H
#define LOG_H

#include <nx/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cell;
struct fiber;

/* To the firmware's console: boot messages and panics only, drivers own the device afterwards. */
void console_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* To the log ring, a line with time. */
void log_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Boot argument `nexus.log=console`: the log goes to the firmware's console as well. */
extern bool log_to_console;
uint64_t log_end(void); /* bytes ever written */
/* Bytes of the log from *cursor (moved up to the oldest kept byte), which moves past them: their number. */
size_t log_read(uint64_t *cursor, char *buf, size_t n);

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
