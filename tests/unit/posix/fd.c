/*
 * Descriptors: numbers, copies, flags, limits, closing on exec; file locks.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

#define FCNTL(fd, cmd, arg) CALL_(fcntl, (uint64_t)(fd), (uint64_t)(cmd), (uint64_t)(arg))

/* A table that has grown stays so: start over with a small one. */
static void new_table(void)
{
    struct files *old = current->files;
    current->files = files_make();
    files_unref(old);
}

static void lowest_number(void **state)
{
    for (int i = 0; i < 200; i++) {
        assert_int_equal(t_open("/dev/null", O_RDONLY, 0), i);
    }
    assert_ok(t_close(130));
    assert_ok(t_close(7));
    assert_ok(t_close(63));
    assert_int_equal(CALL_(dup, 0), 7);
    assert_int_equal(CALL_(dup, 0), 63);
    assert_int_equal(FCNTL(0, F_DUPFD, 8), 130);
    assert_int_equal(FCNTL(0, F_DUPFD, 8), 200);
    assert_int_equal(FCNTL(0, F_DUPFD, 500), 500);
    assert_int_equal(CALL_(dup, 0), 201);
    assert_int_equal(t_close(300), -EBADF);
    assert_int_equal(t_close(-1), -EBADF);
    assert_int_equal(t_close(100000), -EBADF);
    assert_ok(CALL_(close_range, 0, 0xffffffff, 0));
    assert_int_equal(files_next(current->files, 0, NULL), -1);
    assert_int_equal(CALL_(close_range, 3, 2, 0), -EINVAL);
    new_table();
}

static void ten_thousand_open_files(void **state)
{
    long fd, n = 0;
    while ((fd = t_open("/dev/null", O_RDONLY, 0)) >= 0) {
        assert_int_equal(fd, n++);
        host_used = 0;
    }
    assert_int_equal(fd, -EMFILE);
    assert_int_equal(n, 1024);
    assert_int_equal(t_open("/not-made", O_WRONLY | O_CREAT, 0600), -EMFILE);
    assert_null(t_stat("/not-made"));
    assert_int_equal(CALL_(dup, 0), -EMFILE);
    assert_int_equal(CALL_(dup3, 0, 1024, 0), -EBADF);
    assert_int_equal(FCNTL(0, F_DUPFD, 1024), -EINVAL);
    assert_int_equal(FCNTL(0, F_DUPFD, 1000), -EMFILE);
    current->proc->rlimit[ABI_RLIMIT_NOFILE][0] = 10000;
    while ((fd = CALL_(dup, 0)) >= 0) {
        assert_int_equal(fd, n++);
    }
    assert_int_equal(n, 10000);
    struct files *copy = files_copy(current->files);
    struct file *f;
    assert_int_equal(files_next(copy, 9999, &f), 9999);
    files_unref(copy);
    assert_ok(CALL_(close_range, 0, 20000, 0));
    current->proc->rlimit[ABI_RLIMIT_NOFILE][0] = 1024;
    new_table();
}

