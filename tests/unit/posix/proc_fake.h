/* What the process code stands on, faked for host tests: one thread, a program memory of one array,
 * and a mb_park that runs the next step of the test's script.
 *
 * A test builds processes with fake_process(), makes one of their threads current with fake_run(), calls
 * handlers, and looks at queues, masks and wake-ups.  A call that blocks comes to mb_park: the test says
 * beforehand, with on_park(), what happens then (a signal is sent, a futex woken); with nothing left to
 * happen the fake fails the test, so that a call that would sleep for ever shows.
 */
#ifndef PROC_FAKE_H
#define PROC_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <devices.h>
#include <tax.h>

#include "exec.h"
#include "ipc/undo.h"
#include "mm.h"
#include "proc.h"
#include "proc/proc_int.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "tty/tty.h"
#include "vfs.h"

#define WNOHANG_ 1
#define WALL_ 0x40000000
#define MEM_BASE 0x10000ul
#define MEM_SIZE 0x10000ul

struct mm {
    unsigned refs;
};

static uint8_t fake_mem[MEM_SIZE];
static struct mb_fiber *fake_self;
static struct mb_fiber fake_fibers[64];
static struct nx_state fake_states[64];
static unsigned fake_fiber_count;
static struct mb_fiber *fake_woken[256];
static unsigned fake_wakes;
static int64_t fake_heap; /* live blocks */
static int fake_power = -1;
static jmp_buf fake_off;
uint64_t mb_host_time = 1000, mb_host_instret;

typedef void step(void);
static step *fake_steps[32];
static unsigned fake_step_head, fake_step_tail;

static void on_park(step *s)
{
    fake_steps[fake_step_head++ % 32] = s;
}

/* ---- the membrane ---- */

struct mb_fiber *mb_self(void)
{
    return fake_self;
}
void mb_lock(void)
{
}
void mb_lock_break(void)
{
}
void mb_unlock(void)
{
}
void mb_yield(void)
{
}
long mb_enter(void)
{
    return NX_LEAVE_KICK;
}
void mb_wake(struct mb_fiber *f)
{
    fake_woken[fake_wakes++ % 256] = f;
}
int mb_park(uint64_t deadline)
{
    if (fake_step_head != fake_step_tail) {
        struct mb_fiber *me = fake_self;
        step *s = fake_steps[fake_step_tail++ % 32];
        s();
        fake_self = me;
        return 0;
    }
    if (deadline == MB_NEVER)
        fail_msg("would sleep for ever");
    if (mb_host_time < deadline)
        mb_host_time = deadline;
    return -ETIMEDOUT;
}
/* The new fiber does not run: the test looks at what it was given. */
struct mb_fiber *mb_fiber_start(void (*fn)(void *), void *arg)
{
    if (fake_fiber_count == 64)
        return NULL;
    struct mb_fiber *f = &fake_fibers[fake_fiber_count];
    memset(f, 0, sizeof *f);
    f->state = &fake_states[fake_fiber_count++];
    memset(f->state, 0, sizeof *f->state);
    f->fn = fn;
    f->arg = arg;
    return f;
}
uint64_t mb_fiber_ticks(const struct mb_fiber *f)
{
    return f->stamp_ticks;
}
void mb_fp_save(void)
{
}
uint64_t mb_ticks(void)
{
    return mb_host_time;
}
uint64_t mb_ns_per_tick(void)
{
    return 1;
}
uint64_t mb_ticks_to_ns(uint64_t t)
{
    return t;
}
uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns < MB_NEVER - 1 ? ns : MB_NEVER - 1;
}
static void *mem_at(uint64_t a, size_t n)
{
    if (a < MEM_BASE || n > MEM_SIZE || a - MEM_BASE > MEM_SIZE - n)
        return NULL;
    return fake_mem + (a - MEM_BASE);
}
int mb_copy_in(void *dst, uint64_t src, size_t n)
{
    void *p = mem_at(src, n);
    if (!p)
        return -EFAULT;
    memcpy(dst, p, n);
    return 0;
}
int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    void *p = mem_at(dst, n);
    if (!p)
        return -EFAULT;
    memcpy(p, src, n);
    return 0;
}
int mb_zero_out(uint64_t dst, size_t n)
{
    void *p = mem_at(dst, n);
    if (!p)
        return -EFAULT;
    memset(p, 0, n);
    return 0;
}
long mb_str_in(char *dst, uint64_t src, size_t n)
{
    const char *p = mem_at(src, 1);
    if (!p)
        return -EFAULT;
    size_t len = strnlen(p, n);
    memcpy(dst, p, len < n ? len + 1 : n);
    return len < n ? (long)len : -ENAMETOOLONG;
}
int mb_load32(uint32_t *val, uint64_t addr)
{
    return mb_copy_in(val, addr, sizeof *val);
}
int mb_cas32(uint64_t addr, uint32_t expect, uint32_t want, uint32_t *old)
{
    if (mb_load32(old, addr))
        return -EFAULT;
    return *old == expect ? mb_copy_out(addr, &want, sizeof want) : 0;
}
void *mb_alloc(size_t n)
{
    fake_heap++;
    return malloc(n);
}
void *mb_zalloc(size_t n)
{
    fake_heap++;
    return calloc(1, n);
}
void mb_free(void *p)
{
    fake_heap -= p != NULL;
    free(p);
}
void mb_log(const char *fmt, ...)
{
    (void)fmt;
}
void mb_trim(void)
{
}
uint64_t mb_pages_total(void)
{
    return 65536;
}
uint64_t mb_pages_free(void)
{
    return 32768;
}
unsigned mb_harts(void)
{
    return 2;
}
unsigned mb_hart(void)
{
    return 1;
}
const char *mb_bootargs(void)
{
    return "";
}
int mb_space_bind(mb_space s)
{
    (void)s;
    return 0;
}
void mb_power_off(int status)
{
    fake_power = status;
    longjmp(fake_off, 1);
}
void (*mb_console_input_hook)(const void *buf, size_t n);
void (*mb_console_writable_hook)(void);
static char fake_console[65536];
static size_t fake_console_len, fake_console_room = sizeof fake_console;
size_t mb_console_write(const void *buf, size_t n)
{
    if (n > fake_console_room)
        n = fake_console_room;
    memcpy(fake_console + fake_console_len, buf, n);
    fake_console_len += n;
    fake_console_room -= n;
    return n;
}

