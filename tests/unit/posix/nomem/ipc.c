/* System V shared memory, semaphores and messages; POSIX message queues. */
#include "scenario.h"

static long id;

static void attacher(void)
{
    uint64_t at = (uint64_t)ok(sc(shmat, (uint64_t)id, 0, 0));
    put32(at, 5);
    is(sc(shmdt, at), 0);
}

static void shared_memory(void)
{
    id = ok(sc(shmget, 77, 3 * MB_PAGE, 01600)); /* IPC_CREAT */
    is(sc(shmget, 77, MB_PAGE, 0), id);
    uint64_t at = (uint64_t)ok(sc(shmat, (uint64_t)id, 0, 0));
    is(end_of(start(SIGCHLD, attacher)), 0);
    is(get32(at), 5);
    is(sc(shmctl, (uint64_t)id, 2, room(256)), 0); /* IPC_STAT */
    is(sc(shmctl, (uint64_t)id, 0, 0), 0);
    is(sc(shmdt, at), 0);
    is(sc(shmget, 77, 0, 0), -ENOENT);
}

static uint64_t operation(unsigned sem, int op, unsigned flags)
{
    return words(1, (uint64_t)sem | (uint64_t)(uint16_t)op << 16 | (uint64_t)flags << 32);
}

static void taker(void)
{
    is(sc(semop, (uint64_t)id, operation(0, -1, 0x1000), 1), 0); /* SEM_UNDO */
}

static void semaphores(void)
{
    id = ok(sc(semget, 78, 20, 01600));
    long pid = start(SIGCHLD, taker);
    rest();
    is(sc(semop, (uint64_t)id, operation(0, 1, 0), 1), 0);
    is(end_of(pid), 0);
    is(sc(semctl, (uint64_t)id, 0, 12, 0), 1); /* GETVAL: undone */
    is(sc(semtimedop, (uint64_t)id, operation(1, -1, 0), 1, words(2, 0ul, 1000ul)), -EAGAIN);
    uint64_t all = room(64);
    is(sc(semctl, (uint64_t)id, 0, 13, all), 0); /* GETALL */
    is(sc(semctl, (uint64_t)id, 0, 17, all), 0);
    is(sc(semctl, (uint64_t)id, 0, 2, room(128)), 0);
    uint64_t many = room(8 * 30);
    for (unsigned i = 0; i < 20; i++) {
        put(many + i * 6, &(uint16_t[3]){(uint16_t)i, 1, 0x1000}, 6);
    }
    is(sc(semop, (uint64_t)id, many, 20), 0);
    is(sc(semctl, (uint64_t)id, 0, 0, 0), 0);
}

static void message_taker(void)
{
    is(sc(msgrcv, (uint64_t)id, room(2000), 1992, 7, 0), 1000);
}

static void messages(void)
{
    id = ok(sc(msgget, 79, 01600));
    uint64_t m = room(6000);
    put(m, &(uint64_t){5}, 8);
    is(sc(msgsnd, (uint64_t)id, m, 5000, 0), 0);
    is(sc(msgrcv, (uint64_t)id, m, 5000, 5, 0), 5000);
    long pid = start(SIGCHLD, message_taker);
    rest();
    put(m, &(uint64_t){7}, 8);
    is(sc(msgsnd, (uint64_t)id, m, 1000, 0), 0);
    is(end_of(pid), 0);
    is(sc(msgsnd, (uint64_t)id, m, 1000, 0), 0);
    is(sc(msgctl, (uint64_t)id, 2, room(128)), 0);
    is(sc(msgctl, (uint64_t)id, 0, 0), 0);
}

static long queue;

static void queue_reader(void)
{
    is(sc(mq_timedreceive, (uint64_t)queue, room(128), 128, room(8), 0), 3);
}

static void posix_queues(void)
{
    uint64_t attr = words(8, 0ul, 4ul, 128ul, 0ul, 0ul, 0ul, 0ul, 0ul), name = text("q");
    queue = ok(sc(mq_open, name, O_RDWR | O_CREAT, 0600, attr));
    uint64_t event = words(8, 0ul, 10ul, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul);
    is(sc(rt_sigaction, 10, words(3, 1ul, 0ul, 0ul), 0, 8), 0);
    is(sc(mq_notify, (uint64_t)queue, event), 0);
    is(sc(mq_timedsend, (uint64_t)queue, text("abc"), 3, 5, 0), 0);
    is(sc(mq_timedreceive, (uint64_t)queue, room(128), 128, room(8), 0), 3);
    long pid = start(SIGCHLD, queue_reader);
    rest();
    is(sc(mq_timedsend, (uint64_t)queue, text("xyz"), 3, 1, 0), 0);
    is(end_of(pid), 0);
    is(sc(mq_timedsend, (uint64_t)queue, text("left"), 4, 1, 0), 0);
    is(sc(mq_getsetattr, (uint64_t)queue, 0, room(64)), 0);
    shut(queue);
    is(sc(mq_unlink, name), 0);
}

const struct scenario scenarios_ipc[] = {
    {"shared_memory", shared_memory, false},
    {"semaphores", semaphores, false},
    {"messages", messages, false},
    {"posix_queues", posix_queues, false},
    {NULL, NULL, false},
};
