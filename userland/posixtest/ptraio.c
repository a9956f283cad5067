/*
 * The pointer matrix of asynchronous I/O.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "matrix.h"

static aio_context_t ctx;
static struct iocb io, *list[1] = {&io};
static struct io_event event;
static struct timespec now;

static void take_all(long result)
{
    (void)result;
    while (syscall(SYS_io_getevents, ctx, 0, 1, &event, &now) == 1) {
    }
}

static void submit_one(void)
{
    take_all(0);
    EQ(syscall(SYS_io_submit, ctx, 1, list), 1);
}

static void calls(void (*run)(const struct row *))
{
    static struct io_event to;
    static struct timespec none;
    static uint64_t mask;
    static struct {
        uint64_t *mask;
        size_t size;
    } sig = {&mask, 8};
    OK(syscall(SYS_io_setup, 10, &ctx));
    io.aio_lio_opcode = IOCB_CMD_FSYNC;
    io.aio_fildes = (uint32_t)OK(open("f", O_RDWR | O_CREAT, 0644));
    const struct row rows[] = {
        {"io_submit", SYS_io_submit, {V(ctx), V(1), R(list)}, {{2, 0, R(&io)}}, .after = take_all},
        {"io_cancel", SYS_io_cancel, {V(ctx), {READ, (long)&io, 12}, V(0)}, .error = EINVAL},
        {"io_getevents",
         SYS_io_getevents,
         {V(ctx), V(1), V(1), W(&to), RF(&none, NULL_OK)},
         .before = submit_one},
        {"io_pgetevents",
         SYS_io_pgetevents,
         {V(ctx), V(1), V(1), W(&to), RF(&none, NULL_OK), RF(&sig, NULL_OK)},
         {FIELD(5, &sig, mask, RF(&mask, NULL_OK))},
         .before = submit_one},
        {0},
    };
    run(rows);
}

BOTH(calls)

const struct test ptraio_tests[] = {
    {"calls", try_calls},
    {"race_calls", race_calls},
    {0},
};
