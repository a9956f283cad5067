/*
 * Who one is and what one may: capabilities, changes of ids, groups, set-id programs, prctl about them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#define BIT(cap) (1ull << (cap))

struct caps {
    uint64_t e, p, i;
};

static long caps_call(int number, uint32_t version, int pid, struct caps *c)
{
    struct __user_cap_header_struct h = {.version = version, .pid = pid};
    struct __user_cap_data_struct d[2] = {
        {(uint32_t)c->e, (uint32_t)c->p, (uint32_t)c->i},
        {(uint32_t)(c->e >> 32), (uint32_t)(c->p >> 32), (uint32_t)(c->i >> 32)}};
    long r = syscall(number, &h, d);

    c->e = d[0].effective | (uint64_t)d[1].effective << 32;
    c->p = d[0].permitted | (uint64_t)d[1].permitted << 32;
    c->i = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
    return r;
}

static struct caps caps(void)
{
    struct caps c = {0};

    OK(caps_call(SYS_capget, _LINUX_CAPABILITY_VERSION_3, 0, &c));
    return c;
}

static void caps_set(uint64_t e, uint64_t p, uint64_t i)
{
    OK(caps_call(SYS_capset, _LINUX_CAPABILITY_VERSION_3, 0, &(struct caps){e, p, i}));
}

static void need_root(void)
{
    if (geteuid() != 0 || !(caps().e & BIT(CAP_SYS_ADMIN))) {
        SKIP("needs root");
    }
}

static void of_root(void)
{
    struct __user_cap_header_struct h = {.version = 1};
    struct caps c;

    need_root();
    c = caps();
    EQ(c.e, c.p);
    CHECK(c.e & BIT(CAP_CHOWN) && c.e & BIT(CAP_SETPCAP));
    EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN), 1);
    ERR(prctl(PR_CAPBSET_READ, 63), EINVAL);
    /* Which version is spoken? */
    OK(syscall(SYS_capget, &h, NULL));
    EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.version = 1;
    ERR(syscall(SYS_capget, &h, &c), EINVAL);
    h.pid = -1;
    ERR(syscall(SYS_capget, &h, &c), EINVAL);
    h.pid = 4000000;
    ERR(syscall(SYS_capget, &h, &c), ESRCH);
    ERR(syscall(SYS_capget, NULL, &c), EFAULT);
    h.pid = 0;
    ERR(syscall(SYS_capset, &h, (void *)8), EFAULT);
    h.pid = getppid();
    ERR(syscall(SYS_capset, &h, &c), EPERM);
}

static void given_up_with_the_id(void)
{
    struct caps before;

    need_root();
    before = caps();
    OK(seteuid(1000)); /* for the time being */
    EQ(caps().e, 0);
    EQ(caps().p, before.p);
    ERR(setgid(5), EPERM);
    OK(seteuid(0));
    EQ(caps().e, before.p);
    setfsuid(1000); /* only what is about files */
    EQ(caps().e & BIT(CAP_DAC_OVERRIDE), 0);
    CHECK(caps().e & BIT(CAP_KILL));
    setfsuid(0);
    EQ(caps().e, before.p);
    OK(setuid(1000)); /* for good */
    EQ(caps().e, 0);
    EQ(caps().p, 0);
    ERR(setuid(0), EPERM);
}

static void kept(void)
{
    need_root();
    write_file("f", "");
    OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
    ERR(prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0), EINVAL);
    OK(setresuid(1000, 1000, 1000));
    EQ(caps().e, 0);
    CHECK(caps().p & BIT(CAP_CHOWN));
    caps_set(BIT(CAP_CHOWN), BIT(CAP_CHOWN), 0);
    OK(chown("f", 5, 6));
    ERR(chmod("f", 0600), EPERM); /* that is another one */
    ERR(caps_call(SYS_capset, _LINUX_CAPABILITY_VERSION_3, 0,
                  &(struct caps){0, BIT(CAP_FOWNER), 0}),
        EPERM);
    ERR(caps_call(SYS_capset, _LINUX_CAPABILITY_VERSION_3, 0, &(struct caps){BIT(CAP_CHOWN), 0, 0}),
        EPERM);
    ERR(caps_call(SYS_capset, _LINUX_CAPABILITY_VERSION_3, 0, &(struct caps){0, 0, BIT(CAP_KILL)}),
        EPERM);
    ERR(prctl(PR_CAPBSET_DROP, CAP_KILL), EPERM);
}

