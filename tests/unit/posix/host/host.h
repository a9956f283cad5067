/* The membrane over an ordinary program: real threads, plain memory, so that posix code which blocks and
 * wakes runs in unit tests under the sanitizers.  Included once, by the test's one file.
 *
 *  - Fibers are threads; the personality lock is a mutex, held by whoever runs a handler (CALL does that).
 *  - Program memory is one arena: an address is good when it lies in it, anything else is EFAULT.  The
 *    pages right before and after it are not accessible.
 *  - host_fail_after(n): the n-th allocation from now on fails, for "every allocation may fail" loops.
 *  - host_counts() says what is alive, for leak checks.
 *
 * What the process code provides (current, signals, clocks) is here in the simplest form: one process a
 * host_process(), a thread of it per fiber, signals that are only noted.
 */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/mm.h"
#include "include/proc.h"
#include "include/sig.h"
#include "include/trace.h"
#include "ipc/ipc.h"
#include "misc/load.h"
#include "misc/uts.h"
#include "signal/signal_int.h"
#include "time/clock.h"

/* ---- threads ---- */

struct host_thread {
    struct mb_fiber fiber;
    struct nx_state state;
    struct task task;
    pthread_t thread;
    pthread_cond_t wake;
    bool woken, done;
    int signals; /* sent to itself: SIGPIPE, SIGXFSZ */
    bool interrupted, killed;
    long result;
    void (*fn)(void *);
    void *arg;
};

static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct host_thread *host_me;
static unsigned host_parks; /* sleeps begun, by all */

static struct host_thread *host_of(struct mb_fiber *f)
{
    return (struct host_thread *)f;
}

struct mb_fiber *mb_self(void)
{
    return host_me != NULL ? &host_me->fiber : NULL;
}

void mb_lock(void)
{
    pthread_mutex_lock(&host_lock);
}

void mb_lock_break(void)
{
    pthread_mutex_unlock(&host_lock);
    pthread_mutex_lock(&host_lock);
}

void mb_unlock(void)
{
    pthread_mutex_unlock(&host_lock);
}

int mb_park(uint64_t deadline)
{
    struct host_thread *me = host_me;
    struct timespec ts = {.tv_sec = (time_t)(deadline / 1000000000u),
                          .tv_nsec = (long)(deadline % 1000000000u)};
    host_parks++;
    while (!me->woken) {
        if (deadline == MB_NEVER) {
            pthread_cond_wait(&me->wake, &host_lock);
        } else if (pthread_cond_timedwait(&me->wake, &host_lock, &ts) == ETIMEDOUT) {
            return -ETIMEDOUT;
        }
    }
    me->woken = false;
    return 0;
}

void mb_wake(struct mb_fiber *f)
{
    host_of(f)->woken = true;
    pthread_cond_signal(&host_of(f)->wake);
}

void mb_yield(void)
{
    usleep(100);
}

/* ---- time: a tick is a nanosecond of the machine's monotonic clock ---- */

uint64_t mb_ticks(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t mb_ns_per_tick(void)
{
    return 1;
}

uint64_t mb_ticks_to_ns(uint64_t ticks)
{
    return ticks;
}

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    return ns < MB_NEVER - 1 ? ns : MB_NEVER - 1;
}

static int64_t host_now; /* not 0: what the realtime clock says */

int64_t time_realtime_ns(void)
{
    return host_now != 0 ? host_now : 1735689600ll * NSEC_PER_SEC + (int64_t)mb_ticks();
}

int64_t time_monotonic_ns(void)
{
    return (int64_t)mb_ticks();
}

uint64_t time_ticks_at(int64_t ns)
{
    return (uint64_t)ns;
}

int time_get_timespec(uint64_t uaddr, int64_t *ns)
{
    struct ktimespec ts;
    if (mb_copy_in(&ts, uaddr, sizeof(ts)) < 0) {
        return -EFAULT;
    }
    if (ts.sec < 0 || (uint64_t)ts.nsec >= (uint64_t)NSEC_PER_SEC) {
        return -EINVAL;
    }
    *ns = ts.sec > INT64_MAX / NSEC_PER_SEC - 1 ? INT64_MAX : ts.sec * NSEC_PER_SEC + ts.nsec;
    return 0;
}

