/* What every native cell has: its entry, its log, its end, its window.
 *
 * A cell is a folder with a manifest (nx/manifest.h) and a cell_main().  It starts with one fiber on a
 * 512 KiB stack; its capabilities are in the slots its manifest names.
 *
 * This is not for concurrent use: a cell with several fibers maps from one of them.
 */
#ifndef NEXUS_CELL_H
#define NEXUS_CELL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <nx/types.h>

/* The cell's own: its result is the exit code of the cell. */
int cell_main(const struct nx_cellinfo *info);

/* End the cell; its supervisor sees the code. */
_Noreturn void cell_exit(uint64_t code);

/* Exit code of a cell that found itself wrong: cell_panic(), a failed assert(). */
#define CELL_EXIT_PANIC 1

/* Lines for the log, which knows the cell's name and generation.  A text may have several lines; a line
 * longer than the nucleus takes is continued in the next.  Level: NX_LOG_*; cell_log is NX_LOG_INFO,
 * cell_panic NX_LOG_CRIT.  Never waits. */
void cell_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cell_log_at(unsigned level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cell_vlog(unsigned level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
_Noreturn void cell_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The end of a cell that cannot open its channel at `slot`.  Rings that make no sense it tells its
 * supervisor of, who puts them in order for the next life. */
_Noreturn void cell_no_channel(unsigned slot, const char *what, int e);

/* Map all of the memory, device or ring in `slot` into the window, at the next free place.
 * prot: NX_PROT_*.  *size is set when size is not NULL.  NULL on error, code in *err when not NULL. */
void *cell_map(unsigned slot, unsigned prot, size_t *size, int *err);

/* Demand-zero memory of the cell's own, readable and writable: `bytes` are rounded up to whole pages, each is charged to the
 * quota when it is first touched.  At the next free place of the window; an unmapped page lies before and behind it.
 * NULL on error, code in *err when not NULL.  It is the caller's until cell_unmap(). */
void *cell_anon(size_t bytes, int *err);

/* Give back what cell_map() or cell_anon() has answered, all of it: `bytes` as given to or answered by them.  The
 * addresses are not used again: for what comes and goes use malloc().  0 or -NX_E*. */
int cell_unmap(void *at, size_t bytes);

/* I go on.  A cell whose manifest has heartbeat_ms calls this at least that often, from wherever it would
 * no longer come by if it hung, or its supervisor ends it and starts it again.  No call to the nucleus
 * but the first time: a count in a page the supervisor looks at (nexus/beat.h).  So a cell with a heartbeat
 * never sleeps longer than that. */
void cell_beat(void);

/* Milliseconds as ticks of the time counter. */
uint64_t cell_ticks_of_ms(uint64_t ms);
/* The time, in ticks since the machine's counter was 0.  A deadline of `ms` from now is
 * cell_now() + cell_ticks_of_ms(ms). */
uint64_t cell_now(void);
/* Sleep for at least `ms` milliseconds. */
void cell_sleep_ms(uint64_t ms);

#endif
