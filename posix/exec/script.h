/* The first line of scripts: #!interpreter [argument].  A pure function on bytes. */
#ifndef POSIX_EXEC_SCRIPT_H
#define POSIX_EXEC_SCRIPT_H

#include <stddef.h>

#define SCRIPT_HEAD 256u /* Linux looks at so much of a file */

/* head: the first n <= SCRIPT_HEAD bytes, in a buffer of SCRIPT_HEAD + 1; it is cut into strings.
 * 0; -ENOEXEC: no script, or its line is no good.  *arg is NULL when there is none. */
int script_parse(char *head, size_t n, char **interp, char **arg);

#endif
