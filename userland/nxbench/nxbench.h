/*
 * nxbench: what the rows share. A row is one operation; its functions live in a file by subject.
 */
#ifndef NXBENCH_H
#define NXBENCH_H

#include <stdbool.h>
#include <stddef.h>

struct row {
    const char *name;
    const char *what;          /* the operation, in the words of the baseline's table */
    unsigned ops;              /* operations in one repetition */
    unsigned warm;             /* operations before the first one */
    unsigned reps;             /* the shortest of so many counts */
    void (*setup)(void);       /* may be NULL, like done */
    void (*run)(unsigned ops); /* not static inline: the loop is what is measured */
    void (*done)(void);
};

extern const struct row call_rows[], file_rows[], memory_rows[], ipc_rows[], process_rows[],
    disk_rows[], compute_rows[];

/* The row cannot go on: says why and ends it; the other rows are measured all the same. */
_Noreturn void fail(const char *what);

/* CLOCK_MONOTONIC in nanoseconds. */
unsigned long long now(void);

/* nxbench --time; the exit status. */
int time_command(char **argv);

/* This program's own file, for what executes it again. */
const char *own_path(void);

#endif
