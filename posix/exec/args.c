/* See args.h; limits as on Linux: a string of 128 KiB, and all strings and pointers together a quarter
 * of the stack limit, at most 6 MiB, at least 128 KiB. */
#include "exec/args.h"

#include "task.h"

#include <asm/errno.h>
#include <linux/resource.h>
#include <string.h>

#define STRING_MAX 131072ul /* MAX_ARG_STRLEN, with the NUL */
#define TOTAL_MIN 131072ul
#define TOTAL_MAX (6ul << 20)
#define ROOM_FIRST 2048u
#define STRING_ROOM 256u /* tried first for a string of unknown length */
#define POINTERS 32u     /* of an array, read at once */

static void args_init(struct args *a)
{
    uint64_t limit = rlimit_soft(RLIMIT_STACK) / 4;
    limit = limit < TOTAL_MAX ? limit : TOTAL_MAX;
    *a = (struct args){.limit = limit > TOTAL_MIN ? limit : TOTAL_MIN};
}

void args_free(struct args *a)
{
    mb_free(a->text);
    mb_free(a->head);
    a->text = a->head = NULL;
}

static int make_room(struct args *a, size_t n)
{
    if (a->room - a->used >= n) {
        return 0;
    }
    size_t room = a->room ? a->room * 2 : ROOM_FIRST;
    while (room - a->used < n) {
        room *= 2;
    }
    char *more = mb_alloc(room);
    if (!more) {
        return -ENOMEM;
    }
    if (a->used) {
        memcpy(more, a->text, a->used);
    }
    mb_free(a->text);
    a->text = more;
    a->room = room;
    return 0;
}

static bool over_limit(const struct args *a)
{
    return a->used + ((size_t)a->argc + a->envc) * sizeof(uint64_t) > a->limit;
}

/* Append the string at a program's address. */
static int add_user(struct args *a, uint64_t addr)
{
    for (size_t room = STRING_ROOM;; room *= 2) {
        int err = make_room(a, room);
        if (err < 0) {
            return err;
        }
        room = a->room - a->used;
        room = room < STRING_MAX ? room : STRING_MAX;
        long len = mb_str_in(a->text + a->used, addr, room);
        if (len >= 0) {
            a->used += (size_t)len + 1;
            return over_limit(a) ? -E2BIG : 0;
        }
        if (len != -ENAMETOOLONG) {
            return (int)len;
        }
        if (room == STRING_MAX || a->used + room > a->limit) {
            return -E2BIG;
        }
    }
}

/* As many pointers as can be read at once: the array may end at the end of a mapping. */
static int read_pointers(uint64_t *to, uint64_t at, unsigned *n)
{
    uint64_t in_page = (MB_PAGE - at % MB_PAGE) / sizeof(uint64_t);
    *n = in_page == 0 ? 1 : in_page < POINTERS ? (unsigned)in_page : POINTERS;
    return mb_copy_in(to, at, *n * sizeof(uint64_t));
}

static int add_array(struct args *a, uint64_t at, uint32_t *count)
{
    uint64_t pointer[POINTERS];
    unsigned n;
    while (at) {
        if (read_pointers(pointer, at, &n) < 0) {
            return -EFAULT;
        }
        for (unsigned i = 0; i < n; i++) {
            if (!pointer[i]) {
                return 0;
            }
            ++*count;
            int err = add_user(a, pointer[i]);
            if (err < 0) {
                return err;
            }
        }
        at += n * sizeof(uint64_t);
    }
    return 0;
}

static int add_kernel(struct args *a, const char *s)
{
    size_t n = strlen(s) + 1;
    int err = make_room(a, n);
    if (err == 0) {
        memcpy(a->text + a->used, s, n);
        a->used += n;
    }
    return err;
}

static int no_argv0(struct args *a) /* Linux gives such a program an empty name */
{
    if (a->argc > 0) {
        return 0;
    }
    a->argc = 1;
    return add_kernel(a, "");
}

int args_copy(struct args *a, uint64_t argv, uint64_t envp)
{
    args_init(a);
    int err = add_array(a, argv, &a->argc);
    if (err == 0) {
        err = no_argv0(a);
    }
    a->env = a->used;
    return err < 0 ? err : add_array(a, envp, &a->envc);
}

int args_copy_kernel(struct args *a, const char *const argv[], const char *const envp[])
{
    int err = 0;
    args_init(a);
    for (; argv[a->argc] && err == 0; a->argc++) {
        err = add_kernel(a, argv[a->argc]);
    }
    if (err == 0) {
        err = no_argv0(a);
    }
    a->env = a->used;
    for (; envp[a->envc] && err == 0; a->envc++) {
        err = add_kernel(a, envp[a->envc]);
    }
    return err;
}

static int push_head(struct args *a, const char *s)
{
    size_t n = strlen(s) + 1;
    if (!a->head) {
        a->head = mb_alloc(ARGS_HEAD_MAX);
        if (!a->head) {
            return -ENOMEM;
        }
        a->head_at = ARGS_HEAD_MAX;
    }
    if (n > a->head_at) {
        return -E2BIG;
    }
    a->head_at -= n;
    memmove(a->head + a->head_at, s, n); /* s may be what was argv[0] until now */
    a->argc++;
    return 0;
}

static void pop_argv0(struct args *a)
{
    a->argc--;
    if (a->head && a->head_at < ARGS_HEAD_MAX) {
        a->head_at += strlen(a->head + a->head_at) + 1;
    } else {
        a->skip += strlen(a->text + a->skip) + 1;
    }
}

int args_script(struct args *a, const char *interp, const char *arg, const char *script)
{
    pop_argv0(a);
    int err = push_head(a, script);
    if (err == 0 && arg) {
        err = push_head(a, arg);
    }
    return err < 0 ? err : push_head(a, interp);
}

size_t args_head_len(const struct args *a)
{
    return a->head ? ARGS_HEAD_MAX - a->head_at : 0;
}

size_t args_len(const struct args *a)
{
    return args_head_len(a) + a->used - a->skip;
}
