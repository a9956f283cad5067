/*
 * Arguments by their letter (calls.c): a value of the kind the call wants, valid more often than not, so
 * that what is behind the first check is reached; and one time in ten something else altogether.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "fuzz.h"
#include "structs.h"

static const long numbers[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    10,
    15,
    16,
    31,
    32,
    33,
    63,
    64,
    65,
    100,
    127,
    128,
    255,
    256,
    511,
    512,
    1000,
    1023,
    1024,
    4095,
    4096,
    4097,
    8191,
    8192,
    10000,
    65535,
    65536,
    65537,
    1l << 20,
    1l << 24,
    1l << 30,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    1l << 32,
    (1l << 32) + 1,
    1l << 38,
    1l << 47,
    1l << 62,
    INT64_MAX,
    INT64_MAX - 1,
    INT64_MIN,
    -1,
    -2,
    -3,
    -16,
    -100,
    -4095,
    -4096,
    -65536,
    -0x7fffffff,
    -0x80000000l,
    INT64_MAX - 4095,
};

static long number(struct rng *r)
{
    return one_in(r, 3) ? (long)below(r, 64) : PICK(r, numbers);
}

static long flags(struct rng *r)
{
    switch (below(r, 6)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return 1l << below(r, 32);
    case 3:
        return 1l << below(r, 16) | 3l << below(r, 16);
    case 4:
        return (long)below(r, 16);
    default:
        return (long)(rnd(r) & 0xffffffff);
    }
}

static long size(struct rng *r)
{
    return one_in(r, 10)  ? PICK(r, numbers)
           : one_in(r, 4) ? (long)below(r, 20000)
                          : (long)below(r, 600);
}

static long offset(struct rng *r)
{
    return one_in(r, 4) ? PICK(r, numbers) : (long)below(r, 20000);
}

static long open_flags(struct rng *r)
{
    static const int bits[] = {O_CREAT,    O_EXCL,    O_TRUNC,   O_APPEND, O_DIRECTORY,
                               O_NOFOLLOW, O_PATH,    O_TMPFILE, O_SYNC,   O_DIRECT,
                               O_NOATIME,  O_CLOEXEC, O_NOCTTY};
    long flag = (long)below(r, 4);

    if (!one_in(r, patient ? 2 : 6)) {
        flag |= O_NONBLOCK;
    }
    while (one_in(r, 2)) {
        flag |= PICK(r, bits);
    }
    return one_in(r, 20) ? flags(r) : flag;
}

/* Not others': keep_out() sees to what is left. */
static long pid(struct rng *r)
{
    static const long others[] = {0, 0, -1, 1, 0x7fffffff, -0x80000000l, 4194305, -0x7fffffff};

    switch (below(r, 6)) {
    case 0:
        return getpid();
    case 5:
        return tracee(r);
    case 1:
        return gettid();
    case 2:
        return getpid() + (long)below(r, 8); /* a thread or child of ours, or of another life */
    case 3:
        return PICK(r, others);
    default:
        return 0;
    }
}

static long fcntl_cmd(struct rng *r)
{
    static const int cmds[] = {F_DUPFD,      F_GETFD,      F_SETFD,     F_GETFL,
                               F_SETFL,      F_GETLK,      F_SETLK,     F_SETLKW,
                               36,           37,           38,          F_GETOWN,
                               F_SETSIG,     F_GETSIG,     F_GETOWN_EX, F_DUPFD_CLOEXEC,
                               F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
                               F_SETLEASE,   F_GETLEASE,   F_NOTIFY,    1035,
                               1036,         1037,         1038};

    return one_in(r, 12) ? (long)below(r, 1100) : PICK(r, cmds);
}

static long ioctl_cmd(struct rng *r)
{
    static const unsigned cmds[] = {
        FIONREAD,   FIONBIO,    FIOCLEX,    FIONCLEX,   0x5460,     0x5401,
        0x5402,     0x5403,     0x5404,     0x5405,     0x5406,     0x5407,
        0x5408,     0x5409,     0x540a,     0x540b,     0x540c,     0x540d,
        0x540e,     0x540f,     0x5410,     0x5411,     0x5412,     0x5413,
        0x5414,     0x5415,     0x5418,     0x541d,     0x5420,     0x5422,
        0x5423,     0x5424,     0x5425,     0x5429,     0x802c542a, 0x402c542b,
        0x402c542c, 0x402c542d, 0x80045430, 0x40045431, 0x80045432, 0x40045436,
        0x80045438, 0x80045439, 0x80045440, 0x5441,             /* terminals */
        0x80045200, 0x40045201, 0x40085203, 0x5204,     0x5206, /* random numbers */
        0x8903,     0x8904,     0x8905,     0x8906,     0x8907,     0x8910,
        0x8912,     0x8913,     0x8915,     0x8919,     0x891b,     0x8921,
        0x8927,     0x8933,     0x8940,     0x8942,     0x8946,     0x8901,
        0x8902, /* sockets */
        0x125e,     0x1260,     0x1268,     0x80081272, 0x80086601, 0x40086602,
        0x801c581f, /* files and disks */
    };

    return one_in(r, 12) ? (long)(rnd(r) & 0xffffffff) : (long)PICK(r, cmds);
}