static void one_at_a_time(void)
{
    pid_t pid;

    need_root();
    OK(chmod(".", 0755));
    write_file("secret", "x");
    OK(chmod("secret", 0));
    OK(chown("secret", 5, 5));
    caps_set(BIT(CAP_DAC_READ_SEARCH), ~0ull & caps().p, 0);
    OK(close(OK(open("secret", O_RDONLY))));
    ERR(open("secret", O_WRONLY), EACCES);
    ERR(chown("secret", 0, 0), EPERM);
    ERR(mknod("dev", S_IFCHR | 0600, 0x103), EPERM);
    ERR(sethostname("x", 1), EPERM);
    ERR(chroot("."), EPERM);
    caps_set(BIT(CAP_SETUID), BIT(CAP_SETUID), 0);
    ERR(open("secret", O_RDONLY), EACCES);
    OK(setresuid(0, 1000, 0));
    CHILD(pid)
    {
        sleep_ms(20);
    }
    OK(kill(pid, 0)); /* the real id is the same */
    wait_ok(pid);
    OK(setresuid(0, 0, 0));
}

static void ambient(void)
{
    need_root();
    ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM); /* not inheritable */
    caps_set(caps().e, caps().p, BIT(CAP_CHOWN));
    EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
    OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
    EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
    OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 63, 0, 0), EINVAL);
    ERR(prctl(PR_CAP_AMBIENT, 9, CAP_CHOWN, 0, 0), EINVAL);
    OK(prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED));
    ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
    ERR(prctl(PR_SET_SECUREBITS, 0), EPERM); /* locked */
}

static void many_groups(void)
{
    enum { N = 1000 };
    static gid_t set[N], got[N];
    gid_t bad = (gid_t)-1;

    need_root();
    for (int i = 0; i < N; i++) {
        set[i] = (gid_t)((i * 7919) % 5000 + 10);
    }
    OK(setgroups(N, set));
    EQ(getgroups(0, NULL), N);
    ERR(getgroups(N - 1, got), EINVAL);
    EQ(getgroups(N, got), N);
    for (int i = 1; i < N; i++) {
        CHECK(got[i - 1] <= got[i]);
    }
    write_file("f", "x");
    OK(chmod("f", 0640));
    OK(chown("f", 0, set[777]));
    ERR(syscall(SYS_setgroups, 65537, set), EINVAL);
    ERR(syscall(SYS_setgroups, -1, set), EINVAL);
    ERR(syscall(SYS_setgroups, 2, (void *)8), EFAULT);
    ERR(setgroups(1, &bad), EINVAL);
    EQ(getgroups(0, NULL), N);
    OK(setresuid(1000, 1000, 1000));
    OK(close(OK(open("f", O_RDONLY))));
    ERR(open("f", O_RDWR), EACCES);
    ERR(setgroups(0, NULL), EPERM);
}

/* ---- programs ---- */

static void copy_self(const char *to)
{
    static char buf[65536];
    int in = OK(open(self_path, O_RDONLY)), out = OK(open(to, O_WRONLY | O_CREAT, 0755));
    ssize_t n;

    while ((n = OK(read(in, buf, sizeof buf))) > 0) {
        EQ(write(out, buf, (size_t)n), n);
    }
    OK(close(in));
    OK(close(out));
}

/* A file system on which set-id bits count, with this program in it. */
static void programs(unsigned long flags)
{
    need_root();
    OK(chmod(".", 0755));
    OK(mkdir("m", 0755));
    OK(mount("none", "m", "tmpfs", flags, "mode=755"));
    copy_self("m/prog");
}

/* Run it in a child that is already somebody; it must find these ids, caps (permitted) and AT_SECURE. */
static void run(int ruid, int euid, int egid, int secure, uint64_t permitted)
{
    char text[5][32];
    char *argv[] = {"prog", "--helper", "ids", text[0], text[1], text[2], text[3], text[4], NULL};

    snprintf(text[0], 32, "%d", ruid);
    snprintf(text[1], 32, "%d", euid);
    snprintf(text[2], 32, "%d", egid);
    snprintf(text[3], 32, "%d", secure);
    snprintf(text[4], 32, "%llx", (unsigned long long)permitted);
    execv("m/prog", argv);
    FAIL("exec: %s", test_errno_name(errno));
}