int time_put_timespec(uint64_t uaddr, int64_t ns)
{
    struct ktimespec ts = {.sec = ns / NSEC_PER_SEC, .nsec = ns % NSEC_PER_SEC};
    return mb_copy_out(uaddr, &ts, sizeof(ts));
}

struct waitq clock_set;
int clock_now(int id, int64_t *ns)
{
    *ns = id == CLOCK_REALTIME ? time_realtime_ns() : time_monotonic_ns();
    return 0;
}

uint64_t clock_deadline(int id, int64_t ns)
{
    return (uint64_t)(id == CLOCK_REALTIME ? ns - (time_realtime_ns() - time_monotonic_ns()) : ns);
}

/* Timers fire when the test says so. */
static struct ktimer *host_timers;

void ktimer_cancel(struct ktimer *t)
{
    if (t->link != NULL) {
        *t->link = t->next;
        if (t->next != NULL) {
            t->next->link = t->link;
        }
        t->link = NULL;
    }
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
    ktimer_cancel(t);
    t->deadline = deadline;
    t->next = host_timers;
    t->link = &host_timers;
    if (t->next != NULL) {
        t->next->link = &t->next;
    }
    host_timers = t;
}

/* Lets those fire whose time has come: how many. */
static unsigned host_timers_run(void)
{
    unsigned n = 0;
    for (struct ktimer *t = host_timers, *next; t != NULL; t = next) {
        next = t->next;
        if (t->deadline <= mb_ticks()) {
            ktimer_cancel(t);
            t->fn(t);
            n++;
        }
    }
    return n;
}

/* ---- program memory ---- */

#define HOST_ARENA (4u << 20)
static uint8_t *host_arena;

static void host_memory(void)
{
    uint8_t *m =
        mmap(NULL, HOST_ARENA + 2 * MB_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    host_arena = m + MB_PAGE;
    if (m == MAP_FAILED || mprotect(host_arena, HOST_ARENA, PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
}

#define HOST_BAD 0x1000ul /* an address that is never good */

static bool host_ok(uint64_t addr, size_t n)
{
    uint64_t base = (uintptr_t)host_arena;
    return addr >= base && n <= HOST_ARENA && addr - base <= HOST_ARENA - n;
}

int mb_copy_in(void *dst, uint64_t src, size_t n)
{
    if (!host_ok(src, n)) {
        return -EFAULT;
    }
    memcpy(dst, (void *)(uintptr_t)src, n);
    return 0;
}

int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    if (!host_ok(dst, n)) {
        return -EFAULT;
    }
    memcpy((void *)(uintptr_t)dst, src, n);
    return 0;
}

int mb_zero_out(uint64_t dst, size_t n)
{
    if (!host_ok(dst, n)) {
        return -EFAULT;
    }
    memset((void *)(uintptr_t)dst, 0, n);
    return 0;
}

long mb_str_in(char *dst, uint64_t src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!host_ok(src + i, 1)) {
            return -EFAULT;
        }
        dst[i] = *(const char *)(uintptr_t)(src + i);
        if (dst[i] == 0) {
            return (long)i;
        }
    }
    return -ENAMETOOLONG;
}

/* Room in program memory until the test's end; strings for calls. */
static size_t host_used;
static void *host_room(size_t n)
{
    size_t at = (host_used + 15) & ~(size_t)15;
    assert_true(at + n <= HOST_ARENA);
    host_used = at + n;
    return host_arena + at;
}

static uint64_t U(const char *s)
{
    char *to = host_room(strlen(s) + 1);
    memcpy(to, s, strlen(s) + 1);
    return (uintptr_t)to;
}

/* ---- memory ---- */

static long host_fail = -1; /* allocations that still succeed; -1: all do */
static bool host_failed;
static uint64_t host_blocks, host_pages;

static void host_fail_after(long n)
{
    host_fail = n;
    host_failed = false;
}

static bool host_fails(void)
{
    if (host_fail < 0 || host_fail-- > 0) {
        return false;
    }
    host_fail = -1;
    host_failed = true;
    return true;
}

void *mb_alloc(size_t n)
{
    void *p = host_fails() ? NULL : malloc(n != 0 ? n : 1);
    if (p != NULL) {
        memset(p, 0xa5, n); /* not zeroed, and it shows */
        host_blocks++;
    }
    return p;
}