static long clone_flags(struct rng *r)
{
    static const long sets[] = {
        0,
        SIGCHLD_NR,
        SIGCHLD_NR,
        CLONE_VM | CLONE_VFORK | SIGCHLD_NR,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
        CLONE_FILES | SIGCHLD_NR,
        CLONE_FS | SIGCHLD_NR,
        CLONE_VM | SIGCHLD_NR,
        CLONE_VM | CLONE_SIGHAND | SIGCHLD_NR,
        CLONE_PARENT | SIGCHLD_NR,
        CLONE_PIDFD_BIT | SIGCHLD_NR,
    };
    long flag = PICK(r, sets);

    while (one_in(r, 3)) {
        flag |= 1l << (8 + below(r, 26));
    }
    return one_in(r, 12) ? (long)rnd(r) : flag;
}

static long futex_op(struct rng *r)
{
    return (long)below(r, 14) | (one_in(r, 2) ? 128 : 0) | (one_in(r, 4) ? 256 : 0);
}

static long ptrace_request(struct rng *r)
{
    static const int requests[] = {0,      1,      2,      3,      4,      5,      6,      7,
                                   8,      9,      12,     13,     14,     15,     16,     17,
                                   24,     0x4200, 0x4201, 0x4202, 0x4203, 0x4204, 0x4205, 0x4206,
                                   0x4207, 0x4208, 0x4209, 0x420a, 0x420b, 0x420e};

    return PICK(r, requests);
}

static long prctl_op(struct rng *r)
{
    static const long ops[] = {0x53564d41, 0x59616d61, 1499557217};

    return one_in(r, 10) ? PICK(r, ops) : (long)below(r, 70);
}

static long clock_id(struct rng *r)
{
    return one_in(r, 4) ? -(long)below(r, 70) : (long)below(r, 13);
}

static long option(struct rng *r)
{
    return one_in(r, 8) ? number(r) : (long)below(r, 72);
}

static long mode(struct rng *r)
{
    static const int kinds[] = {0,        0,       S_IFREG, S_IFREG, S_IFIFO,
                                S_IFSOCK, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK};

    return PICK(r, kinds) | (one_in(r, 3) ? (long)below(r, 010000) : 0777);
}

static long uid(struct rng *r)
{
    static const long ids[] = {-1, -1, 0, 65534, 1000, 65535, 65536, -2, 0x7fffffff};

    return PICK(r, ids);
}

static long pages(struct rng *r)
{
    return one_in(r, 8)
               ? PICK(r, numbers)
               : 4096 * (1 + (long)below(r, 8)) - (one_in(r, 6) ? (long)below(r, 4096) : 0);
}

static long map_flags(struct rng *r)
{
    static const int bits[] = {MAP_FIXED,    MAP_ANONYMOUS,       MAP_ANONYMOUS, MAP_NORESERVE,
                               MAP_POPULATE, MAP_GROWSDOWN,       MAP_LOCKED,    MAP_STACK,
                               MAP_HUGETLB,  MAP_FIXED_NOREPLACE, MAP_SYNC};
    long flag = 1 + (long)below(r, 3);

    while (one_in(r, 2)) {
        flag |= PICK(r, bits);
    }
    return one_in(r, 12) ? flags(r) : flag;
}

static long text(struct rng *r, const char *const *names, size_t n)
{
    const char *name = names[below(r, n)];

    return place(r, name, strlen(name) + 1);
}
#define TEXT(r, ...)                                       \
    ({                                                     \
        static const char *const names_[] = {__VA_ARGS__}; \
        text(r, names_, sizeof names_ / sizeof names_[0]); \
    })

static long string(struct rng *r)
{
    char junk[5000];
    size_t n = one_in(r, 4) ? below(r, sizeof junk) : below(r, 20);

    for (size_t i = 0; i < n; i++) {
        junk[i] = (char)(1 + below(r, 255));
        if (junk[i] == '/' || junk[i] == '.') { /* names only: nothing outside our folder */
            junk[i] = '_';
        }
    }
    junk[n] = 0;
    return place(r, junk, n + 1);
}

