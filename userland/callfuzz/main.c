/*
 * callfuzz: random system calls with random arguments, for a personality that survives anything.
 *
 *      callfuzz -n LIVES [-s SEED] [-c CALLS] [-j LIVES AT A TIME] [-t THREADS] [-T SECONDS] [-l] [-v] [-o CALL]
 *
 * Every life (fuzz.h) makes CALLS calls on each of its threads; they work in folders of /tmp/callfuzz.
 * The same seed makes the same calls; with -t 1 -j 1 also in the same order. -T ends the run early, -l
 * writes every call before it is made and its result after it, -v tells at the end how often each succeeded, -o makes only that call.
 * Wants root: half of the lives are root's, half nobody's.
 *
 * The last line says what was done; status 1: a process could not be ended. Whether the system is as it
 * was, asks who has started this (tests/system/callfuzz.py).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define LIFE_MS 4000   /* then it is ended */
#define DEATH_MS 20000 /* and must be gone */

struct notes *notes;
struct options options = {.calls = 250, .threads = 2, .slots = 3, .seconds = 0};

static struct slot {
    uint64_t life;
    int64_t since;
    pid_t pid;
    bool ending, census;
} slots[SLOTS];
static struct {
    unsigned long lives, exits, signals, late;
    int64_t longest;
} sum;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t rnd(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* ---- the system as it was -------------------------------------------------------------------- */

static struct {
    char host[65], domain[65];
    struct timespec real, mono;
} before;

static void remember(void)
{
    gethostname(before.host, sizeof before.host);
    getdomainname(before.domain, sizeof before.domain);
    clock_gettime(CLOCK_REALTIME, &before.real);
    clock_gettime(CLOCK_MONOTONIC, &before.mono);
}

static void remove_ipc(void)
{
    struct shmid_ds shm;
    struct semid_ds sem;
    struct msqid_ds msg;

    for (int i = 0; i < 1000; i++) {
        int id = shmctl(i, SHM_STAT, &shm);

        if (id >= 0) {
            shmctl(id, IPC_RMID, NULL);
        }
        id = semctl(i, 0, SEM_STAT, &sem);
        if (id >= 0) {
            semctl(id, 0, IPC_RMID);
        }
        id = msgctl(i, MSG_STAT, &msg);
        if (id >= 0) {
            msgctl(id, IPC_RMID, NULL);
        }
    }
    mq_unlink("/cf1");
    mq_unlink("/cf2");
    mq_unlink("/cf3");
}

static void unmount_all(void)
{
    char line[16384], where[4096];
    FILE *f = fopen("/proc/self/mountinfo", "r");

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %*s %*s %*s %4095s", where) == 1 &&
            strncmp(where, FOLDER, strlen(FOLDER)) == 0 && umount2(where, MNT_DETACH) == 0) {
            rewind(f);
        }
    }
    if (f) {
        fclose(f);
    }
}