/* A second line: there is none. */
void (*mb_hvc_input_hook)(const void *buf, size_t n);
void (*mb_hvc_writable_hook)(void);
bool mb_hvc_present(void)
{
    return false;
}
size_t mb_hvc_write(const void *buf, size_t n)
{
    return n;
}

/* ---- neighbours ---- */

struct mm *mm_make(bool random)
{
    struct mm *m = mb_zalloc(sizeof *m);
    m->refs = 1;
    return m;
}
struct mm *mm_ref(struct mm *m)
{
    m->refs++;
    return m;
}
void mm_unref(struct mm *m)
{
    if (--m->refs == 0)
        mb_free(m);
}
int sem_undo_clone(struct task *t, struct task *from, uint64_t flags)
{
    return 0;
}
void sem_undo_drop(struct task *t)
{
}
size_t mm_remote_read(struct mm *mm, uint64_t addr, void *buf, size_t n, bool force)
{
    return mb_copy_in(buf, addr, n) == 0 ? n : 0;
}
size_t mm_remote_write(struct mm *mm, uint64_t addr, const void *buf, size_t n, bool force)
{
    return mb_copy_out(addr, buf, n) == 0 ? n : 0;
}
struct mm *mm_clone(struct mm *from)
{
    (void)from;
    return mm_make(true);
}
int mm_bind(struct mm *m)
{
    (void)m;
    return 0;
}
int mm_fault(struct mm *m, uint64_t addr, uint64_t cause, struct mm_signal *out)
{
    (void)m, (void)addr, (void)cause, (void)out;
    return 0;
}
uint64_t mm_vdso_addr(const struct mm *m)
{
    (void)m;
    return 0x7000;
}
void vdso_clock(uint64_t ns_per_tick, int64_t realtime_offset)
{
    (void)ns_per_tick, (void)realtime_offset;
}
uint64_t mm_sigreturn_addr(const struct mm *m)
{
    (void)m;
    return 0x7000;
}
uint64_t mm_vsize(const struct mm *m)
{
    (void)m;
    return 4096;
}
uint64_t mm_resident(const struct mm *m)
{
    (void)m;
    return 1;
}
int mm_futex_key(struct mm *m, uint64_t addr, bool private_, struct mm_futex_key *key)
{
    if (!mem_at(addr, 4))
        return -EFAULT;
    key->object = private_ ? (const void *)m : fake_mem;
    key->offset = addr;
    return 0;
}
struct files {
    unsigned refs;
};
struct fsctx {
    unsigned refs;
};
struct files *files_make(void)
{
    struct files *f = mb_zalloc(sizeof *f);
    f->refs = 1;
    return f;
}
struct files *files_ref(struct files *f)
{
    f->refs++;
    return f;
}
struct files *files_copy(const struct files *f)
{
    (void)f;
    return files_make();
}
void files_unref(struct files *f)
{
    if (--f->refs == 0)
        mb_free(f);
}
void files_close_exec(struct files *f)
{
    (void)f;
}
struct fsctx *fsctx_make(void)
{
    struct fsctx *f = mb_zalloc(sizeof *f);
    f->refs = 1;
    return f;
}
struct fsctx *fsctx_ref(struct fsctx *f)
{
    f->refs++;
    return f;
}
struct fsctx *fsctx_copy(const struct fsctx *f)
{
    (void)f;
    return fsctx_make();
}
void fsctx_unref(struct fsctx *f)
{
    if (--f->refs == 0)
        mb_free(f);
}
/* Descriptors of everybody, for the files that calls make. */
static struct file *fake_fd[8];
void file_release_(struct file *f)
{
    if (f->ops && f->ops->release) {
        f->ops->release(f);
        mb_free(f);
    }
}
struct file *file_make_anon(const struct file_ops *ops, uint32_t mode, unsigned flags, void *priv)
{
    struct file *f = mb_zalloc(sizeof *f);
    (void)mode;
    *f = (struct file){.ops = ops, .refs = 1, .flags = flags, .priv = priv};
    return f;
}
int fd_install(struct file *f, int min, bool cloexec)
{
    (void)min, (void)cloexec;
    for (int i = 0; i < 8; i++) {
        if (!fake_fd[i]) {
            fake_fd[i] = f;
            return i;
        }
    }
    file_unref(f);
    return -EMFILE;
}
struct file *fd_get(int fd)
{
    return fd >= 0 && fd < 8 && fake_fd[fd] ? file_ref(fake_fd[fd]) : NULL;
}
struct file *files_get(struct files *fs, int fd)
{
    (void)fs;
    return fd_get(fd);
}
int fd_close(int fd)
{
    struct file *f = fd_get(fd);
    if (!f) {
        return -EBADF;
    }
    fake_fd[fd] = NULL;
    file_unref(f);
    file_unref(f);
    return 0;
}
int file_deny_write(struct file *f)
{
    (void)f;
    return 0;
}
void file_allow_write(struct file *f)
{
    (void)f;
}
int iobuf_put(struct iobuf *b, const void *src, size_t n)
{
    memcpy((void *)(uintptr_t)b->addr, src, n);
    b->addr += n;
    b->len -= n;
    return 0;
}
int iobuf_get(struct iobuf *b, void *dst, size_t n)
{
    memcpy(dst, (const void *)(uintptr_t)b->addr, n);
    b->addr += n;
    b->len -= n;
    return 0;
}
/* The file system of pseudo terminals. */
static int (*fake_open_master)(struct file *f), (*fake_open_slave)(unsigned index, struct file *f);
static unsigned fake_pts; /* nodes */
int devpts_serve(int (*master)(struct file *f), int (*slave)(unsigned index, struct file *f))
{
    fake_open_master = master;
    fake_open_slave = slave;
    return 0;
}
int devpts_add(unsigned index)
{
    fake_pts++;
    return 0;
}
void devpts_remove(unsigned index)
{
    fake_pts--;
}
int devpts_open(unsigned index, unsigned flags, struct file **out)
{
    return -EIO;
}
unsigned devpts_max(void)
{
    return 16;
}

