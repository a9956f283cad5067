/*
 * The pointer matrix of sockets, System V objects and POSIX message queues.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "matrix.h"

static int a, b, listener, udp, caller = -1, highest;
static struct sockaddr_in at = {.sin_family = AF_INET}, mine = {.sin_family = AF_INET};
static char buf[64], name[128];
static socklen_t len;

static void close_new(long result)
{
    (void)result;
    close_from(highest + 1);
    caller = -1;
}

static void call(void)
{
    len = sizeof at;
    close_new(0);
    caller = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK(connect(caller, (void *)&at, sizeof at) == 0);
}

static void drain(void)
{
    while (recv(b, buf, sizeof buf, MSG_DONTWAIT) > 0) {
    }
}

static void send_one(void)
{
    drain();
    EQ(send(a, "hello", 5, 0), 5);
}

static void have_datagram(void)
{
    while (recv(udp, buf, sizeof buf, MSG_DONTWAIT) > 0) {
    }
    len = sizeof name;
    EQ(sendto(udp, "hello", 5, 0, (void *)&mine, sizeof mine), 5);
}

static void full_length(void)
{
    len = sizeof name;
}

static void sockets(void (*run)(const struct row *))
{
    static int pair[2], one = 1;
    static struct sockaddr_in any = {.sin_family = AF_INET};
    static socklen_t int_len;
    int p[2], fresh;

    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, p));
    a = p[0], b = p[1];
    listener = OK(socket(AF_INET, SOCK_STREAM, 0));
    at.sin_addr.s_addr = mine.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    OK(bind(listener, (void *)&at, sizeof at));
    OK(listen(listener, 4));
    len = sizeof at;
    OK(getsockname(listener, (void *)&at, &len));
    udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
    OK(bind(udp, (void *)&mine, sizeof mine));
    len = sizeof mine;
    OK(getsockname(udp, (void *)&mine, &len));
    fresh = OK(socket(AF_INET, SOCK_DGRAM, 0));
    OK(connect(fresh, (void *)&mine, sizeof mine));
    highest = fresh;
    int_len = sizeof one;
    const struct row rows[] = {
        {"socketpair",
         SYS_socketpair,
         {V(AF_UNIX), V(SOCK_STREAM), V(0), W(&pair)},
         .after = close_new},
        {"bind", SYS_bind, {V(udp), R(&any), V(sizeof any)}, .error = EINVAL},
        {"accept",
         SYS_accept,
         {V(listener), {WRITE | NULL_OK, (long)name, 16}, W(&len)},
         .before = call,
         .after = close_new},
        {"accept4",
         SYS_accept4,
         {V(listener), {WRITE | NULL_OK, (long)name, 16}, W(&len), V(0)},
         .before = call,
         .after = close_new},
        {"connect", SYS_connect, {V(fresh), R(&mine), V(sizeof mine)}},
        {"getsockname",
         SYS_getsockname,
         {V(udp), {WRITE, (long)name, 16}, W(&len)},
         .before = full_length},
        {"getpeername",
         SYS_getpeername,
         {V(fresh), {WRITE, (long)name, 16}, W(&len)},
         .before = full_length},
        {"sendto",
         SYS_sendto,
         {V(udp), {READ, (long)buf, 5}, V(5), V(0), RF(&mine, NULL_OK), V(sizeof mine)},
         .before = have_datagram},
        {"recvfrom",
         SYS_recvfrom,
         {V(udp), {WRITE, (long)buf, 5}, V(5), V(0), {WRITE | NULL_OK, (long)name, 16}, W(&len)},
         .before = have_datagram},
        {"setsockopt", SYS_setsockopt, {V(udp), V(SOL_SOCKET), V(SO_REUSEADDR), R(&one), V(4)}},
        {"setsockopt SO_LINGER",
         SYS_setsockopt,
         {V(udp), V(SOL_SOCKET), V(SO_LINGER), {READ, (long)name, 8}, V(8)}},
        {"setsockopt SO_RCVTIMEO",
         SYS_setsockopt,
         {V(udp), V(SOL_SOCKET), V(SO_RCVTIMEO), {READ, (long)(name + 64), 16}, V(16)}},
        {"getsockopt", SYS_getsockopt, {V(udp), V(SOL_SOCKET), V(SO_TYPE), W(&one), W(&int_len)}},
        {"getsockopt SO_LINGER",
         SYS_getsockopt,
         {V(udp), V(SOL_SOCKET), V(SO_LINGER), {WRITE, (long)buf, 4}, W(&int_len)}},
        {"getsockopt SO_PEERCRED",
         SYS_getsockopt,
         {V(a), V(SOL_SOCKET), V(SO_PEERCRED), {WRITE, (long)buf, 4}, W(&int_len)}},
        {0},
    };
    memset(name, 0, sizeof name);
    run(rows);
}

static void messages(void (*run)(const struct row *))
{
    static char data[64];
    static struct iovec v = {data, 5};
    static struct {
        struct cmsghdr head;
        int fd[1];
        int pad;
    } control;
    static struct msghdr
        out = {.msg_name = &mine, .msg_namelen = sizeof mine, .msg_iov = &v, .msg_iovlen = 1},
        in = {.msg_name = name, .msg_namelen = sizeof name, .msg_iov = &v, .msg_iovlen = 1},
        pass = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 20},
        take = {.msg_iov = &v, .msg_iovlen = 1};
    static struct {
        struct msghdr h;
        unsigned len, pad;
    } many_out = {{.msg_name = &mine, .msg_namelen = sizeof mine, .msg_iov = &v, .msg_iovlen = 1},
                  0,
                  0},
      many_in = {{.msg_iov = &v, .msg_iovlen = 1}, 0, 0};
    static struct timespec t;
    int p[2];

    OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
    a = p[0], b = p[1];
    udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
    mine.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    OK(bind(udp, (void *)&mine, sizeof mine));
    len = sizeof mine;
    OK(getsockname(udp, (void *)&mine, &len));
    control.head =
        (struct cmsghdr){.cmsg_len = 20, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    control.fd[0] = p[0];
    const struct row rows[] = {
        {"sendmsg",
         SYS_sendmsg,
         {V(udp), R(&out), V(0)},
         {FIELD(1, &out, msg_name, {READ | NULL_OK, (long)&mine, sizeof mine}),
          FIELD(1, &out, msg_iov, R(&v)),
          {0}},
         have_datagram,
         .error = 0},
        {"sendmsg control",
         SYS_sendmsg,
         {V(a), R(&pass), V(0)},
         {FIELD(1, &pass, msg_control, {READ, (long)&control, 20}),
          FIELD(1, &pass, msg_iov, R(&v))},
         drain},
        {"recvmsg",
         SYS_recvmsg,
         {V(udp), W(&in), V(0)},
         {FIELD(1, &in, msg_name, {WRITE | NULL_OK, (long)name, 16}),
          FIELD(1, &in, msg_iov, R(&v))},
         have_datagram},
        {"recvmsg unix",
         SYS_recvmsg,
         {V(b), W(&take), V(0)},
         {FIELD(1, &take, msg_iov, R(&v))},
         send_one},
        {"sendmmsg",
         SYS_sendmmsg,
         {V(udp), W(&many_out), V(1), V(0)},
         {FIELD(1, &many_out, h.msg_iov, R(&v))},
         have_datagram},
        {"recvmmsg",
         SYS_recvmmsg,
         {V(b), W(&many_in), V(1), V(0), RF(&t, NULL_OK)},
         {FIELD(1, &many_in, h.msg_iov, R(&v))},
         send_one},
        {0},
    };
    run(rows);
}

static void interfaces(void (*run)(const struct row *))
{
    static struct ifreq r = {.ifr_name = "lo"};
    static struct ifconf c;

    udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
    const struct row rows[] = {
        {"SIOCGIFFLAGS", SYS_ioctl, {V(udp), V(SIOCGIFFLAGS), W(&r)}},
        {"SIOCGIFINDEX", SYS_ioctl, {V(udp), V(SIOCGIFINDEX), W(&r)}},
        {"SIOCGIFCONF", SYS_ioctl, {V(udp), V(SIOCGIFCONF), W(&c)}},
        {0},
    };
    run(rows);
}

/* ---- System V ---- */