static long path(struct rng *r, bool own)
{
    const char *name;

    if (one_in(r, 20)) {
        return string(r);
    }
    name = path_name(r, own);
    return place(r, name, strlen(name) + 1);
}

long draw_any(struct rng *r)
{
    switch (below(r, 8)) {
    case 0:
        return any_fd(r);
    case 1:
        return any_pointer(r);
    case 2:
        return area(r);
    case 3:
        return flags(r);
    case 4:
        return pid(r);
    case 5:
        return path(r, true);
    case 6:
        return size(r);
    default:
        return number(r);
    }
}

static long ioctl_arg(struct rng *r)
{
    switch (below(r, 5)) {
    case 0:
        return place_flock(r);
    case 1:
        return number(r);
    case 2:
        return any_fd(r);
    case 3:
        return place_termios(r);
    default:
        return any_pointer(r);
    }
}

static long signo(struct rng *r)
{
    static const int hard[] = {9, 19, 0, 65, -1, 32, 33};

    return one_in(r, 12) ? PICK(r, hard) : 1 + (long)below(r, 64);
}

static long ipc_cmd(struct rng *r)
{
    return one_in(r, 3) ? 0x100 + (long)below(r, 3) : (long)below(r, 20);
}

static long key(struct rng *r)
{
    return one_in(r, 2) ? 0 : 0x6e780000 + (long)below(r, 4);
}

/* Where nobody writes: it must not become another name. */
static long queue_name(struct rng *r)
{
    static const char *const names[] = {"cf1", "cf2", "cf3", "", "/x", "cf1", "cf2", "cf3"};

    return one_in(r, 8) ? PICK(r, ((const long[]){0, 1, -1, -4096})) : (long)PICK(r, names);
}