void *mb_zalloc(size_t n)
{
    void *p = mb_alloc(n);
    return p != NULL ? memset(p, 0, n) : NULL;
}

void mb_free(void *p)
{
    host_blocks -= p != NULL;
    free(p);
}

void *mb_page(void)
{
    void *p = host_fails() ? NULL : aligned_alloc(MB_PAGE, MB_PAGE);
    if (p != NULL) {
        memset(p, 0, MB_PAGE);
        host_pages++;
    }
    return p;
}

void mb_page_free(void *page)
{
    host_pages--;
    free(page);
}

static uint64_t host_total_pages = 65536;
uint64_t mb_pages_total(void)
{
    return host_total_pages;
}

uint64_t mb_pages_free(void)
{
    return host_total_pages - host_pages;
}

uint64_t mb_heap_objects(void)
{
    return host_blocks;
}

void mb_trim(void)
{
}

/* ---- machine ---- */

static char host_log[4096];
void mb_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(host_log, sizeof(host_log), fmt, ap);
    va_end(ap);
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(host_log, sizeof(host_log), fmt, ap);
    va_end(ap);
}

static bool host_unseeded;
void (*mb_random_hook)(void);
bool mb_random_seeded(void)
{
    return !host_unseeded;
}

void mb_random_mix(const void *bytes, size_t n)
{
}

/* logd, when a test plays it. */
static bool host_stl;
static uint64_t host_stl_from, host_stl_followed;
static mb_stl_done *host_stl_done;
void (*mb_stl_hook)(uint64_t end);
bool mb_stl_present(void)
{
    return host_stl;
}

int mb_stl_ask(uint64_t from, mb_stl_done *done)
{
    if (host_stl_done != NULL) {
        return -EBUSY;
    }
    host_stl_from = from;
    host_stl_done = done;
    return 0;
}

void mb_stl_follow(uint64_t from)
{
    host_stl_followed = from;
}

void mb_random(void *buf, size_t n)
{
    static uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ((uint8_t *)buf)[i] = (uint8_t)x;
    }
}

static const void *host_archives[4];
static size_t host_archive_size[4];
const void *mb_archive(unsigned index, size_t *size)
{
    *size = host_archive_size[index];
    return host_archives[index];
}

const char *mb_bootargs(void)
{
    return "quiet";
}

unsigned mb_harts(void)
{
    return 2;
}

unsigned mb_hart(void)
{
    return 1;
}

uint64_t mb_stat(unsigned nx_stat)
{
    return nx_stat;
}

uint64_t mb_cell_value(unsigned nx_cell_value)
{
    return nx_cell_value;
}

/* Two entries; older ones are gone. */
bool mb_beb_read(uint64_t *number, struct nx_beb *out)
{
    *number = *number < 7 ? 7 : *number;
    *out = (struct nx_beb){.kind = NX_BEB_DENIED, .cell = "guesser", .generation = 3};
    return *number < 9;
}

/* No test ends the machine. */
_Noreturn void mb_reset(void)
{
    abort();
}

_Noreturn void mb_crash(void)
{
    abort();
}

_Noreturn void mb_power_off(int status)
{
    abort();
}

bool mm_inode_writable(const struct inode *ino)
{
    return false;
}

/* ---- processes ---- */

static struct user host_user = {.refs = 1};
struct user *user_ref(struct user *u)
{
    u->refs++;
    return u;
}

void user_unref(struct user *u)
{
    u->refs--;
}

static struct process *host_processes;
static int host_next_pid = 1;

struct process *process_find(int pid)
{
    struct process *p = host_processes;
    while (p != NULL && p->pid != pid) {
        p = p->next;
    }
    return p;
}

struct process *process_first(void)
{
    return host_processes;
}

struct task *task_find(int tid)
{
    for (struct process *p = host_processes; p != NULL; p = p->next) {
        for (struct task *t = p->threads; t != NULL; t = t->next_thread) {
            if (t->tid == tid) {
                return t;
            }
        }
    }
    return NULL;
}

/* Other processes' memory is the processes' business. */
int trace_may_access(const struct task *t)
{
    return -EPERM;
}

void ipc_show_shm(struct text *t)
{
}

void ipc_show_sem(struct text *t)
{
}

void ipc_show_msg(struct text *t)
{
}