static void end_programs(void)
{
    OK(umount("m"));
}

static void set_user_id(void)
{
    pid_t pid;

    programs(0);
    OK(chown("m/prog", 2000, 3000));
    OK(chmod("m/prog", 06755));
    CHILD(pid)
    {
        OK(setgroups(0, NULL));
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 2000, 3000, 1, 0);
    }
    wait_ok(pid);
    CHILD(pid)
    {
        OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 1000, 1000, 0, 0);
    }
    wait_ok(pid);
    OK(chmod("m/prog", 02745)); /* without x for the group this is something else */
    CHILD(pid)
    {
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 1000, 1000, 0, 0);
    }
    wait_ok(pid);
    OK(chown("m/prog", 0, 0));
    OK(chmod("m/prog", 04755));
    CHILD(pid)
    {
        uint64_t all = caps().p;
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 0, 1000, 1, all);
    }
    wait_ok(pid);
    CHILD(pid)
    {
        OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 1000, 1000, 0, 0);
    }
    wait_ok(pid);
    end_programs();
}

static void go_on_after_exec(pid_t pid)
{
    int status;

    EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    OK(ptrace(PTRACE_CONT, pid, NULL, NULL));
    wait_ok(pid);
}

/* Who traces a program could have it do anything, so it gains nothing unless root began that. */
static void set_user_id_traced(void)
{
    pid_t pid, traced;

    programs(0);
    OK(chmod("m/prog", 04755));
    CHILD(pid)
    {
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        CHILD(traced)
        {
            OK(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
            run(1000, 1000, 1000, 1, 0);
        }
        go_on_after_exec(traced);
    }
    wait_ok(pid);
    CHILD(pid)
    {
        uint64_t all = caps().p;
        OK(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); /* whose rights at this moment count */
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 0, 1000, 1, all);
    }
    go_on_after_exec(pid);
    end_programs();
}

static void file_capabilities(void)
{
    struct vfs_cap_data d = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE};
    pid_t pid;
    int fd;

    programs(0);
    d.data[0].permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL);
    if (setxattr("m/prog", "security.capability", &d, XATTR_CAPS_SZ_2, 0) < 0) {
        EQ(errno, EOPNOTSUPP);
        end_programs();
        SKIP("no attributes in this file system");
    }
    ERR(setxattr("m/prog", "security.capability", &d, 7, 0), EINVAL);
    CHILD(pid)
    {
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 1000, 1000, 1, BIT(CAP_CHOWN) | BIT(CAP_KILL));
    }
    wait_ok(pid);
    CHILD(pid)
    {
        char *argv[] = {"prog", "--helper", "exit", "0", NULL};
        OK(prctl(PR_CAPBSET_DROP, CAP_KILL));
        OK(setresuid(1000, 1000, 1000));
        execv("m/prog", argv);
        EQ(errno, EPERM); /* it cannot have what it says it needs */
    }
    wait_ok(pid);
    fd = OK(open("m/prog", O_WRONLY | O_APPEND));
    EQ(write(fd, "x", 1), 1); /* which is not the program it was */
    OK(close(fd));
    ERR(getxattr("m/prog", "security.capability", &d, sizeof d), ENODATA);
    end_programs();
}

static void without_root_powers(void)
{
    pid_t pid;

    programs(0);
    CHILD(pid)
    {
        OK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
        run(0, 0, 0, 0, 0);
    }
    wait_ok(pid);
    CHILD(pid)
    {
        caps_set(caps().e, caps().p, BIT(CAP_CHOWN));
        OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
        OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
        OK(setresgid(1000, 1000, 1000));
        OK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
        OK(setresuid(1000, 1000, 1000));
        run(1000, 1000, 1000, 0, BIT(CAP_CHOWN));
    }
    wait_ok(pid);
    end_programs();
}