static long draw_named(struct rng *r, char letter)
{
    switch (letter) {
    case 'f': /* a descriptor of any kind */
        return any_fd(r);
    case 's': /* of a socket */
        return one_in(r, 10) ? any_fd(r) : socket_fd(r);
    case '(': /* of an epoll instance */
        return kind_fd(r, FD_EPOLL);
    case ')':
        return kind_fd(r, FD_MQUEUE);
    case '<':
        return kind_fd(r, FD_PIDFD);
    case '>': /* of a socket that listens */
        return kind_fd(r, FD_LISTENER);
    case '?':
        return kind_fd(r, FD_INOTIFY);
    case ';':
        return one_in(r, 2) ? -1 : kind_fd(r, FD_SIGNALFD);
    case '[':
        return kind_fd(r, FD_TIMERFD);
    case '{': /* of a regular file */
        return kind_fd(r, FD_FILE);
    case '}': /* of a terminal: master or slave */
        return kind_fd(r, FD_TERMINAL) - (int)below(r, 2);
    case ',': /* of a pipe's end to read from */
        return kind_fd(r, FD_PIPE);
    case '.': /* to write to */
        return kind_fd(r, FD_PIPE) + 1;
    case ']':
        return kind_fd(r, FD_FOLDER);
    case 'd': /* of a folder, or none */
        return one_in(r, 3) ? kind_fd(r, FD_FOLDER) : AT_FDCWD;
    case 'N': /* a number for a descriptor */
        return one_in(r, 8) ? number(r) : (long)below(r, 100);
    case 'p':
        return path(r, false);
    case 'q': /* of something of ours: it may be changed */
        return path(r, true);
    case '_': /* a program's */
        return one_in(r, 2) ? TEXT(r, "script", "program", "/proc/self/exe", "") : path(r, true);
    case 'X': /* the name of an extended attribute */
        return one_in(r, 10) ? string(r)
                             : TEXT(r, "user.a", "user.b", "user.", "security.capability",
                                    "trusted.t", "system.posix_acl_access",
                                    "system.posix_acl_default", "security.x", "", "user");
    case 'y': /* a file system's name; not devtmpfs, of which there is one: its files would be /dev's */
        return TEXT(r, "tmpfs", "tmpfs", "proc", "sysfs", "ramfs", "", "ext4", "mqueue", "none");
    case 'Q': /* of a POSIX message queue: those main.c removes, for nobody can list them */
        return queue_name(r);
    case 'H':
        return string(r);
    case 'b': /* memory for whatever the call takes */
        return any_pointer(r);
    case 'n':
        return size(r);
    case 'c':
        return one_in(r, 12) ? number(r) : (long)below(r, 9);
    case 'i':
        return number(r);
    case 'w': /* milliseconds */
        return one_in(r, 20) ? number(r) : (long)below(r, 3);
    case 'F':
        return flags(r);
    case 'x':
        return mode(r);
    case 'o':
        return offset(r);
    case 'O':
        return open_flags(r);
    case 'u':
        return uid(r);
    case '0':
        return place_open_how(r);
    case 't':
        return place_timespec(r, 1);
    case 'T':
        return place_timespec(r, 2);
    case 'V':
        return place_timeval(r);
    case 'g':
        return place_mask(r);
    case '8':
        return one_in(r, 12) ? number(r) : 8;
    case 'G':
        return signo(r);
    case 'P':
        return pid(r);
    case 'S':
        return one_in(r, 3) ? 0 : place_mask(r);
    case 'A':
        return place_pollfds(r);
    case 'e':
        return place_epoll_event(r);
    case 'E':
        return one_in(r, 10) ? number(r) : 1 + (long)below(r, 3);
    case 'v':
        return place_iovec(r);
    case '`':
        return aio_context(r);
    case '&':
        return place_iocbs(r);
    case '"':
        return place_msghdr(r, 1);
    case '\'':
        return place_msghdr(r, 1 + (unsigned)below(r, 4));
    case 'M': /* flags of a message */
        return one_in(r, 4) ? flags(r)
                            : (patient ? 0 : MSG_DONTWAIT) | (one_in(r, 3) ? flags(r) : 0);
    case '$':
        return PICK(r, ((const long[]){MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
                                       MAP_PRIVATE, MAP_SHARED})) |
               (one_in(r, 3) ? 0 : MAP_FIXED);
    case 'm':
        return map_flags(r);
    case 'a':
        return place_sockaddr(r);
    case 'l':
        return one_in(r, 4) ? number(r) : PICK(r, ((const long[]){2, 3, 8, 12, 16, 28, 110, 128}));
    case 'L': /* an int or a long in memory, or nothing */
        return one_in(r, 4) ? 0 : place_long(r, one_in(r, 3) ? number(r) : (long)below(r, 300));
    case 'D':
        return area(r);
    case 'z':
        return pages(r);
    case '~':
        return one_in(r, 10) ? flags(r) : (long)below(r, 4);
    case 'U':
        return futex_word(r);
    case ':':
        return one_in(r, 12) ? flags(r) : futex_op(r);
    case '@':
        return place_robust(r);
    case '*': /* sizeof(struct robust_list_head) */
        return one_in(r, 8) ? number(r) : 24;
    case '/': /* sizeof(struct rseq) */
        return 32;
    case 'k':
        return clock_id(r);
    case 'I':
        return ioctl_cmd(r);
    case 'K':
        return fcntl_cmd(r);
    case 'J':
        return ioctl_arg(r);
    case 'R':
        return prctl_op(r);
    case 'r':
        return ptrace_request(r);
    case '\\': /* whom it is made of */
        return one_in(r, 4) ? pid(r) : tracee(r);
    case 'C':
        return clone_flags(r);
    case '|': /* a stack */
        return one_in(r, 8) ? area(r) : 0;
    case 'Z':
        return place_clone_args(r, clone_flags(r));
    case '1':
        return place_sigevent(r);
    case '2':
        return one_in(r, 10) ? number(r) : (long)below(r, 5);
    case '3':
        return ipc_id(r);
    case '4':
        return key(r);
    case '5':
        return one_in(r, 10) ? number(r) : ipc_cmd(r);
    case '6':
        return place_sembufs(r);
    case '7':
        return place_msgbuf(r);
    case '9':
        return one_in(r, 12) ? number(r) : (long)below(r, 5);
    case 'W':
        return one_in(r, 8)
                   ? flags(r)
                   : 1 | (one_in(r, 2) ? 2 : 0) | (one_in(r, 2) ? 4 : 0) | (one_in(r, 3) ? 8 : 0);
    case 'h':
        return place_handle(r);
    case 'j':
        return place_stack(r);
    case 'B':
        return place_action(r);
    case 'Y':
        return place_argv(r);
    case '!':
        return place_cap_header(r);
    case '-':
        return one_in(r, 2)
                   ? 0
                   : TEXT(r, "mode=0777", "size=1m", "", "bogus", "uid=0,gid=0", "nr_inodes=2");
    case '%':
        return one_in(r, 10) ? number(r) : PICK(r, ((const long[]){1, 1, 2, 2, 10, 16, 17, 0}));
    case '^':
        return (one_in(r, 10) ? number(r) : PICK(r, ((const long[]){1, 1, 2, 2, 3, 5}))) |
               (one_in(r, patient ? 2 : 6) ? 0 : SOCK_NONBLOCK);
    case '=':
        return PICK(r, ((const long[]){1, 1, 1, 0, 6, 17, 41, 270, 58, 255}));
    case '+':
        return option(r);
    default:
        return draw_any(r);
    }
}

long draw(struct rng *r, char letter)
{
    return one_in(r, 12) && letter != 'Q' ? draw_any(r) : draw_named(r, letter);
}