/* Everything below the current folder: names may be too long together for a path. */
static void remove_below(unsigned depth)
{
    DIR *dir = opendir(".");
    struct dirent *e;

    while (dir && depth < 50 && (e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlink(e->d_name) == 0) {
            continue;
        }
        if (rmdir(e->d_name) < 0 && chdir(e->d_name) == 0) {
            remove_below(depth + 1);
            if (chdir("..") == 0) {
                rmdir(e->d_name);
            }
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void put_back(void)
{
    struct timespec mono, real = before.real;

    clock_gettime(CLOCK_MONOTONIC, &mono);
    real.tv_sec += mono.tv_sec - before.mono.tv_sec;
    clock_settime(CLOCK_REALTIME, &real);
    sethostname(before.host, strlen(before.host));
    setdomainname(before.domain, strlen(before.domain));
    remove_ipc();
    unmount_all();
    if (chdir(FOLDER) == 0) {
        remove_below(0);
    }
    if (chdir("/") < 0 || (rmdir(FOLDER) < 0 && !options.summary)) {
        perror("callfuzz: " FOLDER);
    }
}

/* ---- processes -------------------------------------------------------------------------------- */

static struct slot *slot_of(pid_t pid)
{
    for (unsigned i = 0; i < options.slots; i++) {
        if (slots[i].pid == pid) {
            return &slots[i];
        }
    }
    return NULL;
}

static void start(unsigned i)
{
    struct life l = {.rng = {options.seed * 0x10001 + sum.lives}, .number = sum.lives, .slot = i};
    pid_t pid;

    l.root = sum.lives && below(&l.rng, 2);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        l.number ? life_run(&l) : life_census(&l);
    }
    if (pid > 0) {
        slots[i] = (struct slot){sum.lives, now_ms(), pid, false, sum.lives == 0};
        sum.lives++;
    }
}

static void ended(pid_t pid, int status)
{
    struct slot *s = slot_of(pid);
    int64_t took;

    if (!s) {
        return; /* a child that a life has left behind */
    }
    took = now_ms() - s->since;
    if (took > sum.longest) {
        sum.longest = took;
    }
    sum.late += s->ending;
    sum.signals += WIFSIGNALED(status) && !s->ending;
    sum.exits += WIFEXITED(status);
    kill(-pid, SIGKILL);
    s->pid = 0;
    s->census = false;
}

/* Whoever has become our child and is none of the lives. True: there are such. */
static bool end_strays(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    bool any = false;

    while (proc && (e = readdir(proc))) {
        char path[300], text[400], *rest;
        pid_t pid = atoi(e->d_name);
        ssize_t n;
        int fd;

        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        if (pid <= 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
            continue;
        }
        n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        rest = strrchr(text, ')');
        if (rest && rest[1] && atoi(rest + 4) == getpid() && !slot_of(pid)) {
            kill(pid, SIGKILL);
            any = true;
        }
    }
    if (proc) {
        closedir(proc);
    }
    return any;
}

static void say_notes(const struct slot *s)
{
    for (unsigned i = 0; i < options.threads; i++) {
        const struct thread_note *n = &notes->thread[s - slots][i];

        printf(
            "#   life %lu thread %u: call %u of %u: %s(%u: %#lx, %#lx, %#lx, %#lx, %#lx, %#lx)\n",
            (unsigned long)s->life, i, n->made, options.calls,
            n->name < spec_count ? specs[n->name].name : "call", n->nr, (unsigned long)n->arg[0],
            (unsigned long)n->arg[1], (unsigned long)n->arg[2], (unsigned long)n->arg[3],
            (unsigned long)n->arg[4], (unsigned long)n->arg[5]);
    }
}

/* Children that ended or stopped. */
static bool reap(void)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL);

    if (pid <= 0) {
        return false;
    }
    if (WIFSTOPPED(status)) {
        ptrace(PTRACE_CONT, pid, NULL, NULL); /* it may have made us its tracer */
        kill(pid, SIGCONT);
    } else {
        ended(pid, status);
    }
    return true;
}

static void watch_time(void)
{
    for (unsigned i = 0; i < options.slots; i++) {
        struct slot *s = &slots[i];
        int64_t took = s->pid ? now_ms() - s->since : 0;

        if (took > LIFE_MS && !s->ending && s->life) {
            if (options.summary) {
                say_notes(s);
            }
            s->ending = true;
            kill(s->pid, SIGKILL);
        }
        if (took > LIFE_MS + DEATH_MS) {
            printf("callfuzz: seed %lu: process %d cannot be ended\n", (unsigned long)options.seed,
                   (int)s->pid);
            say_notes(s);
            exit(1);
        }
    }
}

static bool running(void)
{
    for (unsigned i = 0; i < options.slots; i++) {
        if (slots[i].pid) {
            return true;
        }
    }
    return false;
}