struct mm *mm_ref(struct mm *mm)
{
    return mm;
}

void mm_unref(struct mm *mm)
{
}

/* Of a program's memory only arguments and environment are there. */
static struct mm_layout host_layout;
size_t mm_remote_read(struct mm *mm, uint64_t addr, void *buf, size_t n, bool force)
{
    if (addr < host_layout.arg_start || addr >= host_layout.env_end) {
        return 0;
    }
    n = host_layout.env_end - addr < n ? host_layout.env_end - addr : n;
    memcpy(buf, (const void *)addr, n);
    return n;
}

size_t mm_remote_write(struct mm *mm, uint64_t addr, const void *buf, size_t n, bool force)
{
    return 0;
}

unsigned proc_task_count(void)
{
    unsigned n = 0;
    for (struct process *p = host_processes; p != NULL; p = p->next) {
        n++;
    }
    return n;
}

void process_times(const struct process *p, uint64_t *u, uint64_t *s, uint64_t *cu, uint64_t *cs)
{
    *u = 120000000;
    *s = 30000000;
    *cu = *cs = 0;
}

uint64_t process_vsize(const struct process *p)
{
    return 1 << 20;
}

uint64_t process_resident(const struct process *p)
{
    return 32;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
    for (unsigned i = 0; c->groups != NULL && i < c->groups->count; i++) {
        if (c->groups->gid[i] == gid) {
            return true;
        }
    }
    return c->fsgid == gid;
}

static size_t host_text(const char *s, char *buf, size_t n)
{
    int len = snprintf(buf, n, "%s", s);
    return (size_t)len < n ? (size_t)len : n;
}

void mm_maps_text(const struct mm *mm, struct text *t, bool details)
{
    text_printf(t, "00010000-00020000 r-xp 00000000 00:10 1 /bin/x\n");
}

uint64_t mm_resident(const struct mm *mm)
{
    return 32;
}

uint64_t process_badness(const struct process *p)
{
    return process_resident(p);
}

uint64_t proc_fork_count(void)
{
    return 7;
}

unsigned pid_max = 32768;
long exec_randomize = 2;

char *uname_text(enum uts_field field)
{
    static char names[][UTS_SIZE] = {"Linux",        "nexus",   "6.1.0-nexus",
                                     "#1 SMP Nexus", "riscv64", "(none)"};
    return names[field];
}

size_t proc_entropy_text(struct process *p, char *buf, size_t n)
{
    return host_text("tax 1 2 3\n", buf, n);
}

size_t proc_status_signals(struct process *p, char *buf, size_t n)
{
    return host_text("SigPnd:\t0000000000000000\n", buf, n);
}

void mm_layout(const struct mm *mm, struct mm_layout *out)
{
    *out = host_layout;
}

void load_averages(uint64_t avg[3])
{
    avg[0] = 105;
    avg[1] = 50;
    avg[2] = 7;
}

/* ---- signals ---- */

void signal_self(int sig)
{
    host_me->signals |= 1 << sig;
}

bool signal_interrupts(void)
{
    return host_me != NULL && host_me->interrupted;
}

bool signal_fatal(void)
{
    return host_me->killed;
}

/* Pending without details. */
int sig_dequeue(struct task *t, uint64_t of, struct ksiginfo *info)
{
    uint64_t set = t->sigpending & of;
    if (set == 0) {
        return 0;
    }
    int sig = __builtin_ctzl(set) + 1;
    t->sigpending &= ~SIG_BIT(sig);
    *info = (struct ksiginfo){.signo = sig, .code = SI_USER, .u.rt = {.pid = 7, .uid = 8}};
    return sig;
}

void sig_recalc(struct task *t)
{
}

/* Nobody owns a file's signals here. */
int sig_send(struct process *p, struct task *t, int sig, const struct ksiginfo *info)
{
    return 0;
}

struct pid *pid_find(int nr)
{
    return NULL;
}

void pid_ref(struct pid *p)
{
}

void pid_unref(struct pid *p)
{
}

static uint64_t host_mask_pushed;
int sig_mask_push(uint64_t uset, uint64_t size)
{
    if (uset == 0) {
        return 0;
    }
    if (size != 8) {
        return -EINVAL;
    }
    return mb_copy_in(&host_mask_pushed, uset, 8);
}