static int shm, sem, msg;

static void no_message(void)
{
    static struct {
        long type;
        char text[8];
    } m;

    while (msgrcv(msg, &m, 8, 0, IPC_NOWAIT) >= 0) {
    }
}

static void one_message(void)
{
    static struct {
        long type;
        char text[8];
    } m = {1, "text"};

    no_message();
    OK(msgsnd(msg, &m, 8, 0));
}

static void objects(void (*run)(const struct row *))
{
    static struct shmid_ds shm_ds;
    static struct semid_ds sem_ds;
    static struct msqid_ds msg_ds;
    static struct {
        int a[16];
        long b[16];
    } info;
    static struct sembuf ops[2] = {{0, 1, 0}, {0, -1, 0}};
    static unsigned short values[2];
    static struct timespec t = {1, 0};
    static struct {
        long type;
        char text[8];
    } m = {1, "text"};

    shm = OK(shmget(IPC_PRIVATE, 4096, 0600));
    sem = OK(semget(IPC_PRIVATE, 2, 0600));
    msg = OK(msgget(IPC_PRIVATE, 0600));
    OK(shmctl(shm, IPC_STAT, &shm_ds));
    OK(semctl(sem, 0, IPC_STAT, &sem_ds));
    OK(msgctl(msg, IPC_STAT, &msg_ds));
    const struct row rows[] = {
        {"shmctl IPC_STAT", SYS_shmctl, {V(shm), V(IPC_STAT), W(&shm_ds)}},
        {"shmctl IPC_SET", SYS_shmctl, {V(shm), V(IPC_SET), R(&shm_ds)}},
        {"shmctl IPC_INFO", SYS_shmctl, {V(shm), V(IPC_INFO), {WRITE, (long)&info, 72}}},
        {"shmctl SHM_INFO", SYS_shmctl, {V(shm), V(SHM_INFO), {WRITE, (long)&info, 48}}},
        {"semctl IPC_STAT", SYS_semctl, {V(sem), V(0), V(IPC_STAT), W(&sem_ds)}},
        {"semctl IPC_SET", SYS_semctl, {V(sem), V(0), V(IPC_SET), R(&sem_ds)}},
        {"semctl IPC_INFO", SYS_semctl, {V(sem), V(0), V(IPC_INFO), {WRITE, (long)&info, 40}}},
        {"semctl GETALL", SYS_semctl, {V(sem), V(0), V(GETALL), W(&values)}},
        {"semctl SETALL", SYS_semctl, {V(sem), V(0), V(SETALL), R(&values)}},
        {"semop", SYS_semop, {V(sem), R(&ops), V(2)}},
        {"semtimedop", SYS_semtimedop, {V(sem), R(&ops), V(2), RF(&t, NULL_OK)}},
        {"msgctl IPC_STAT", SYS_msgctl, {V(msg), V(IPC_STAT), W(&msg_ds)}},
        {"msgctl IPC_SET", SYS_msgctl, {V(msg), V(IPC_SET), R(&msg_ds)}},
        {"msgctl IPC_INFO", SYS_msgctl, {V(msg), V(IPC_INFO), {WRITE, (long)&info, 32}}},
        {"msgsnd", SYS_msgsnd, {V(msg), {READ, (long)&m, 16}, V(8), V(0)}, .before = no_message},
        {"msgrcv",
         SYS_msgrcv,
         {V(msg), {WRITE, (long)&m, 16}, V(8), V(0), V(0)},
         .before = one_message},
        {0},
    };
    run(rows);
    shmctl(shm, IPC_RMID, NULL);
    semctl(sem, 0, IPC_RMID);
    msgctl(msg, IPC_RMID, NULL);
}

