/* execve(2), execveat(2), and the start of the first program.
 *
 * Everything that can fail is done before the point of no return, so a failed exec leaves the old
 * program as it was (the other threads of its group excepted, once they have been told to end).
 * The personality lock is held all through; only proc_exec_begin waits.
 */
#include "exec/exec_int.h"
#include "exec/script.h"

#include "fd/fd_int.h"
#include "linux_abi.h"
#include "path/path.h"
#include "proc/proc_int.h"
#include "sys.h"
#include "trace.h"

#include <linux/personality.h>
#include <stdio.h>
#include <string.h>

#define HEAD_READ 1024u /* first bytes of a file: header, program headers, or the #! line */
#define SCRIPTS_MAX 5

/* ---- which program ---- */

/* x->file is a script: its interpreter takes its place. */
static int follow_script(struct exec *x, char *head, size_t n)
{
    char *interp, *arg;
    int err = script_parse(head, n < SCRIPT_HEAD ? n : SCRIPT_HEAD, &interp, &arg);
    if (err < 0) {
        return err;
    }
    if (x->unreachable) {
        return -ENOENT; /* the interpreter could not open it */
    }
    struct file *f = NULL;
    err = args_script(&x->args, interp, arg, x->opened);
    if (err == 0) {
        err = vfs_open_exec(interp, &f);
    }
    if (err < 0) {
        return err;
    }
    file_unref(x->file);
    x->file = f;
    x->opened =
        x->args.head + x->args.head_at; /* interp's copy: the buffer it is in is used again */
    return 0;
}

/* Follow scripts until there is an ELF file, and parse it. */
static int find_program(struct exec *x)
{
    char head[HEAD_READ + 1];
    for (unsigned depth = 0; depth <= SCRIPTS_MAX; depth++) {
        long n = file_read_kernel(x->file, head, HEAD_READ, 0);
        if (n < 0) {
            return (int)n;
        }
        if (n >= 2 && head[0] == '#' && head[1] == '!') {
            int err = follow_script(x, head, (size_t)n);
            if (err < 0) {
                return err;
            }
            continue;
        }
        return exec_read_elf(x->file, (const uint8_t *)head, (size_t)n, &x->image);
    }
    return -ELOOP;
}

/* ---- the steps ---- */

long exec_randomize = 2;

static uint32_t personality_after(const struct exec *x)
{
    uint32_t p = current->proc->personality;
    return x->gains ? p & ~(uint32_t)PER_CLEAR_ON_SETID : p;
}

/* Build the new address space, bound while we write into it. */
static int build(struct exec *x)
{
    bool fixed = exec_randomize == 0 || (personality_after(x) & ADDR_NO_RANDOMIZE) != 0;
    x->mm = mm_make(!fixed);
    if (!x->mm) {
        return -ENOMEM;
    }
    int err = exec_load(x);
    if (err < 0) {
        return err;
    }
    struct task *t = current;
    struct mm *old = t->mm;
    t->mm =
        x->mm; /* so that faults of our own writing find their areas; nobody sees it: the lock */
    err = mm_bind(x->mm);
    if (err == 0) {
        err = exec_build_stack(x);
    }
    if (err == 0) {
        err = exec_clear_tails(x);
    }
    t->mm = old;
    return err;
}