static int host_mask_pops;
void sig_mask_pop(bool interrupted)
{
    host_mask_pops++;
}

/* A signal for a thread that may be asleep; with the lock. */
static void host_interrupt(struct host_thread *t)
{
    t->interrupted = true;
    mb_wake(&t->fiber);
}

/* The same with SIGKILL. */
static void host_kill(struct host_thread *t)
{
    t->killed = true;
    host_interrupt(t);
}

/* ---- making processes and threads ---- */

static struct process *host_process_make(void)
{
    struct process *p = calloc(1, sizeof(*p));
    p->pid = host_next_pid++;
    p->start_ticks = mb_ticks();
    p->dumpable = true;
    for (int i = 0; i < 16; i++) {
        p->rlimit[i][0] = p->rlimit[i][1] = ABI_RLIM_INFINITY;
    }
    p->rlimit[ABI_RLIMIT_NOFILE][0] = 1024;
    struct process **link = &host_processes;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = p;
    return p;
}

static void host_process_free(struct process *p)
{
    struct process **link = &host_processes;
    while (*link != p) {
        link = &(*link)->next;
    }
    *link = p->next;
    free(p);
}

/* A thread object; the caller says what it shares. */
static struct host_thread *host_thread_make(struct process *p, struct files *files,
                                            struct fsctx *fs)
{
    struct host_thread *h = calloc(1, sizeof(*h));
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    h->fiber.state = &h->state;
    h->fiber.task = &h->task;
    h->task.fiber = &h->fiber;
    h->task.proc = p;
    h->task.tid = p->threads == NULL ? p->pid : host_next_pid++;
    h->task.state = 'R';
    h->task.user = &host_user;
    h->task.files = files;
    h->task.fs = fs;
    snprintf(h->task.comm, sizeof(h->task.comm), "test%d", h->task.tid);
    h->task.next_thread = p->threads;
    p->threads = &h->task;
    p->nthreads++;
    return h;
}

static void host_thread_free(struct host_thread *h)
{
    struct process *p = h->task.proc;
    struct task **link = &p->threads;
    while (*link != &h->task) {
        link = &(*link)->next_thread;
    }
    *link = h->task.next_thread;
    p->nthreads--;
    if (h->task.files != NULL) {
        files_unref(h->task.files);
    }
    if (h->task.fs != NULL) {
        fsctx_unref(h->task.fs);
    }
    pthread_cond_destroy(&h->wake);
    free(h);
}

static void *host_main(void *arg)
{
    struct host_thread *h = arg;
    host_me = h;
    mb_lock();
    h->fn(h->arg);
    h->done = true;
    mb_unlock();
    return NULL;
}

/* Let fn run with the lock in a thread of another process (files shared with nobody: a copy, as after
 * fork) or of this one.  With the lock; join gives it up meanwhile. */
static struct host_thread *host_run(bool same_process, void (*fn)(void *), void *arg)
{
    struct process *p = same_process ? current->proc : host_process_make();
    struct files *files = same_process ? files_ref(current->files) : files_copy(current->files);
    struct fsctx *fs = same_process ? fsctx_ref(current->fs) : fsctx_copy(current->fs);
    struct host_thread *h = host_thread_make(p, files, fs);
    h->task.cred = current->cred;
    h->fn = fn;
    h->arg = arg;
    if (pthread_create(&h->thread, NULL, host_main, h) != 0) {
        abort();
    }
    return h;
}

static long host_join(struct host_thread *h)
{
    mb_unlock();
    pthread_join(h->thread, NULL);
    mb_lock();
    struct process *p = h->task.proc;
    long result = h->result;
    host_thread_free(h);
    if (p->threads == NULL) {
        host_process_free(p);
    }
    return result;
}

/* Give up the lock until somebody else has gone to sleep since (or a second has passed). */
static void host_wait_parked(unsigned since)
{
    for (int i = 0; i < 10000 && host_parks == since; i++) {
        mb_unlock();
        usleep(100);
        mb_lock();
    }
}

static void host_settle(void)
{
    mb_unlock();
    usleep(2000);
    mb_lock();
}

/* ---- calls ---- */

#define CALL_(name, ...)                      \
    ({                                        \
        const uint64_t a_[6] = {__VA_ARGS__}; \
        sys_##name(a_);                       \
    })