/* Each thing one may do with another's shared memory has its own capability. */
static void shared_memory(void)
{
    const uint64_t all = BIT(CAP_IPC_OWNER) | BIT(CAP_IPC_LOCK) | BIT(CAP_SYS_ADMIN);
    int id;
    pid_t pid;

    need_root();
    id = OK(shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600));
    CHILD(pid)
    {
        OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        caps_set(0, all, 0);
        ERR(shmat(id, NULL, 0), EACCES);
        ERR(shmctl(id, SHM_LOCK, NULL), EPERM);
        caps_set(BIT(CAP_IPC_OWNER), all, 0);
        CHECK(shmat(id, NULL, 0) != (void *)-1);
        ERR(shmctl(id, SHM_LOCK, NULL), EPERM);
        ERR(shmctl(id, IPC_RMID, NULL), EPERM);
        caps_set(BIT(CAP_IPC_LOCK), all, 0);
        OK(shmctl(id, SHM_LOCK, NULL));
        OK(shmctl(id, SHM_UNLOCK, NULL));
        ERR(shmctl(id, IPC_RMID, NULL), EPERM);
        caps_set(BIT(CAP_SYS_ADMIN), all, 0);
        ERR(shmctl(id, SHM_LOCK, NULL), EPERM);
        OK(shmctl(id, IPC_RMID, NULL));
    }
    wait_ok(pid);
}

static void process_limit(void)
{
    struct rlimit none = {1, 1};
    char *argv[] = {"posixtest", "--helper", "exit", "0", NULL};

    need_root();
    OK(setrlimit(RLIMIT_NPROC, &none));
    OK(setresuid(4321, 4321, 4321)); /* its first process: just allowed */
    ERR(fork(), EAGAIN);
    execv(self_path, argv);
    FAIL("exec: %s", test_errno_name(errno));
}

static void namespaces(void)
{
    pid_t pid;
    int fd = OK(open("/", O_RDONLY));

    ERR(unshare((int)0x80000000u), EINVAL);
    ERR(syscall(SYS_setns, 99, 0), EBADF);
    ERR(syscall(SYS_setns, fd, 0), EINVAL);
    CHILD(pid)
    {
        OK(unshare(CLONE_FS | CLONE_FILES));
    }
    wait_ok(pid);
    need_root();
    CHILD(pid)
    {
        OK(setuid(1000));
        ERR(unshare(CLONE_NEWNS), EPERM);
        ERR(unshare(CLONE_NEWUTS), EPERM);
    }
    wait_ok(pid);
}

static void process_options(void)
{
    char name[16];
    pid_t pid;

    OK(prctl(PR_SET_NAME, "a name that is too long"));
    OK(prctl(PR_GET_NAME, name));
    EQ(strcmp(name, "a name that is "), 0);
    OK(prctl(PR_SET_TIMERSLACK, 12345));
    EQ(prctl(PR_GET_TIMERSLACK), 12345);
    OK(prctl(PR_SET_TIMERSLACK, 0));
    EQ(prctl(PR_GET_TIMERSLACK), 50000);
    ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    ERR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    ERR(prctl(123456), EINVAL);
    CHILD(pid)
    {
        OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        CHILD(pid)
        {
            EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        }
        wait_ok(pid);
    }
    wait_ok(pid);
}

static void *no_more(void *arg)
{
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    return NULL;
}

/* Each thread gives up its own. */
static void no_new_privs_of_a_thread(void)
{
    pthread_t t;
    pid_t pid;
    EQ(pthread_create(&t, NULL, no_more, NULL), 0);
    EQ(pthread_join(t, NULL), 0);
    EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    no_more(NULL);
    CHILD(pid)
    {
        EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    }
    wait_ok(pid);
}

const struct test cred_tests[] = {
    {"of_root", of_root},
    {"given_up_with_the_id", given_up_with_the_id},
    {"kept", kept},
    {"one_at_a_time", one_at_a_time},
    {"ambient", ambient},
    {"many_groups", many_groups},
    {"set_user_id", set_user_id},
    {"set_user_id_traced", set_user_id_traced},
    {"file_capabilities", file_capabilities},
    {"without_root_powers", without_root_powers},
    {"shared_memory", shared_memory},
    {"process_limit", process_limit},
    {"namespaces", namespaces},
    {"process_options", process_options},
    {"no_new_privs_of_a_thread", no_new_privs_of_a_thread},
    {NULL, NULL},
};