static void run(void)
{
    int64_t end = options.seconds ? now_ms() + options.seconds * 1000l : INT64_MAX;
    unsigned long swept = 0;

    while (sum.lives < options.lives && now_ms() < end) {
        for (unsigned i = 0; i < options.slots && sum.lives < options.lives; i++) {
            if (!slots[i].pid && !slots[0].census) {
                start(i);
            }
        }
        if (!reap()) {
            usleep(2000);
        }
        watch_time();
        if (sum.lives >= swept + 32) {
            swept = sum.lives;
            end_strays();
            remove_ipc();
            unmount_all();
        }
    }
    while (running()) {
        if (!reap()) {
            usleep(2000);
        }
        watch_time();
    }
    for (int64_t since = now_ms(); end_strays();) {
        while (reap()) {
        }
        usleep(2000);
        if (now_ms() - since > DEATH_MS) {
            printf("callfuzz: seed %lu: left processes cannot be ended\n",
                   (unsigned long)options.seed);
            exit(1);
        }
    }
}

static void say(void)
{
    unsigned long good = 0, bad = 0, faults = 0;

    for (unsigned i = 0; i < CALL_NUMBERS; i++) {
        good += notes->good[i];
        bad += notes->bad[i];
        faults += notes->faults[i];
    }
    for (unsigned i = 0; options.summary && i < spec_count; i++) {
        unsigned nr = specs[i].nr;

        printf("%-24s %8lu good %8lu EFAULT %8lu other errors\n", specs[i].name,
               (unsigned long)notes->good[nr], (unsigned long)notes->faults[nr],
               (unsigned long)notes->bad[nr]);
    }
    printf(
        "callfuzz: seed %lu: %lu lives (%lu by signals, %lu out of time, longest %ld ms), %lu calls: %lu good, %lu EFAULT\n",
        (unsigned long)options.seed, sum.lives, sum.signals, sum.late, (long)sum.longest,
        good + bad + faults, good, faults);
}

static unsigned at_most(const char *text, unsigned most)
{
    unsigned long n = strtoul(text, NULL, 0);

    return n < 1 ? 1 : n > most ? most : (unsigned)n;
}

/* Far from all else, so that what runs over its end meets a hole. */
static void *shared_memory(long where, size_t n)
{
    void *p = mmap((void *)where, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0); /* NOLINT(performance-no-int-to-ptr) */

    if (p == MAP_FAILED) {
        perror("callfuzz");
        exit(2);
    }
    return p;
}

int main(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "n:s:c:j:t:T:lvo:")) != -1) {
        switch (c) {
        case 'n':
            options.lives = at_most(optarg, 1u << 30);
            break;
        case 's':
            options.seed = strtoul(optarg, NULL, 0);
            break;
        case 'c':
            options.calls = at_most(optarg, 1u << 20);
            break;
        case 'j':
            options.slots = at_most(optarg, SLOTS);
            break;
        case 't':
            options.threads = at_most(optarg, THREADS);
            break;
        case 'T':
            options.seconds = at_most(optarg, 1u << 20);
            break;
        case 'l':
            options.list = true;
            break;
        case 'v':
            options.summary = true;
            break;
        case 'o':
            options.only = optarg;
            break;
        default:
            options.lives = 0;
        }
    }
    if (!options.lives || optind != argc ||
        geteuid() != 0) { /* a life may execute us with anything */
        fputs(
            "Usage: callfuzz -n LIVES [-s SEED] [-c CALLS] [-j AT A TIME] [-t THREADS] [-T SECONDS] [-l] [-v] [-o CALL]\n",
            stderr);
        return 2;
    }
    notes = shared_memory(0x1800000000, sizeof *notes);
    common = (long)shared_memory(0x1900000000, COMMON_SIZE);
    if (options.list) {
        dup2(1, LIST_FD);
    }
    remember();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGINT, SIG_IGN);
    mkdir(FOLDER, 0777);
    if (chdir(FOLDER) < 0) {
        perror(FOLDER);
        return 2;
    }
    run();
    put_back();
    say();
    return 0;
}