static int (*fake_open_console)(struct file *f), (*fake_open_tty)(struct file *f);
int devfs_register(const char *name, uint32_t mode, uint32_t major, uint32_t minor,
                   int (*open)(struct file *f))
{
    (void)mode, (void)major, (void)minor;
    if (strcmp(name, "hvc0") != 0) {
        *(strcmp(name, "tty") ? &fake_open_console : &fake_open_tty) = open;
    }
    return 0;
}
void poll_wait(struct poll_table *pt, struct waitq *q)
{
    (void)pt, (void)q;
}
void poll_wait_room(struct poll_table *pt, struct waitq *q)
{
    (void)pt, (void)q;
}
void file_found_full(struct file *f)
{
    (void)f;
}
void async_hangup(struct file *f)
{
    (void)f;
}
struct tax *tax_make(void)
{
    return mb_zalloc(sizeof(struct tax));
}
void tax_free(struct tax *t)
{
    mb_free(t);
}
void tax_merge(struct tax *parent, const struct tax *child)
{
    parent->kids.own_ticks += child->sum.own_ticks + child->kids.own_ticks;
    parent->kids.ticks += child->sum.ticks + child->kids.ticks;
}
void tax_exec(struct tax *t)
{
    (void)t;
}

/* ---- the test's side ---- */