static void dup_shares_the_position(void **state)
{
    t_file("/f", "abcdef");
    long a = t_open("/f", O_RDONLY, 0), b = CALL_(dup, (uint64_t)a);
    long c = t_open("/f", O_RDONLY, 0);
    assert_string_equal(t_read(a, 2), "ab");
    assert_string_equal(t_read(b, 2), "cd");
    assert_string_equal(t_read(c, 2), "ab");
    assert_int_equal(CALL_(dup3, (uint64_t)c, (uint64_t)a, O_CLOEXEC), a);
    assert_string_equal(t_read(a, 2), "cd");
    assert_string_equal(t_read(b, 2), "ef");
    assert_int_equal(FCNTL(a, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(CALL_(dup3, (uint64_t)a, (uint64_t)a, 0), -EINVAL);
    assert_int_equal(CALL_(dup3, 99, (uint64_t)a, 0), -EBADF);
    assert_int_equal(CALL_(dup3, (uint64_t)a, 5, O_APPEND), -EINVAL);
    assert_ok(CALL_(close_range, 0, 100, 0));
    assert_ok(t_unlink("/f"));
}

static void flags(void **state)
{
    t_file("/f", "");
    long fd = t_open("/f", O_RDWR | O_CLOEXEC | O_APPEND | O_CREAT | O_TRUNC, 0);
    assert_int_equal(FCNTL(fd, F_GETFL, 0), O_RDWR | O_APPEND | 0100000);
    assert_int_equal(FCNTL(fd, F_GETFD, 0), FD_CLOEXEC);
    assert_ok(FCNTL(fd, F_SETFD, 0));
    assert_int_equal(FCNTL(fd, F_GETFD, 0), 0);
    assert_ok(FCNTL(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT));
    assert_int_equal(FCNTL(fd, F_GETFL, 0), O_RDWR | O_NONBLOCK | 0100000);
    assert_int_equal(FCNTL(fd, 9999, 0), -EINVAL);
    assert_int_equal(FCNTL(99, F_GETFD, 0), -EBADF);
    long other = FCNTL(fd, F_DUPFD_CLOEXEC, 10);
    assert_int_equal(other, 10);
    assert_int_equal(FCNTL(other, F_GETFD, 0), FD_CLOEXEC);
    int *n = host_room(4);
    *n = 1;
    assert_ok(CALL_(ioctl, (uint64_t)fd, 0x5451, 0)); /* FIOCLEX */
    assert_int_equal(FCNTL(fd, F_GETFD, 0), FD_CLOEXEC);
    assert_ok(CALL_(ioctl, (uint64_t)fd, 0x5450, 0)); /* FIONCLEX */
    assert_int_equal(FCNTL(fd, F_GETFD, 0), 0);
    *n = 0;
    assert_ok(CALL_(ioctl, (uint64_t)fd, 0x5421, A(n))); /* FIONBIO */
    assert_int_equal(FCNTL(fd, F_GETFL, 0) & O_NONBLOCK, 0);
    t_write(fd, "12345");
    CALL_(lseek, (uint64_t)fd, 2, SEEK_SET);
    assert_ok(CALL_(ioctl, (uint64_t)fd, 0x541b, A(n))); /* FIONREAD */
    assert_int_equal(*n, 3);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, 0x5401, A(n)), -ENOTTY); /* TCGETS */
    assert_ok(CALL_(fsync, (uint64_t)fd));
    files_close_exec(current->files);
    assert_int_equal(files_next(current->files, 0, NULL), fd);
    assert_int_equal(files_next(current->files, (int)fd + 1, NULL), -1);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void unshared_table(void **state)
{
    long fd = t_open("/dev/null", O_RDONLY, 0);
    struct files *shared = files_ref(current->files);
    assert_ok(CALL_(close_range, 0, 100, 2)); /* UNSHARE */
    assert_ptr_not_equal(current->files, shared);
    assert_int_equal(t_close(fd), -EBADF);
    files_unref(current->files);
    current->files = shared;
    assert_ok(CALL_(close_range, 0, 100, 4)); /* CLOEXEC */
    assert_int_equal(FCNTL(fd, F_GETFD, 0), FD_CLOEXEC);
    assert_ok(t_close(fd));
}

static void copies(void **state)
{
    t_file("/a", "0123456789");
    long in = t_open("/a", O_RDONLY, 0), out = t_open("/b", O_RDWR | O_CREAT, 0600);
    int64_t *off = host_room(8);
    *off = 4;
    assert_int_equal(CALL_(sendfile, (uint64_t)out, (uint64_t)in, A(off), 3), 3);
    assert_int_equal(*off, 7);
    assert_int_equal(CALL_(sendfile, (uint64_t)out, (uint64_t)in, 0, 100), 10);
    assert_int_equal(CALL_(sendfile, (uint64_t)out, (uint64_t)in, 0, 100), 0);
    assert_int_equal(CALL_(sendfile, (uint64_t)in, (uint64_t)out, 0, 100), -EBADF);
    assert_int_equal(CALL_(sendfile, (uint64_t)out, (uint64_t)in, HOST_BAD, 100), -EFAULT);
    CALL_(lseek, (uint64_t)out, 0, SEEK_SET);
    assert_string_equal(t_read(out, 30), "4560123456789");
    assert_ok(t_close(in));
    assert_ok(t_close(out));
    assert_ok(t_unlink("/a"));
    assert_ok(t_unlink("/b"));
}

/* ---- locks ---- */

static struct abi_flock *lock_of(int type, int64_t start, int64_t len)
{
    struct abi_flock *l = host_room(sizeof(*l));
    *l = (struct abi_flock){.type = (int16_t)type, .whence = SEEK_SET, .start = start, .len = len};
    return l;
}

/* What another process would meet there: "start+len" or "". */
static const char *blocker(long fd, int type, int64_t start, int64_t len)
{
    static char text[64];
    struct abi_flock *l = lock_of(type, start, len);
    struct files *mine = current->files;
    struct files *other = files_copy(mine);
    current->files = other;
    assert_ok(FCNTL(fd, F_GETLK, A(l)));
    current->files = mine;
    files_unref(other);
    if (l->type == F_UNLCK) {
        return "";
    }
    snprintf(text, sizeof(text), "%c%ld+%ld", l->type == F_RDLCK ? 'r' : 'w', (long)l->start,
             (long)l->len);
    return text;
}

static void record_locks(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0600);
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 10, 10))));
    assert_string_equal(blocker(fd, F_RDLCK, 0, 0), "w10+10");
    assert_string_equal(blocker(fd, F_RDLCK, 0, 10), "");
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 20, 5)))); /* a neighbour: merged */
    assert_string_equal(blocker(fd, F_RDLCK, 24, 1), "w10+15");
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 12, 2)))); /* split */
    assert_string_equal(blocker(fd, F_RDLCK, 10, 1), "w10+2");
    assert_string_equal(blocker(fd, F_RDLCK, 12, 2), "");
    assert_string_equal(blocker(fd, F_RDLCK, 14, 1), "w14+11");
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_RDLCK, 16, 2)))); /* weaken the middle */
    assert_string_equal(blocker(fd, F_RDLCK, 16, 2), "");
    assert_string_equal(blocker(fd, F_WRLCK, 16, 2), "r16+2");
    assert_string_equal(blocker(fd, F_RDLCK, 18, 1), "w18+7");
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 0, 0)))); /* to the end of all files */
    assert_string_equal(blocker(fd, F_RDLCK, INT64_MAX, 0), "w0+0");
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 0, 100))));
    assert_string_equal(blocker(fd, F_RDLCK, 0, 0), "w100+0");
    struct abi_flock *l = lock_of(F_WRLCK, 10, -5);
    assert_ok(FCNTL(fd, F_SETLK, A(l)));
    assert_string_equal(blocker(fd, F_RDLCK, 0, 20), "w5+5");
    assert_int_equal(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 3, -5))), -EINVAL);
    assert_int_equal(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, INT64_MAX, 2))), -EOVERFLOW);
    assert_int_equal(FCNTL(fd, F_SETLK, A(lock_of(9, 0, 0))), -EINVAL);
    assert_int_equal(FCNTL(fd, F_SETLK, HOST_BAD), -EFAULT);
    long rd = t_open("/f", O_RDONLY, 0);
    assert_int_equal(FCNTL(rd, F_SETLK, A(lock_of(F_WRLCK, 0, 1))), -EBADF);
    assert_ok(t_close(rd)); /* and with any descriptor go all of the process' locks */
    assert_string_equal(blocker(fd, F_WRLCK, 0, 0), "");
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void lock_and_let_go(void *arg)
{
    long fd = (long)arg;
    host_me->result = FCNTL(fd, F_SETLKW, A(lock_of(F_WRLCK, 0, 0)));
    if (host_me->result == 0) {
        assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 0, 0))));
    }
}

