/*
 * System V shared memory, semaphores and message queues.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define KEY 0x4e585431

static int id;

/* ---- shared memory ---- */

static void shm_basics(void)
{
    struct shmid_ds d;
    char *a, *b;
    pid_t pid;

    ERR(shmget(KEY, 100, 0600), ENOENT);
    ERR(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
    id = OK(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600));
    EQ(shmget(KEY, 5000, 0600), id);
    EQ(shmget(KEY, 0, 0), id);
    ERR(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    ERR(shmget(KEY, 6000, 0600), EINVAL);
    a = shmat(id, NULL, 0);
    CHECK(a != (void *)-1);
    EQ(a[4999], 0);
    b = shmat(id, NULL, SHM_RDONLY);
    CHECK(b != (void *)-1 && b != a);
    strcpy(a, "both");
    EQ(strcmp(b, "both"), 0);
    OK(shmctl(id, IPC_STAT, &d));
    EQ(d.shm_nattch, 2);
    EQ(d.shm_segsz, 5000);
    EQ(d.shm_cpid, getpid());
    CHILD(pid)
    {
        OK(shmctl(id, IPC_STAT, &d));
        EQ(d.shm_nattch, 4); /* what fork copied counts */
        strcpy(a, "child");
    }
    wait_ok(pid);
    EQ(strcmp(b, "child"), 0);
    CHILD(pid)
    {
        b[0] = 'x';
    }
    wait_killed(pid, SIGSEGV);
    OK(shmdt(b));
    ERR(shmdt(b), EINVAL);
    OK(shmctl(id, IPC_STAT, &d));
    EQ(d.shm_nattch, 1);
    OK(shmctl(id, IPC_RMID, NULL));
    ERR(shmget(KEY, 0, 0), ENOENT);
    EQ(strcmp(a, "child"), 0); /* it is there as long as somebody uses it */
    OK(shmctl(id, IPC_STAT, &d));
    CHECK(d.shm_perm.mode & 01000);
    b = shmat(id, NULL, 0);
    CHECK(b != (void *)-1);
    OK(shmdt(b));
    OK(shmdt(a));
    ERR(shmctl(id, IPC_STAT, &d), EINVAL);
}

static void shm_places(void)
{
    char *at = mmap(NULL, 4 * page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct shmid_ds d;

    CHECK(at != MAP_FAILED);
    id = OK(shmget(IPC_PRIVATE, page_size(), 0600));
    ERR(shmat(id, at, 0), EINVAL); /* something is there */
    CHECK(shmat(id, at, SHM_REMAP) == at);
    strcpy(at, "mapped over");
    OK(munmap(at + 2 * page_size(), 2 * page_size()));
    ERR(shmat(id, at + 2 * page_size() + 1, 0), EINVAL);
    CHECK(shmat(id, at + 2 * page_size() + 1, SHM_RND) == at + 2 * page_size());
    EQ(strcmp(at + 2 * page_size(), "mapped over"), 0);
    ERR(shmat(id, NULL, SHM_REMAP), EINVAL);
    ERR(shmat(id + 1, NULL, 0), EINVAL);
    ERR(shmctl(id, IPC_STAT, NULL), EFAULT);
    ERR(shmctl(id, 99, &d), EINVAL);
    OK(munmap(at, page_size())); /* as good as shmdt */
    OK(shmctl(id, IPC_STAT, &d));
    EQ(d.shm_nattch, 1);
    OK(shmctl(id, IPC_RMID, NULL));
}

static void shm_rights(void)
{
    struct shmid_ds d;
    pid_t pid;

    if (geteuid() != 0) {
        SKIP("only root can become somebody else");
    }
    id = OK(shmget(KEY, 100, IPC_CREAT | 0604));
    CHILD(pid)
    {
        OK(setgid(1234));
        OK(setuid(1234));
        ERR(shmget(KEY, 100, 0606), EACCES);
        EQ(shmget(KEY, 100, 0404), id);
        ERR(shmat(id, NULL, 0), EACCES);
        CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
        OK(shmctl(id, IPC_STAT, &d));
        ERR(shmctl(id, IPC_SET, &d), EPERM);
        ERR(shmctl(id, IPC_RMID, NULL), EPERM);
    }
    wait_ok(pid);
    OK(shmctl(id, IPC_STAT, &d));
    d.shm_perm.uid = 1234;
    d.shm_perm.mode = 0400;
    OK(shmctl(id, IPC_SET, &d));
    CHILD(pid)
    {
        OK(setuid(1234));
        OK(shmctl(id, IPC_RMID, NULL));
    }
    wait_ok(pid);
}

/* ---- semaphores ---- */

union value {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int sem(int num, int op, int flags)
{
    struct sembuf s = {
        .sem_num = (unsigned short)num, .sem_op = (short)op, .sem_flg = (short)flags};

    return semop(id, &s, 1);
}

static int get(int num)
{
    return OK(semctl(id, num, GETVAL));
}

static void sem_basics(void)
{
    unsigned short all[3] = {1, 2, 3};
    struct semid_ds d;
    struct sembuf two[2] = {{0, -1, IPC_NOWAIT}, {1, -5, IPC_NOWAIT}};

    ERR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    ERR(semget(KEY, 3, 0600), ENOENT);
    id = OK(semget(KEY, 3, IPC_CREAT | 0600));
    ERR(semget(KEY, 4, 0600), EINVAL);
    EQ(semget(KEY, 0, 0600), id);
    EQ(get(0), 0);
    OK(semctl(id, 0, SETALL, (union value){.array = all}));
    memset(all, 0, sizeof all);
    OK(semctl(id, 0, GETALL, (union value){.array = all}));
    EQ(all[2], 3);
    ERR(semop(id, two, 2), EAGAIN); /* all or nothing */
    EQ(get(0), 1);
    OK(sem(0, -1, 0));
    OK(sem(0, 0, 0));
    EQ(semctl(id, 0, GETPID), getpid());
    ERR(sem(1, 0, IPC_NOWAIT), EAGAIN);
    ERR(sem(3, 1, 0), EFBIG);
    ERR(sem(1, 32767, 0), ERANGE);
    ERR(semop(id, two, 0), EINVAL);
    ERR(semop(id, two, 501), E2BIG);
    ERR(semop(id, NULL, 1), EFAULT);
    ERR(semop(-1, two, 1), EINVAL);
    ERR(semctl(id, 3, GETVAL), EINVAL);
    ERR(semctl(id, 0, SETVAL, (union value){.val = 32768}), ERANGE);
    ERR(semctl(id, 0, 99), EINVAL);
    OK(semctl(id, 0, IPC_STAT, (union value){.buf = &d}));
    EQ(d.sem_nsems, 3);
    CHECK(d.sem_otime > 0);
    OK(semctl(id, 0, IPC_RMID));
    ERR(semctl(id, 0, GETVAL), EINVAL);
}

static void wait_count(int num, int what, int n)
{
    while (OK(semctl(id, num, what)) != n) {
        sleep_ms(1);
    }
}

static void sem_sleepers(void)
{
    pid_t a, b;

    id = OK(semget(IPC_PRIVATE, 2, 0600));
    OK(semctl(id, 1, SETVAL, (union value){.val = 1}));
    CHILD(a)
    {
        OK(sem(0, -3, 0));
    }
    CHILD(b)
    {
        OK(sem(1, 0, 0));
    }
    wait_count(0, GETNCNT, 1);
    wait_count(1, GETZCNT, 1);
    OK(sem(0, 2, 0)); /* not enough */
    EQ(semctl(id, 0, GETNCNT), 1);
    OK(sem(0, 2, 0));
    wait_ok(a);
    EQ(get(0), 1);
    OK(sem(1, -1, 0));
    wait_ok(b);
    CHILD(a)
    {
        ERR(sem(1, -1, 0), EIDRM);
    }
    wait_count(1, GETNCNT, 1);
    CHILD(b)
    {
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        ERR(sem(1, -1, 0), EINTR); /* never restarted */
    }
    wait_count(1, GETNCNT, 2);
    OK(kill(b, SIGUSR1));
    wait_ok(b);
    OK(semctl(id, 0, IPC_RMID));
    wait_ok(a);
}

static void sem_times_out(void)
{
    struct timespec t = {0, 20000000}, bad = {0, 1000000000};
    struct sembuf s = {0, -1, 0};

    id = OK(semget(IPC_PRIVATE, 1, 0600));
    ERR(semtimedop(id, &s, 1, &t), EAGAIN);
    ERR(semtimedop(id, &s, 1, &bad), EINVAL);
    OK(sem(0, 1, 0));
    OK(semtimedop(id, &s, 1, &t));
    OK(semctl(id, 0, IPC_RMID));
}

static void sem_undo(void)
{
    pid_t pid;

    id = OK(semget(IPC_PRIVATE, 2, 0600));
    OK(semctl(id, 0, SETVAL, (union value){.val = 5}));
    CHILD(pid)
    {
        OK(sem(0, -2, SEM_UNDO));
        OK(sem(0, -1, 0));
        OK(sem(1, 4, SEM_UNDO));
        EQ(get(0), 2);
    }
    wait_ok(pid);
    EQ(get(0), 4);
    EQ(get(1), 0);
    EQ(semctl(id, 0, GETPID), pid);
    CHILD(pid)
    {
        OK(sem(0, -2, SEM_UNDO));
        OK(semctl(id, 0, SETVAL, (union value){.val = 9})); /* forgets it */
        kill(getpid(), SIGKILL);
    }
    wait_killed(pid, SIGKILL);
    EQ(get(0), 9);
    CHILD(pid)
    {
        OK(sem(0, -9, SEM_UNDO));
        for (;;) {
            pause();
        }
    }
    OK(sem(0, 0, 0));
    OK(kill(pid, SIGKILL));
    OK(sem(0, -9, 0)); /* its end gives them back */
    wait_killed(pid, SIGKILL);
    OK(semctl(id, 0, IPC_RMID));
}

/* ---- message queues ---- */

struct message {
    long type;
    char text[64];
};

static void put(long type, const char *text)
{
    struct message m = {.type = type};

    strcpy(m.text, text);
    OK(msgsnd(id, &m, strlen(text), IPC_NOWAIT));
}

static void take(long type, int flags, const char *text)
{
    struct message m;
    ssize_t n = OK(msgrcv(id, &m, sizeof m.text, type, flags | IPC_NOWAIT));

    if ((size_t)n != strlen(text) || memcmp(m.text, text, (size_t)n) != 0) {
        FAIL("got %.*s, not %s", (int)n, m.text, text);
    }
}

static void msg_basics(void)
{
    struct message m = {.type = 1};
    struct msqid_ds d;

    id = OK(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
    EQ(msgget(KEY, 0), id);
    ERR(msgget(KEY, IPC_CREAT | IPC_EXCL), EEXIST);
    put(3, "three");
    put(1, "one");
    put(2, "two");
    put(2, "zwei");
    put(3, "drei");
    OK(msgctl(id, IPC_STAT, &d));
    EQ(d.msg_qnum, 5);
    EQ(d.msg_lspid, getpid());
    take(2, 0, "two");
    take(-2, 0, "one");
    take(-2, 0, "zwei");
    put(7, "seven");
    take(3, MSG_EXCEPT, "seven");
    ERR(msgrcv(id, &m, 3, 0, IPC_NOWAIT), E2BIG);
    EQ(msgrcv(id, &m, 3, 0, IPC_NOWAIT | MSG_NOERROR), 3);
    EQ(strncmp(m.text, "thr", 3), 0);
    take(0, 0, "drei");
    ERR(msgrcv(id, &m, 3, 0, IPC_NOWAIT), ENOMSG);
    m.type = 0;
    ERR(msgsnd(id, &m, 1, 0), EINVAL);
    m.type = 1;
    ERR(msgsnd(id, &m, 8193, 0), EINVAL);
    ERR(msgsnd(id, NULL, 1, 0), EFAULT);
    ERR(msgrcv(id, &m, (size_t)-1, 0, 0), EINVAL);
    put(1, "");
    take(0, 0, "");
    OK(msgctl(id, IPC_RMID, NULL));
    ERR(msgsnd(id, &m, 1, 0), EINVAL);
}

static void msg_sleepers(void)
{
    static struct {
        long type;
        char text[8000];
    } big = {.type = 1};
    struct message m = {.type = 5, .text = "woken"};
    struct msqid_ds d;
    pid_t pid;

    id = OK(msgget(IPC_PRIVATE, 0600));
    CHILD(pid)
    {
        EQ(msgrcv(id, &m, sizeof m.text, 5, 0), 5);
    }
    wait_state(pid, 'S');
    OK(msgsnd(id, &m, 5, 0));
    wait_ok(pid);
    OK(msgsnd(id, &big, sizeof big.text, IPC_NOWAIT));
    OK(msgsnd(id, &big, sizeof big.text, IPC_NOWAIT));
    ERR(msgsnd(id, &big, sizeof big.text, IPC_NOWAIT), EAGAIN);
    CHILD(pid)
    {
        OK(msgsnd(id, &big, sizeof big.text, 0));
    }
    wait_state(pid, 'S');
    EQ(msgrcv(id, &big, sizeof big.text, 0, 0), sizeof big.text);
    wait_ok(pid);
    OK(msgctl(id, IPC_STAT, &d));
    EQ(d.msg_cbytes, 2 * sizeof big.text);
    CHILD(pid)
    {
        ERR(msgsnd(id, &big, sizeof big.text, 0), EIDRM);
    }
    wait_state(pid, 'S');
    OK(msgctl(id, IPC_RMID, NULL));
    wait_ok(pid);
}

static void listed(void)
{
    char text[4096], want[32];
    FILE *f;
    size_t n;

    id = OK(msgget(IPC_PRIVATE, 0600));
    f = fopen("/proc/sysvipc/msg", "r");
    CHECK(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    snprintf(want, sizeof want, " %d ", id);
    CHECK(strstr(text, "msqid") && strstr(text, want));
    OK(msgctl(id, IPC_RMID, NULL));
}

const struct test sysv_tests[] = {
    {"shm_basics", shm_basics},
    {"shm_places", shm_places},
    {"shm_rights", shm_rights},
    {"sem_basics", sem_basics},
    {"sem_sleepers", sem_sleepers},
    {"sem_times_out", sem_times_out},
    {"sem_undo", sem_undo},
    {"msg_basics", msg_basics},
    {"msg_sleepers", msg_sleepers},
    {"listed", listed},
    {NULL, NULL},
};
