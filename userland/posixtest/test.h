/*
 * posixtest: what its files share.
 *
 * A test is a function that returns when all is well. It runs in a process of its own, leader of
 * its own group, in an empty folder that is removed afterwards; what it leaves running is killed.
 * The macros below end that process with a message when something is not as it should be, also from
 * a child of the test: then wait_ok() in the parent ends the test.
 *
 * Every test must pass on Linux too, or it is wrong. Signal handlers are set with handle(), not
 * with sigaction(): musl 1.2.3 on riscv64 hands the kernel a structure with the mask in the wrong
 * place. What a handler writes is volatile: glibc tells compilers that calls do not come back here.
 */
#ifndef POSIXTEST_TEST_H
#define POSIXTEST_TEST_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct test {
    const char *name;
    void (*run)(void);
};

/* One table a file, ended by an entry without name; listed in main.c. */
#define GROUP(name) extern const struct test name##_tests[];
#include "groups.def"
#undef GROUP

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *why);

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(why) test_skip(why)

#define CHECK(condition)            \
    do {                            \
        if (!(condition)) {         \
            FAIL("%s", #condition); \
        }                           \
    } while (0)

/* A call that must succeed; its value. */
#define OK(call)                                           \
    ({                                                     \
        __typeof__(call) ok_ = (call);                     \
        if ((long)ok_ == -1) {                             \
            FAIL("%s: %s", #call, test_errno_name(errno)); \
        }                                                  \
        ok_;                                               \
    })

/* A call that must return -1 with this error. */
#define ERR(call, error)                                                    \
    do {                                                                    \
        errno = 0;                                                          \
        long err_ = (long)(call);                                           \
        if (err_ != -1 || errno != (error)) {                               \
            FAIL("%s: %ld, %s instead of %s", #call, err_,                  \
                 err_ == -1 ? test_errno_name(errno) : "no error", #error); \
        }                                                                   \
    } while (0)

#define EQ(a, b)                                                 \
    do {                                                         \
        long eq_a = (long)(a), eq_b = (long)(b);                 \
        if (eq_a != eq_b) {                                      \
            FAIL("%s is %ld, not %s (%ld)", #a, eq_a, #b, eq_b); \
        }                                                        \
    } while (0)

const char *test_errno_name(int error);

/* ---- processes ----------------------------------------------------------------------------- */

/* if (child(&pid)) { ... } runs the block in a child, which exits with 0 after it. */
#define CHILD(pid) for (bool in_child_ = ((pid) = OK(fork())) == 0; in_child_; _exit(0))

void wait_ok(pid_t pid);    /* the child must exit with 0 */
int wait_status(pid_t pid); /* any status */
void wait_exit(pid_t pid, int code);
void wait_killed(pid_t pid, int signo);

/* A pipe to wait for one another with: gate_open lets one gate_wait through. */
struct gate {
    int fd[2];
};
void gate_init(struct gate *g);
void gate_open(struct gate *g);
void gate_wait(struct gate *g);

/* Waits until a process is in this state (/proc/<pid>/stat): S asleep, T stopped, Z ended. */
void wait_state(pid_t pid, char state);

/* ---- signals ------------------------------------------------------------------------------- */

#define SIGBIT(signo) (1ull << ((signo)-1))

/* rt_sigaction with a handler of one or three arguments, SIG_DFL or SIG_IGN. */
void handle(int signo, void *handler, int flags, uint64_t mask);
void sig_block(int signo);
void sig_unblock(int signo);
uint64_t sig_mask(void); /* what is blocked */

/* A handler that counts into `caught` and notes the last signal. */
extern volatile sig_atomic_t caught, caught_signo;
void count_signal(int signo);

/* ---- the rest ------------------------------------------------------------------------------ */

extern const char *self_path; /* this program, to be executed again with --helper */
int helper_main(int argc, char **argv);

void write_file(const char *path, const char *text); /* creates it, mode 0644 */
void expect_file(const char *path, const char *text);
void sleep_ms(int ms);
int64_t now_ms(void);

/* A page with one behind it that cannot be touched. */
char *page_before_hole(void);
size_t page_size(void);

#endif