#define A(x) ((uint64_t)(uintptr_t)(x))
#define CWD ((uint64_t)AT_FDCWD)
#define assert_ok(e) assert_int_equal((e), 0)

static long t_open(const char *path, unsigned flags, unsigned mode)
{
    return CALL_(openat, CWD, U(path), flags, mode);
}

static long t_close(long fd)
{
    return CALL_(close, (uint64_t)fd);
}

static long t_write(long fd, const char *s)
{
    return CALL_(write, (uint64_t)fd, U(s), strlen(s));
}

static char *t_read(long fd, size_t n) /* what one read gives, as a string */
{
    char *buf = host_room(n + 1);
    long got = CALL_(read, (uint64_t)fd, A(buf), n);
    assert_true(got >= 0);
    buf[got] = 0;
    return buf;
}

static struct abi_stat *t_stat(const char *path)
{
    struct abi_stat *st = host_room(sizeof(*st));
    long e = CALL_(newfstatat, CWD, U(path), A(st), AT_SYMLINK_NOFOLLOW);
    return e == 0 ? st : NULL;
}

static long t_mkdir(const char *path)
{
    return CALL_(mkdirat, CWD, U(path), 0755);
}

static long t_unlink(const char *path)
{
    return CALL_(unlinkat, CWD, U(path), 0);
}

static long t_rmdir(const char *path)
{
    return CALL_(unlinkat, CWD, U(path), AT_REMOVEDIR);
}

static long t_symlink(const char *target, const char *path)
{
    return CALL_(symlinkat, U(target), CWD, U(path));
}

static void t_file(const char *path, const char *text)
{
    long fd = t_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(t_write(fd, text), strlen(text));
    assert_ok(t_close(fd));
}

static void as_user(uint32_t uid)
{
    struct cred *c = &current->cred;
    memset(c, 0, sizeof(*c));
    c->ruid = c->euid = c->suid = c->fsuid = uid;
    c->rgid = c->egid = c->sgid = c->fsgid = uid;
    c->bounding = CAP_ALL;
    c->permitted = c->effective = uid == 0 ? CAP_ALL : 0;
}

/* ---- the test program ---- */

struct host_counts {
    uint64_t blocks, pages, inodes, files;
};

static struct host_counts host_counts(void)
{
    return (struct host_counts){host_blocks, host_pages, inode_count, files_open_count()};
}

static struct host_counts host_before;

static int host_setup(void **state)
{
    host_used = 0;
    host_me->signals = 0;
    host_me->interrupted = false;
    host_mask_pops = 0;
    as_user(0);
    host_before = host_counts();
    return 0;
}

/* Every test leaves nothing behind. */
static int host_teardown(void **state)
{
    host_fail = -1;
    struct host_counts now = host_counts();
    int left = memcmp(&now, &host_before, sizeof(now));
    if (left != 0) {
        print_error("left behind: %ld blocks, %ld pages, %ld inodes, %ld files\n",
                    (long)(now.blocks - host_before.blocks), (long)(now.pages - host_before.pages),
                    (long)(now.inodes - host_before.inodes), (long)(now.files - host_before.files));
    }
    return left != 0;
}

static struct host_thread *host_first;

static int host_begin(void **state)
{
    host_memory();
    mb_lock();
    struct process *p = host_process_make();
    host_first = host_thread_make(p, NULL, NULL);
    host_first->fiber.task = NULL; /* the file layer starts without a thread */
    host_me = host_first;
    if (vfs_init() != 0) {
        return -1;
    }
    host_first->task.files = files_make();
    host_first->task.fs = fsctx_make();
    host_first->fiber.task = &host_first->task;
    return 0;
}

static int host_end(void **state)
{
    struct process *p = host_first->task.proc;
    host_thread_free(host_first);
    host_process_free(p);
    mb_unlock();
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, host_setup, host_teardown)
#define HOST_RUN(tests) cmocka_run_group_tests(tests, host_begin, host_end)

/* Not every test uses all of it. */
__attribute__((unused)) static void *const host_unused[] = {
    host_run,  host_join, host_wait_parked, host_settle, host_interrupt, host_fail_after,
    host_kill, t_open,    t_read,           t_stat,      t_mkdir,        t_unlink,
    t_rmdir,   t_symlink, t_file,           t_write,     t_close,        host_timers_run,
};

#endif
