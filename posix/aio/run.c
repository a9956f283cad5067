/* One request of io_submit: checked in the order Linux does it, and carried out. */
#include "aio/aio.h"
#include "misc/ioprio.h"

static int check_prio(const struct iocb *io)
{
    return (io->aio_flags & IOCB_FLAG_IOPRIO) != 0 ? ioprio_check((uint16_t)io->aio_reqprio) : 0;
}

/* What the program sees of a call that a signal has interrupted: it is not made again. */
static int64_t result_of(long n)
{
    return n == -ERESTARTSYS || n == -ERESTARTNOHAND || n == -ERESTART_BLOCK ? -EINTR : n;
}

static int buffer(const struct iocb *io, bool vector, struct iov *v)
{
    if (vector) {
        return iov_get(io->aio_buf, io->aio_nbytes, v);
    }
    if (!mb_range_ok(io->aio_buf, io->aio_nbytes)) {
        return -EFAULT;
    }
    v->seg = v->few;
    v->b = iobuf_user(io->aio_buf, io->aio_nbytes < ABI_RW_MAX ? io->aio_nbytes : ABI_RW_MAX);
    return 0;
}

static int transfer(struct file *f, const struct iocb *io, bool write, bool vector,
                    struct io_event *out)
{
    struct iov v;
    int64_t pos = io->aio_offset;
    int err = check_prio(io);
    if (err == 0) {
        err = file_flags_check(f, (unsigned)io->aio_rw_flags);
    }
    if (err < 0) {
        return err;
    }
    if (!(write ? file_can_write(f) : file_can_read(f))) {
        return -EBADF;
    }
    if ((write ? f->ops->write : f->ops->read) == NULL || S_ISDIR(f->inode->mode)) {
        return -EINVAL;
    }
    err = buffer(io, vector, &v);
    if (err < 0) {
        return err;
    }
    if (pos < 0) {
        err = -EINVAL;
    } else {
        out->res = result_of(file_transfer(f, &v.b, &pos, write, (unsigned)io->aio_rw_flags));
    }
    iov_end(&v);
    return err;
}

static int sync(struct file *f, const struct iocb *io, struct io_event *out)
{
    if (io->aio_buf != 0 || io->aio_offset != 0 || io->aio_nbytes != 0 || io->aio_rw_flags != 0 ||
        f->ops->fsync == NULL) {
        return -EINVAL;
    }
    out->res = f->ops->fsync(f);
    return 0;
}

static int run(struct file *f, const struct iocb *io, struct io_event *out)
{
    switch (io->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PREADV:
        return transfer(f, io, false, io->aio_lio_opcode == IOCB_CMD_PREADV, out);
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PWRITEV:
        return transfer(f, io, true, io->aio_lio_opcode == IOCB_CMD_PWRITEV, out);
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        return sync(f, io, out);
    default:
        return -EINVAL;
    }
}

int aio_run(const struct iocb *io, uint64_t uiocb, struct aio_event *e)
{
    const uint32_t key = 0; /* io_cancel wants to see it again */
    struct file *f = fd_get((int)io->aio_fildes);
    if (f == NULL) {
        return -EBADF;
    }
    int err = 0;
    if ((io->aio_flags & IOCB_FLAG_RESFD) != 0) {
        e->eventfd = fd_get((int)io->aio_resfd);
        err = e->eventfd == NULL ? -EBADF : file_is_eventfd(e->eventfd) ? 0 : -EINVAL;
    }
    if (err == 0 && mb_copy_out(uiocb + offsetof(struct iocb, aio_key), &key, sizeof(key)) < 0) {
        err = -EFAULT;
    }
    if (err == 0) {
        err = run(f, io, &e->event);
    }
    file_unref(f);
    return err;
}
