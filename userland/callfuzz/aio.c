/*
 * Asynchronous I/O of a life: a context, and what is submitted to it.
 */
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "structs.h"

static aio_context_t own;

void aio_make(void)
{
    own = 0;
    syscall(SYS_io_setup, 8, &own);
}

long aio_context(struct rng *r)
{
    return one_in(r, 8) ? (long)(own + below(r, 9)) : (long)own;
}

static long place_iocb(struct rng *r)
{
    struct iocb io = {.aio_data = rnd(r),
                      .aio_lio_opcode = (uint16_t)below(r, 10),
                      .aio_fildes = (uint32_t)any_fd(r),
                      .aio_buf = one_in(r, 2) ? (uint64_t)any_pointer(r) : (uint64_t)place_iovec(r),
                      .aio_nbytes = one_in(r, 16) ? rnd(r) : below(r, 9),
                      .aio_offset = one_in(r, 16) ? (int64_t)rnd(r) : (int64_t)below(r, 5000),
                      .aio_reserved2 = one_in(r, 30),
                      .aio_resfd = (uint32_t)any_fd(r)};

    if (one_in(r, 4)) {
        io.aio_flags = (uint32_t)sparse(r);
        io.aio_reqprio = (int16_t)rnd(r);
    }
    if (one_in(r, 4)) {
        io.aio_rw_flags = (int)sparse(r);
    }
    if (io.aio_lio_opcode == IOCB_CMD_FSYNC || io.aio_lio_opcode == IOCB_CMD_FDSYNC) {
        io.aio_buf = io.aio_nbytes = 0;
        io.aio_offset = io.aio_rw_flags = 0;
    }
    return put(r, &io, sizeof io);
}

long place_iocbs(struct rng *r)
{
    uint64_t list[4];

    for (int i = 0; i < 4; i++) {
        list[i] = one_in(r, 12) ? rnd(r) : (uint64_t)place_iocb(r);
    }
    return put(r, list, sizeof list);
}
