/* Private to the program nexus. */
#ifndef NEXUS_TOOL_H
#define NEXUS_TOOL_H

#include <stddef.h>

/* Exit statuses. */
enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* Have the supervisor carry out a command of n bytes (a line, and what belongs to it): its answer, with
 * a NUL behind, to be freed; NULL when there is none, and a message was written. */
char *bus_ask(const char *command, size_t n);

/* The same for a line made as by printf; NULL also when the answer is an error, which is written. */
char *bus_get(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* All of a file, to be freed; NULL, and a message was written.  `head` bytes are left free before it. */
char *file_read(const char *path, size_t head, size_t *size);

/* A number of an argument, from 0 to most; -1, and a message was written. */
long long number_arg(const char *text, long long most);

int top_main(int argc, char **argv);
int log_main(int argc, char **argv);
int sched_main(int argc, char **argv);

#endif