static void fake_run(struct task *t)
{
    fake_self = t->fiber;
    t->fiber->task = t;
}

void thread_main(struct task *t)
{
    (void)t;
}

static struct nx_state *regs(void)
{
    return fake_self->state;
}

static void init_body(void)
{
}

/* pid 1, current. */
static struct process *fake_init(void)
{
    static struct mb_fiber boot;
    fake_self = &boot;
    struct process *p = proc_make_init(init_body);
    assert_non_null(p);
    fake_run(p->threads);
    return p;
}

/* A clone of the current thread; the parent stays current. */
static struct task *fake_clone(uint64_t flags)
{
    uint64_t a[6] = {flags};
    long tid = sys_clone(a);
    assert_true(tid > 0);
    struct task *t = task_find((int)tid);
    assert_non_null(t);
    t->fiber->task = t;
    return t;
}

static struct process *fake_fork(void)
{
    return fake_clone(SIGCHLD)->proc;
}

static bool was_woken(const struct task *t)
{
    for (unsigned i = 0; i < fake_wakes && i < 256; i++)
        if (fake_woken[i] == t->fiber)
            return true;
    return false;
}

/* t ends; whoever was current stays it. */
static void fake_exit(struct task *t, int code)
{
    struct mb_fiber *me = fake_self;
    fake_self = t->fiber;
    sys_exit((const uint64_t[6]){(uint64_t)code});
    task_exit(t);
    fake_self = me;
}

static void fake_group_exit(struct process *p, int wstatus)
{
    struct mb_fiber *me = fake_self;
    struct pid *pid = p->pid_ref;
    pid_ref(pid);
    proc_group_exit(p, wstatus);
    while (pid->proc && !pid->proc->zombie) {
        struct task *t = pid->proc->threads;
        fake_self = t->fiber;
        task_exit(t);
    }
    pid_unref(pid);
    fake_self = me;
}

static void put64(uint64_t at, uint64_t v)
{
    assert_int_equal(mb_copy_out(at, &v, sizeof v), 0);
}
static void put32(uint64_t at, uint32_t v)
{
    assert_int_equal(mb_copy_out(at, &v, sizeof v), 0);
}
static uint64_t get64(uint64_t at)
{
    uint64_t v = 0;
    assert_int_equal(mb_copy_in(&v, at, sizeof v), 0);
    return v;
}
static uint32_t get32(uint64_t at)
{
    uint32_t v = 0;
    assert_int_equal(mb_copy_in(&v, at, sizeof v), 0);
    return v;
}
#define CALL_(name, ...) sys_##name((const uint64_t[6]){__VA_ARGS__})

/* Between tests only pid 1 is left, and nothing it did not have before. */
static int64_t fake_heap_before;
static int fake_setup(void **state)
{
    (void)state;
    if (!process_init())
        fake_init();
    fake_run(process_init()->threads);
    fake_wakes = 0;
    fake_steps[0] = NULL;
    fake_step_head = fake_step_tail = 0;
    fake_fiber_count = fake_self - fake_fibers + 1;
    memset(fake_mem, 0, sizeof fake_mem);
    fake_heap_before = fake_heap;
    return 0;
}
static int fake_teardown(void **state)
{
    (void)state;
    struct process *init = process_init();
    fake_run(init->threads);
    for (struct process *p = process_first(), *next; p; p = next) {
        next = p->next;
        if (p != init && !p->zombie) {
            fake_group_exit(p, SIGKILL);
            next = process_first();
        }
    }
    while (sys_wait4((const uint64_t[6]){(uint64_t)-1, 0, WNOHANG_ | WALL_}) > 0)
        ;
    assert_null(init->children);
    sig_flush_task(init->threads);
    sig_flush_process(init);
    sig_set_mask(init->threads, 0);
    memset(init->threads->sighand->action, 0, sizeof init->threads->sighand->action);
    assert_int_equal(proc_task_count(), 1);
    assert_int_equal(fake_heap, fake_heap_before);
    return 0;
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

/* Everything above is there for every test; not every test uses it all. */
__attribute__((unused)) static void *const fake_unused[] = {
    (void *)on_park,     (void *)was_woken, (void *)fake_exit, (void *)fake_group_exit,
    (void *)put64,       (void *)put32,     (void *)get64,     (void *)get32,
    (void *)fake_fork,   (void *)regs,      (void *)fake_init, (void *)&fake_heap,
    (void *)&fake_power, (void *)&fake_off,
};

#endif
