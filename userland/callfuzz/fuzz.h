/*
 * callfuzz: what its files share. main.c says what it is for.
 *
 * A run is a number of lives. A life is a process that makes calls with random arguments on several
 * threads until it has made its share, ended itself, or taken too long. Everything random in it comes
 * from the run's seed and the life's number.
 */
#ifndef CALLFUZZ_H
#define CALLFUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CALL_NUMBERS 512 /* told apart in what is counted; the ABI ends below */
#define THREADS 4        /* of a life, at most */
#define FOLDER "/tmp/callfuzz"
#define SLOTS 8     /* lives at a time, at most */
#define LIST_FD 500 /* where the list of calls goes, when it is wanted */

/* ---- random numbers: one generator a thread ------------------------------------------------ */

struct rng {
    uint64_t state;
};
uint64_t rnd(struct rng *r);
static inline uint64_t below(struct rng *r, uint64_t n)
{
    return rnd(r) % n;
}
/* Few bits of it are set. */
static inline uint64_t sparse(struct rng *r)
{
    uint64_t bits = rnd(r);

    return bits & rnd(r);
}
static inline bool one_in(struct rng *r, uint64_t n)
{
    return below(r, n) == 0;
}
#define PICK(r, array) ((array)[below((r), sizeof(array) / sizeof((array)[0]))])

/* ---- what the lives tell the run: shared memory, which a life may have damaged -------------- */

struct thread_note {
    uint32_t made; /* calls */
    uint16_t nr;   /* the one it is in or was in last */
    uint16_t name; /* of what in the table: an index, or 0xffff */
    uint64_t arg[6];
};
struct notes {
    struct thread_note thread[SLOTS][THREADS];
    uint64_t good[CALL_NUMBERS], bad[CALL_NUMBERS], faults[CALL_NUMBERS];
};
extern struct notes *notes;

/* ---- a life --------------------------------------------------------------------------------- */

struct options {
    uint64_t seed;
    unsigned lives, calls, threads, slots, seconds;
    bool list;        /* every call is written out before it is made */
    bool summary;     /* at the end: how often each call succeeded */
    const char *only; /* only calls of this name */
};
extern struct options options;

#define COMMON_SIZE 16384
extern long common; /* memory all lives share */

struct life {
    struct rng rng;
    uint64_t number;
    unsigned slot;
    bool root; /* else nobody */
};
/* Runs in a process of its own, in its own folder; does not return. */
_Noreturn void life_run(struct life *l);
/* The same, alone, making every call once, with nothing but -1: the first life of a run. */
_Noreturn void life_census(struct life *l);

/* ---- the calls ------------------------------------------------------------------------------ */

struct spec {
    uint16_t nr;
    uint16_t rare; /* made only one time in so many, but for children of a life */
    const char *name;
    const char *args; /* a letter for each argument: args.c */
};
extern const struct spec specs[];
extern const unsigned spec_count;

/* The argument of this letter. */
long draw(struct rng *r, char letter);
long draw_any(struct rng *r);
/* Changes arguments that would end the run in a meaningless way; false: not this call. */
bool allowed(const struct life *l, long nr, long a[6]);

/* ---- memory, descriptors, files ------------------------------------------------------------- */

void memory_make(struct life *l);
void memory_flicker(unsigned turn); /* what comes and goes */
/* A pointer to n bytes copied from src: in good memory mostly, else somewhere bad. */
long place(struct rng *r, const void *src, size_t n);
long any_pointer(struct rng *r); /* with nothing in particular behind it */
long shared_word(struct rng *r); /* of memory all lives share: a futex, if they like */
void area_made(long address);    /* by a call: area() may answer it again */
long area(struct rng *r);        /* a page's address that may be mapped, unmapped ... */

bool is_tracee(pid_t pid);
pid_t tracee(struct rng *r); /* of a thread, or 0 */

void descriptors_make(struct life *l);
extern bool patient;         /* a life that waits: others are told not to */
void descriptors_wait(void); /* ours become such as let one wait */
enum fd_kind {
    FD_FILE,
    FD_EPOLL,
    FD_MQUEUE,
    FD_PIDFD,
    FD_LISTENER,
    FD_INOTIFY,
    FD_SIGNALFD,
    FD_TIMERFD,
    FD_TERMINAL,
    FD_PIPE,
    FD_FOLDER,
    FD_KINDS
};
int kind_fd(struct rng *r, enum fd_kind kind);
int any_fd(struct rng *r);
int socket_fd(struct rng *r);

/* own: of something in the life's folder, that may be made, changed, removed. */
const char *path_name(struct rng *r, bool own);
void files_make(void);

/* ---- the edge ------------------------------------------------------------------------------- */

/* The call itself; negated errno. A child of clone that shares memory ends at once. */
long raw_call(long nr, const long a[6]);
long raw_clone(long nr, const long a[6], long shared);
/* rt_sigreturn with this stack pointer; returns only if that call does. */
long raw_sigreturn(long sp);

#endif