static void start_registers(const struct exec *x)
{
    struct nx_state *s = current_state;
    state_fp_replace(s, false); /* by zeroes: what the last program left is not for this one */
    memset(s->reg, 0, sizeof(s->reg));
    memset(s->fp, 0, sizeof(s->fp));
    s->reg[0] = x->entry;
    s->reg[2] = x->sp;
    s->fcsr = 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void take_exe(struct process *p, struct file *f)
{
    process_drop_exe(p);
    p->exe = file_ref(f);
    file_deny_write(f); /* cannot fail: exec_file denies it already, until this exec is over */
}

static void commit(struct exec *x)
{
    struct task *t = current;
    struct mm *old = t->mm;
    /* The point of no return. */
    t->mm = x->mm;
    x->mm = NULL;
    take_exe(t->proc, x->file);
    bool readable = file_readable(x->file);
    exec_take_privileges(x);
    t->proc->personality = personality_after(x);
    proc_exec_commit(base_name(x->name), x->secure);
    t->proc->dumpable &= readable; /* nor through /proc */
    mm_unref(old);
    start_registers(x);
}

/* x->file is open, x->args are filled. */
static int exec_file(struct exec *x)
{
    struct task *t = current;
    int tid = t->tid;
    int err = find_program(x);
    if (err < 0) {
        return err;
    }
    err = exec_find_privileges(x);
    if (err == 0) {
        err = file_deny_write(x->file);
    }
    if (err < 0) {
        return err;
    }
    err = build(x);
    if (err == 0) {
        err = proc_exec_begin();
    }
    if (err == 0) {
        commit(x);
        trace_exec(t, tid);
    } else {
        mm_bind(t->mm);
    }
    file_allow_write(x->file);
    return err;
}

static void exec_end(struct exec *x)
{
    if (x->mm) {
        mm_unref(x->mm);
    }
    if (x->file) {
        file_unref(x->file);
    }
    args_free(&x->args);
}

/* ---- the calls ---- */

/* /dev/fd/N and /dev/fd/N/path, as Linux names what execveat opened. */
static int descriptor_name(int fd, const char *name, char *buf, size_t n)
{
    int len = snprintf(buf, n, name[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d", fd, name);
    return len < 0 || (size_t)len >= n ? -ENAMETOOLONG : 0;
}

static long exec_call(int dirfd, const char *name, uint64_t argv, uint64_t envp, unsigned flags)
{
    if (current->proc->too_many) {
        current->proc->too_many = false;
        if (current->user->tasks > current->proc->rlimit[ABI_RLIMIT_NPROC][0]) {
            return -EAGAIN;
        }
    }
    struct exec *x = mb_zalloc(sizeof(*x));
    char *long_name = NULL;
    int err = 0;
    if (!x) {
        return -ENOMEM;
    }
    x->name = x->opened = name;
    if (dirfd != AT_FDCWD && name[0] != '/') {
        long_name = mb_alloc(PATH_MAX);
        err = long_name ? descriptor_name(dirfd, name, long_name, PATH_MAX) : -ENOMEM;
        x->name = x->opened = long_name;
    }
    if (err == 0) {
        err = args_copy(&x->args, argv, envp);
    }
    if (err == 0) {
        err = exec_open(dirfd, name, flags, &x->file);
        x->unreachable = err == 0 && long_name && fd_cloexec(dirfd);
    }
    if (err == 0) {
        err = exec_file(x);
    }
    exec_end(x);
    mb_free(x);
    mb_free(long_name);
    return err;
}

long sys_execve(const uint64_t a[6])
{
    char *name;
    int err = name_get(a[0], &name);
    if (err < 0) {
        return err;
    }
    long r = exec_call(AT_FDCWD, name, a[1], a[2], 0);
    name_put(name);
    return r;
}

long sys_execveat(const uint64_t a[6])
{
    char *name;
    if (a[4] & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) {
        return -EINVAL;
    }
    int err = name_get(a[1], &name);
    if (err < 0) {
        return err;
    }
    long r = exec_call((int)a[0], name, a[2], a[3], (unsigned)a[4]);
    name_put(name);
    return r;
}

int exec_kernel(const char *path, const char *const argv[], const char *const envp[])
{
    struct exec *x = mb_zalloc(sizeof(*x));
    if (!x) {
        return -ENOMEM;
    }
    x->name = x->opened = path;
    int err = vfs_open_exec(path, &x->file);
    if (err == 0) {
        err = args_copy_kernel(&x->args, argv, envp);
    }
    if (err == 0) {
        err = exec_file(x);
    }
    exec_end(x);
    mb_free(x);
    return err;
}