static void waiting_for_locks(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0600);
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 5, 1))));
    unsigned parks = host_parks;
    struct host_thread *t = host_run(false, lock_and_let_go, (void *)fd);
    host_wait_parked(parks);
    assert_false(t->done);
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 0, 0))));
    assert_ok(host_join(t));
    /* a signal ends the wait */
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 5, 1))));
    parks = host_parks;
    t = host_run(false, lock_and_let_go, (void *)fd);
    host_wait_parked(parks);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTSYS);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void hold_and_want(void *arg)
{
    long fd = (long)arg;
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 1, 1))));
    host_me->result = FCNTL(fd, F_SETLKW, A(lock_of(F_WRLCK, 0, 1)));
}

static void deadlocks_are_seen(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0600);
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 0, 1))));
    unsigned parks = host_parks;
    struct host_thread *t = host_run(false, hold_and_want, (void *)fd);
    host_wait_parked(parks);
    assert_int_equal(FCNTL(fd, F_SETLKW, A(lock_of(F_WRLCK, 1, 1))), -EDEADLK);
    assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 0, 0))));
    assert_ok(host_join(t));
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void flocks(void **state)
{
    long a = t_open("/f", O_RDWR | O_CREAT, 0600), b = t_open("/f", O_RDONLY, 0);
    assert_ok(CALL_(flock, (uint64_t)a, 1));
    assert_ok(CALL_(flock, (uint64_t)b, 1));
    assert_int_equal(CALL_(flock, (uint64_t)b, 2 | 4),
                     -EAGAIN); /* and lost its old lock, as on Linux */
    assert_ok(CALL_(flock, (uint64_t)a, 2 | 4));
    assert_int_equal(CALL_(flock, (uint64_t)b, 1 | 4), -EAGAIN);
    assert_ok(FCNTL(b, F_SETLK, A(lock_of(F_RDLCK, 0, 0)))); /* another kind: no conflict */
    long c = CALL_(dup, (uint64_t)a);
    assert_ok(t_close(a));
    assert_int_equal(CALL_(flock, (uint64_t)b, 1 | 4), -EAGAIN); /* belongs to the open file */
    assert_ok(CALL_(flock, (uint64_t)c, 8));
    assert_ok(CALL_(flock, (uint64_t)b, 2 | 4));
    assert_int_equal(CALL_(flock, (uint64_t)b, 3), -EINVAL);
    assert_ok(t_close(b));
    assert_ok(CALL_(flock, (uint64_t)c, 2 | 4));
    assert_ok(t_close(c));
    /* of open file descriptions, with ranges */
    a = t_open("/f", O_RDWR, 0);
    b = t_open("/f", O_RDWR, 0);
    assert_ok(FCNTL(a, F_OFD_SETLK, A(lock_of(F_WRLCK, 0, 10))));
    assert_int_equal(FCNTL(b, F_OFD_SETLK, A(lock_of(F_WRLCK, 9, 10))), -EAGAIN);
    assert_ok(FCNTL(b, F_OFD_SETLK, A(lock_of(F_WRLCK, 10, 10))));
    struct abi_flock *l = lock_of(F_WRLCK, 0, 0);
    assert_ok(FCNTL(a, F_OFD_GETLK, A(l)));
    assert_int_equal(l->start, 10);
    assert_int_equal(l->pid, -1);
    assert_ok(t_close(a));
    assert_ok(FCNTL(b, F_OFD_SETLK, A(lock_of(F_WRLCK, 0, 0))));
    assert_ok(t_close(b));
    assert_ok(t_unlink("/f"));
}