/* ---- POSIX message queues ---- */

static int queue;
static char text[64];

static void empty_queue(void)
{
    while (syscall(SYS_mq_timedreceive, queue, text, 64, NULL, NULL) >= 0) {
    }
    syscall(SYS_mq_notify, queue, NULL);
}

static void full_queue(void)
{
    empty_queue();
    OK(syscall(SYS_mq_timedsend, queue, "hello", 5, 1, NULL));
}

static void make_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 64};
    long fd = syscall(SYS_mq_open, "posixtest-ptr2", O_RDWR | O_CREAT, 0600, &attr);

    close((int)fd);
}

static void queues(void (*run)(const struct row *))
{
    static struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 64}, old;
    static struct timespec t;
    static unsigned priority;
    static struct {
        uint64_t value;
        int signo, notify, pad[12];
    } event = {0, 0, SIGEV_NONE, {0}};

    queue = (int)syscall(SYS_mq_open, "posixtest-ptr", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attr);
    if (queue < 0) {
        SKIP("no message queues");
    }
    const struct row rows[] = {
        {"mq_open",
         SYS_mq_open,
         {S("posixtest-ptr"), V(O_RDWR), V(0), V(0)},
         .after = close_result},
        {"mq_open O_CREAT",
         SYS_mq_open,
         {S("posixtest-ptr"), V(O_RDWR | O_CREAT), V(0600), RF(&attr, NULL_OK)},
         .after = close_result},
        {"mq_unlink", SYS_mq_unlink, {S("posixtest-ptr2")}, .before = make_queue},
        {"mq_timedsend",
         SYS_mq_timedsend,
         {V(queue), {READ, (long)text, 16}, V(16), V(0), RF(&t, NULL_OK)},
         .before = empty_queue},
        {"mq_timedreceive",
         SYS_mq_timedreceive,
         {V(queue), {WRITE, (long)text, 5}, V(64), WF(&priority, NULL_OK), RF(&t, NULL_OK)},
         .before = full_queue},
        {"mq_notify", SYS_mq_notify, {V(queue), RF(&event, NULL_OK)}, .before = empty_queue},
        {"mq_getsetattr", SYS_mq_getsetattr, {V(queue), RF(&attr, NULL_OK), WF(&old, NULL_OK)}},
        {0},
    };
    attr.mq_flags = O_NONBLOCK;
    run(rows);
    syscall(SYS_mq_unlink, "posixtest-ptr");
    syscall(SYS_mq_unlink, "posixtest-ptr2");
}

BOTH(sockets)
BOTH(messages)
BOTH(interfaces)
BOTH(objects)
BOTH(queues)

const struct test ptrnet_tests[] = {
    {"sockets", try_sockets},
    {"race_sockets", race_sockets},
    {"messages", try_messages},
    {"race_messages", race_messages},
    {"interfaces", try_interfaces},
    {"race_interfaces", race_interfaces},
    {"objects", try_objects},
    {"race_objects", race_objects},
    {"queues", try_queues},
    {"race_queues", race_queues},
    {0},
};
