/* What a scenario is written with: a C function that is a program, in /tmp, as root.
 *
 * sc(name, ...) makes a system call.  When memory was made to run out in it, it must have answered so; it is
 * then made again, with memory, and its result must be as good as ever: the call that failed changed nothing.
 * A scenario leaves nothing behind.  What is only done as well as memory allows (a record of an event, a short
 * count) is not asked for in a run that is strained().
 */
#ifndef NOMEM_SCENARIO_H
#define NOMEM_SCENARIO_H

#include "machine/machine.h"

#include <errno.h>
#include <string.h>

#include "linux_abi.h"
#include "sig.h"

struct scenario {
    const char *name;
    void (*fn)(void);
    bool alone; /* one failure a run: who runs out of memory is ended, one after the other */
};

#define sc(name, ...) sc_(__NR_##name, (const uint64_t[6]){__VA_ARGS__})
long sc_(unsigned nr, const uint64_t a[6]);

/* Of an expectation that fails the scenario's process ends, and the test. */
#define ok(call) ok_((call), #call, __FILE__, __LINE__)
#define is(value, want) is_((long)(value), (long)(want), #value, __FILE__, __LINE__)
long ok_(long result, const char *what, const char *file, int line);
void is_(long value, long want, const char *what, const char *file, int line);
bool strained(void);

/* Program memory; room() is there until the scenario ends. */
uint64_t room(size_t n);
void room_back(uint64_t at); /* what was taken since is not needed any more */
uint64_t text(const char *s);
uint64_t words(unsigned n, ...); /* n uint64_t */
void put(uint64_t addr, const void *buf, size_t n);
void get(uint64_t addr, void *buf, size_t n);
uint64_t get64(uint64_t addr);
int get32(uint64_t addr);
void put32(uint64_t addr, uint32_t value);
/* An access that may find no memory, which ends the process. */
void poke(uint64_t addr, uint32_t value);
uint32_t peek(uint64_t addr);

/* Processes: fork (or clone with flags) into fn, wait for its end: its wait status. */
long start(uint64_t flags, void (*fn)(void));
int end_of(long pid);
/* Wait until others have nothing left to do. */
void rest(void);

#define CWD ((uint64_t)AT_FDCWD)
#define AT(fn) ((uint64_t)(uintptr_t)(fn))
long open_at(const char *path, unsigned flags);
void make_file(const char *path, const char *content);
void gone(const char *path);
void shut(long fd);
/* All n bytes, whatever it takes. */
void write_all(long fd, uint64_t from, size_t n);

/* The scenarios, by subject; each list ends with a name that is NULL. */
extern const struct scenario scenarios_files[], scenarios_dirs[], scenarios_pipes[],
    scenarios_sockets[], scenarios_events[], scenarios_memory[], scenarios_processes[],
    scenarios_signals[], scenarios_ipc[], scenarios_terminals[], scenarios_system[];

/* ---- run.c ---- */
void machine_boot(void);
/* Run it as often as it takes; complaints. */
unsigned scenario_try(const struct scenario *s);

#endif