static void out_of_memory(void **state)
{
    for (int what = 0; what < 5; what++) {
        for (long n = 0;; n++) {
            long fd = t_open("/f", O_RDWR | O_CREAT, 0600);
            assert_ok(FCNTL(fd, F_SETLK, A(lock_of(F_WRLCK, 0, 10))));
            struct host_counts before = host_counts();
            struct files *copy = NULL;
            int32_t *fds = host_room(8);
            host_fail_after(n);
            long e = -1;
            switch (what) {
            case 0:
                e = FCNTL(fd, F_SETLK, A(lock_of(F_UNLCK, 4, 2)));
                break;
            case 1:
                e = CALL_(pipe2, A(fds), 0);
                break;
            case 2:
                e = CALL_(dup3, (uint64_t)fd, 900, 0);
                break;
            case 3:
                e = (copy = files_copy(current->files)) != NULL ? 0 : -ENOMEM;
                break;
            case 4:
                e = CALL_(flock, (uint64_t)fd, 2);
                break;
            }
            bool failed = host_failed;
            host_fail_after(-1);
            if (failed) {
                assert_true(e == -ENOMEM || e == -ENOLCK);
                struct host_counts now = host_counts();
                assert_memory_equal(&now, &before, sizeof(now));
            } else {
                assert_true(e >= 0);
            }
            if (copy != NULL) {
                files_unref(copy);
            }
            assert_ok(CALL_(close_range, 0, 1000, 0));
            assert_ok(t_unlink("/f"));
            if (what == 2) {
                new_table();
            }
            if (!failed) {
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ten_thousand_open_files),
        T(lowest_number),
        T(dup_shares_the_position),
        T(flags),
        T(unshared_table),
        T(copies),
        T(record_locks),
        T(waiting_for_locks),
        T(deadlocks_are_seen),
        T(flocks),
        T(out_of_memory),
    };
    return HOST_RUN(tests);
}
