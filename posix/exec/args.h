/* The strings of an execve: arguments and environment, on their way from the old program to the new.
 *
 *   head: strings put in front (interpreters of scripts)   |   text: argv, then envp, as copied
 *
 * They end up on the new stack as [head][text from `skip` on][name of the file].
 */
#ifndef POSIX_EXEC_ARGS_H
#define POSIX_EXEC_ARGS_H

#include <stddef.h>
#include <stdint.h>

#define ARGS_HEAD_MAX 8192u /* a path and some interpreters */

struct args {
    char *text;
    size_t used, room;
    size_t env;  /* where the environment begins in text */
    size_t skip; /* the old argv[0], replaced by what is in head */
    char *head;  /* NULL, or a buffer of ARGS_HEAD_MAX filled from its end */
    size_t head_at;
    uint32_t argc, envc;
    size_t limit; /* bytes for strings and pointers */
};

/* From the program's arrays (may be 0): 0, -E2BIG, -EFAULT, -ENOMEM.  args_free in any case. */
int args_copy(struct args *a, uint64_t argv, uint64_t envp);
int args_copy_kernel(struct args *a, const char *const argv[], const char *const envp[]);
void args_free(struct args *a);
/* argv[0] becomes interp, [arg,] script. */
int args_script(struct args *a, const char *interp, const char *arg, const char *script);
/* Length of all strings: head and text. */
size_t args_head_len(const struct args *a);
size_t args_len(const struct args *a);

#endif
