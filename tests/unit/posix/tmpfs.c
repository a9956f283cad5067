/*
 * tmpfs: data, holes, sizes, limits, directories being read while they change; the page tree alone.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

/* ---- the page tree, against an array ---- */

#define TREE_SPAN 5000u

static void pagetree_random(void **state)
{
    static void *model[TREE_SPAN];
    struct pagetree t = {0};
    static uint8_t lent[2 * MB_PAGE];
    void *borrowed = lent + MB_PAGE - (uintptr_t)lent % MB_PAGE;
    uint32_t x = 12345;
    uint64_t count = 0, pages = host_pages;
    for (int round = 0; round < 20000; round++) {
        x = x * 1664525 + 1013904223;
        uint64_t i = (x >> 8) % ((x & 3) == 0 ? 3 : TREE_SPAN);
        switch (x >> 29) {
        case 0: { /* cut a range off */
            uint64_t last = i + (x >> 16) % 200;
            uint64_t freed = 0;
            for (uint64_t k = i; k <= last && k < TREE_SPAN; k++) {
                freed += model[k] != NULL && model[k] != borrowed;
                count -= model[k] != NULL;
                model[k] = NULL;
            }
            assert_int_equal(pagetree_free(&t, i, last), freed);
            break;
        }
        case 1: { /* what comes next */
            uint64_t at, k = i;
            bool present = (x & 8) != 0;
            while (k < TREE_SPAN && (model[k] != NULL) != present) {
                k++;
            }
            bool found = pagetree_next(&t, i, TREE_SPAN - 1, present, &at);
            assert_int_equal(found, k < TREE_SPAN);
            assert_true(!found || at == k);
            break;
        }
        default:
            assert_ptr_equal(pagetree_find(&t, i), model[i]);
            assert_int_equal(pagetree_is_borrowed(pagetree_slot(&t, i)),
                             model[i] == borrowed && borrowed != NULL);
            if (model[i] == borrowed) {
                model[i] = mb_page();
                pagetree_replace(&t, i, model[i]);
            } else if (model[i] == NULL && (x & 16) != 0) {
                model[i] = borrowed;
                assert_ok(pagetree_borrow(&t, i, borrowed));
                count++;
            } else if (model[i] == NULL) {
                model[i] = mb_page();
                assert_ok(pagetree_insert(&t, i, model[i]));
                count++;
            }
        }
        assert_int_equal(t.count, count);
    }
    for (uint64_t k = 0; k < TREE_SPAN; k++) {
        count -= model[k] == borrowed;
    }
    assert_int_equal(pagetree_free(&t, 0, ~0ul), count);
    assert_null(t.root);
    assert_int_equal(host_pages, pages);
    memset(model, 0, sizeof(model));
}

static void pagetree_far_away(void **state)
{
    struct pagetree t = {0};
    uint64_t at, far = ~0ul / MB_PAGE;
    assert_ok(pagetree_insert(&t, 0, mb_page()));
    assert_ok(pagetree_insert(&t, far, mb_page()));
    assert_ok(pagetree_insert(&t, ~0ul, mb_page()));
    assert_null(pagetree_find(&t, far - 1));
    assert_true(pagetree_next(&t, 1, ~0ul, true, &at));
    assert_int_equal(at, far);
    assert_true(pagetree_next(&t, far + 1, ~0ul, true, &at));
    assert_int_equal(at, ~0ul);
    assert_false(pagetree_next(&t, 1, far - 1, true, &at));
    assert_int_equal(pagetree_free(&t, 1, ~0ul), 2);
    assert_int_equal(t.height, 0);
    assert_int_equal(pagetree_free(&t, 0, 0), 1);
}

static void pagetree_out_of_memory(void **state)
{
    for (long n = 0;; n++) {
        struct pagetree t = {0};
        void *a = mb_page(), *b = mb_page();
        assert_ok(pagetree_insert(&t, 1, a));
        uint64_t blocks = host_blocks;
        host_fail_after(n);
        int err = pagetree_insert(&t, 1ul << 30, b);
        host_fail_after(-1);
        if (err < 0) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(host_blocks, blocks);
            assert_ptr_equal(pagetree_find(&t, 1), a);
            assert_null(pagetree_find(&t, 1ul << 30));
            mb_page_free(b);
        }
        pagetree_free(&t, 0, ~0ul);
        if (err == 0) {
            return;
        }
    }
}

/* ---- files ---- */

static void read_and_write(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    assert_int_equal(t_write(fd, "hello"), 5);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    assert_string_equal(t_read(fd, 3), "hel");
    assert_string_equal(t_read(fd, 30), "lo");
    assert_string_equal(t_read(fd, 30), "");
    char *buf = host_room(16);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 2, 3), 2);
    assert_memory_equal(buf, "lo", 2);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 2, (uint64_t)-1), -EINVAL);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, U("XY"), 2, 1), 2);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 16, 0), 5);
    assert_memory_equal(buf, "hXYlo", 5);
    assert_int_equal(CALL_(read, (uint64_t)fd, HOST_BAD, 0), 0);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, HOST_BAD, 1, 0), -EFAULT);
    assert_int_equal(CALL_(write, (uint64_t)fd, HOST_BAD, 1), -EFAULT);
    assert_int_equal(t_stat("/f")->size, 5);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, 9), -EINVAL);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, (uint64_t)-6, SEEK_END), -EINVAL);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, INT64_MAX, SEEK_END), -EINVAL);
    assert_ok(t_close(fd));
    fd = t_open("/f", O_WRONLY, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 1), -EBADF);
    assert_ok(t_close(fd));
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 1), -EBADF);
    fd = t_open("/f", O_RDONLY, 0);
    assert_int_equal(t_write(fd, "x"), -EBADF);
    assert_ok(t_close(fd));
    fd = t_open("/", O_RDONLY, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 1), -EISDIR);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void append_from_two(void **state)
{
    long a = t_open("/f", O_WRONLY | O_CREAT | O_APPEND, 0644), b = t_open("/f", O_WRONLY, 0);
    t_write(a, "aa");
    t_write(b, "b");
    t_write(a, "cc");
    assert_int_equal(CALL_(pwrite64, (uint64_t)a, U("dd"), 2, 0), 2); /* Linux appends here too */
    assert_int_equal(CALL_(lseek, (uint64_t)a, 0, SEEK_CUR), 4);
    long r = t_open("/f", O_RDONLY, 0);
    assert_string_equal(t_read(r, 20), "baccdd");
    t_close(a);
    t_close(b);
    t_close(r);
    assert_ok(t_unlink("/f"));
}

/* ---- borrowed pages ---- */

enum { LENT = 8 }; /* pages; what they hold is compared after every test */
static uint8_t *lent, lent_before[LENT * MB_PAGE];

/* A file of borrowed pages: its inode, and open. */
static struct inode *borrow(long *fd)
{
    if (lent == NULL) {
        lent = mmap(NULL, sizeof(lent_before), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        assert_true(lent != MAP_FAILED);
        for (size_t i = 0; i < sizeof(lent_before); i++) {
            lent[i] = (uint8_t)(1 + i * 7 + i / MB_PAGE);
        }
        memcpy(lent_before, lent, sizeof(lent_before));
        mprotect(lent, sizeof(lent_before), PROT_READ); /* whoever writes there dies */
    }
    *fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    struct file *f = fd_get((int)*fd);
    struct inode *ino = f->inode;
    file_unref(f);
    int64_t pos = 0;
    uint64_t pages = tmpfs_pages;
    assert_int_equal(tmpfs_borrow(ino, lent, LENT * MB_PAGE, &pos), LENT * MB_PAGE);
    assert_int_equal(pos, LENT * MB_PAGE);
    assert_int_equal(ino->size, pos);
    assert_int_equal(tmpfs_pages, pages);
    return ino;
}

static void borrowed_end(long fd)
{
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
    assert_int_equal(tmpfs_pages, 0);
    assert_memory_equal(lent, lent_before, sizeof(lent_before));
}

static uint64_t unmapped_from, unmapped_to;
static void note_unmap(struct inode *ino, uint64_t from, uint64_t to)
{
    unmapped_from = from;
    unmapped_to = to;
}

static void borrowed_pages_are_copied_when_written(void **state)
{
    long fd;
    struct inode *ino = borrow(&fd);
    char *buf = host_room(2 * MB_PAGE);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 2 * MB_PAGE, 100), 2 * MB_PAGE);
    assert_memory_equal(buf, lent + 100, 2 * MB_PAGE);
    assert_int_equal(tmpfs_pages, 0);
    assert_int_equal(t_stat("/f")->blocks, LENT * MB_PAGE / 512);
    vfs_truncate_hook = note_unmap;
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, U("XY"), 2, MB_PAGE + 5), 2);
    vfs_truncate_hook = NULL;
    assert_int_equal(unmapped_from, MB_PAGE); /* who shares the page sees the new one from now on */
    assert_int_equal(unmapped_to, 2 * MB_PAGE);
    assert_int_equal(tmpfs_pages, 1);
    assert_int_equal(ino->sb->pages, 1);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 16, MB_PAGE), 16);
    assert_memory_equal(buf, lent + MB_PAGE, 5);
    assert_memory_equal(buf + 5, "XY", 2);
    assert_memory_equal(buf + 7, lent + MB_PAGE + 7, 9);
    /* A fault half way: what was not written stays. */
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, HOST_BAD, 2, 2 * MB_PAGE), -EFAULT);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 16, 2 * MB_PAGE), 16);
    assert_memory_equal(buf, lent + 2 * MB_PAGE, 16);
    borrowed_end(fd);
}

static void borrowed_pages_are_mapped_to_be_read(void **state)
{
    long fd;
    int err = 0;
    borrow(&fd);
    struct file *f = fd_get((int)fd);
    int64_t before = f->inode->mtime = 5;
    assert_ptr_equal(f->ops->page(f, MB_PAGE, PAGE_READ, &err), lent + MB_PAGE);
    assert_int_equal(tmpfs_pages, 0);
    char *page = f->ops->page(f, MB_PAGE, PAGE_SHARE, &err);
    assert_int_equal(f->inode->mtime, before);
    assert_memory_equal(page, lent + MB_PAGE, MB_PAGE);
    page[0] ^= 1;
    assert_ptr_equal(f->ops->page(f, MB_PAGE, PAGE_READ, &err), page);
    page = f->ops->page(f, 2 * MB_PAGE, PAGE_WRITE, &err);
    page[0] ^= 1;
    assert_int_not_equal(f->inode->mtime, before);
    assert_int_equal(tmpfs_pages, 2);
    assert_null(f->ops->page(f, LENT * MB_PAGE, PAGE_READ, &err));
    file_unref(f);
    borrowed_end(fd);
}

static void borrowed_pages_are_cut(void **state)
{
    long fd;
    struct inode *ino = borrow(&fd);
    char *buf = host_room(MB_PAGE);
    static const char zero[MB_PAGE];
    /* In the middle of one: no memory for the copy, and nothing is changed. */
    host_fail_after(0);
    assert_int_equal(CALL_(ftruncate, (uint64_t)fd, 5 * MB_PAGE + 9), -ENOMEM);
    assert_int_equal(ino->size, LENT * MB_PAGE);
    host_fail_after(0);
    assert_int_equal(CALL_(fallocate, (uint64_t)fd, 3, 2 * MB_PAGE + 1, 9), -ENOMEM);
    host_fail_after(-1);
    assert_int_equal(tmpfs_pages, 0);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 5 * MB_PAGE + 9));
    assert_int_equal(tmpfs_pages, 1);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 7 * MB_PAGE));
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), MB_PAGE, 5 * MB_PAGE), MB_PAGE);
    assert_memory_equal(buf, lent + 5 * MB_PAGE, 9);
    assert_memory_equal(buf + 9, zero, MB_PAGE - 9);
    /* Between two: nothing has to be copied. */
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 4 * MB_PAGE));
    assert_int_equal(tmpfs_pages, 0);
    assert_int_equal(ino->pages.count, 4);
    /* Holes: inside one page, over borders, of whole pages. */
    assert_ok(CALL_(fallocate, (uint64_t)fd, 3, 100, 100));
    assert_ok(CALL_(fallocate, (uint64_t)fd, 3, MB_PAGE + 100, MB_PAGE));
    assert_int_equal(tmpfs_pages, 3);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), MB_PAGE, MB_PAGE), MB_PAGE);
    assert_memory_equal(buf, lent + MB_PAGE, 100);
    assert_memory_equal(buf + 100, zero, MB_PAGE - 100);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), MB_PAGE, 2 * MB_PAGE), MB_PAGE);
    assert_memory_equal(buf, zero, 100);
    assert_memory_equal(buf + 100, lent + 2 * MB_PAGE + 100, MB_PAGE - 100);
    assert_ok(CALL_(fallocate, (uint64_t)fd, 3, 3 * MB_PAGE, MB_PAGE));
    assert_int_equal(tmpfs_pages, 3);
    assert_int_equal(ino->pages.count, 3);
    borrowed_end(fd);
}

static void not_everything_is_borrowed(void **state)
{
    long fd;
    struct inode *ino = borrow(&fd);
    int64_t pos = 0;
    assert_int_equal(tmpfs_borrow(ino, lent, MB_PAGE, &pos), 0); /* something is there */
    pos = LENT * MB_PAGE;
    assert_int_equal(tmpfs_borrow(ino, lent + 8, 2 * MB_PAGE, &pos), 0);
    assert_int_equal(tmpfs_borrow(ino, lent, MB_PAGE - 1, &pos), 0);
    pos += 8;
    assert_int_equal(tmpfs_borrow(ino, lent, MB_PAGE, &pos), 0);
    /* Behind an end inside a page, what was behind it is zero. */
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 10));
    pos = 2 * MB_PAGE;
    assert_int_equal(tmpfs_borrow(ino, lent, 2 * MB_PAGE - 1, &pos), MB_PAGE);
    char *buf = host_room(MB_PAGE);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 20, 0), 20);
    assert_memory_equal(buf, lent, 10);
    assert_int_equal(buf[10] | buf[11] | buf[19], 0);
    borrowed_end(fd);
}

/* What is written and read back over page borders, against plain memory; of a file that begins with
 * borrowed pages. */
static void random_access(void **state)
{
    enum { SIZE = 40000 };
    static uint8_t model[SIZE];
    uint8_t *buf = host_room(SIZE);
    uint32_t x = 99;
    int64_t size = 0;
    long fd;
    borrow(&fd);
    memset(model, 0, sizeof(model));
    memcpy(model, lent, LENT * MB_PAGE);
    size = LENT * MB_PAGE;
    for (int round = 0; round < 3000; round++) {
        x = x * 1664525 + 1013904223;
        int64_t at = (x >> 4) % SIZE;
        int64_t n = (x >> 20) % 9000;
        n = n < SIZE - at ? n : SIZE - at;
        switch (x & 7) {
        case 0:
            assert_ok(CALL_(ftruncate, (uint64_t)fd, (uint64_t)at));
            memset(model + at, 0, (size_t)(SIZE - at));
            size = at;
            break;
        case 1:
            if (n > 0) { /* a hole */
                assert_ok(CALL_(fallocate, (uint64_t)fd, 3, (uint64_t)at, (uint64_t)n));
                memset(model + at, 0, (size_t)n);
            }
            break;
        case 2:
        case 3:
        case 4:
            mb_random(buf, (size_t)n);
            assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), (uint64_t)n, (uint64_t)at), n);
            memcpy(model + at, buf, (size_t)n);
            size = n > 0 && at + n > size ? at + n : size;
            break;
        default: {
            int64_t want = at < size ? (n < size - at ? n : size - at) : 0;
            assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), (uint64_t)n, (uint64_t)at), want);
            assert_memory_equal(buf, model + at, (size_t)want);
        }
        }
        assert_int_equal(fd_peek((int)fd)->inode->size, size);
    }
    t_close(fd);
    assert_ok(t_unlink("/f"));
}

static void holes(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 100 * MB_PAGE + 10, SEEK_SET), 100 * MB_PAGE + 10);
    t_write(fd, "end");
    assert_int_equal(t_stat("/f")->size, 100 * MB_PAGE + 13);
    assert_int_equal(t_stat("/f")->blocks, 8);
    char *buf = host_room(MB_PAGE);
    memset(buf, 1, MB_PAGE);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), MB_PAGE, 5000), MB_PAGE);
    for (unsigned i = 0; i < MB_PAGE; i++) {
        assert_int_equal(buf[i], 0);
    }
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_DATA), 100 * MB_PAGE);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 7, SEEK_HOLE), 7);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 100 * MB_PAGE + 1, SEEK_HOLE), 100 * MB_PAGE + 13);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 101 * MB_PAGE, SEEK_DATA), -ENXIO);
    /* a sparse giant */
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 1ull << 60));
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, U("x"), 1, (1ull << 60) - 1), 1);
    assert_int_equal(CALL_(ftruncate, (uint64_t)fd, (uint64_t)-1), -EINVAL);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, U("xy"), 2, INT64_MAX - 1), 1);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, U("xy"), 2, INT64_MAX), -EFBIG);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 0));
    assert_int_equal(t_stat("/f")->blocks, 0);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

/* A write that faults half way must not leave bytes behind the end that show up later. */
static void fault_in_the_middle(void **state)
{
    long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    char *end = (char *)host_arena + HOST_ARENA - 100;
    memset(end, 'z', 100);
    assert_int_equal(CALL_(write, (uint64_t)fd, A(end), 200), -EFAULT);
    assert_int_equal(t_stat("/f")->size, 0);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 300));
    char *buf = host_room(300);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 300, 0), 300);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(buf[i], 0);
    }
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void vectors(void **state)
{
    struct abi_iovec *v = host_room(20 * sizeof(*v));
    long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    for (int i = 0; i < 20; i++) {
        v[i] = (struct abi_iovec){U("abc"), (uint64_t)(i % 4)};
    }
    assert_int_equal(CALL_(writev, (uint64_t)fd, A(v), 20), 30);
    char *a = host_room(4), *b = host_room(40);
    v[0] = (struct abi_iovec){A(a), 4};
    v[1] = (struct abi_iovec){HOST_BAD, 0};
    v[2] = (struct abi_iovec){A(b), 40};
    assert_int_equal(CALL_(preadv, (uint64_t)fd, A(v), 3, 0), 30);
    assert_memory_equal(a, "aaba", 4);
    assert_memory_equal(b, "bcaababc", 8);
    assert_int_equal(CALL_(preadv, (uint64_t)fd, A(v), 3, 28), 2);
    assert_int_equal(CALL_(pwritev, (uint64_t)fd, A(v), 1, 26), 4);
    assert_int_equal(CALL_(writev, (uint64_t)fd, A(v), 1025), -EINVAL);
    assert_int_equal(CALL_(writev, (uint64_t)fd, HOST_BAD, 1), -EFAULT);
    assert_int_equal(CALL_(writev, (uint64_t)fd, A(v), 0), 0);
    v[0].len = 1ull << 63;
    assert_int_equal(CALL_(writev, (uint64_t)fd, A(v), 1), -EINVAL);
    /* what comes before a bad element is done */
    v[0] = (struct abi_iovec){A(a), 3};
    v[1] = (struct abi_iovec){HOST_BAD, 5};
    assert_int_equal(CALL_(preadv, (uint64_t)fd, A(v), 2, 0), 3);
    assert_int_equal(CALL_(pwritev, (uint64_t)fd, A(v), 2, 5000), 3);
    assert_int_equal(t_stat("/f")->size, 5003);
    assert_int_equal(CALL_(preadv, (uint64_t)fd, A(v + 1), 1, 0), -EFAULT);
    assert_int_equal(CALL_(pwritev, (uint64_t)fd, A(v + 1), 1, 9000), -EFAULT);
    assert_int_equal(t_stat("/f")->size, 5003);
    /* across pages and segments at once */
    char *big = host_room(10000);
    for (int i = 0; i < 10000; i++) {
        big[i] = (char)(i % 251);
    }
    v[0] = (struct abi_iovec){A(big), 3000};
    v[1] = (struct abi_iovec){A(big + 3000), 7000};
    assert_int_equal(CALL_(pwritev, (uint64_t)fd, A(v), 2, 100), 10000);
    char *back = host_room(10000);
    v[0] = (struct abi_iovec){A(back), 5};
    v[1] = (struct abi_iovec){A(back + 5), 9995};
    assert_int_equal(CALL_(preadv, (uint64_t)fd, A(v), 2, 100), 10000);
    assert_memory_equal(back, big, 10000);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void limits(void **state)
{
    assert_ok(t_mkdir("/m"));
    assert_ok(CALL_(mount, U("x"), U("/m"), U("tmpfs"), 0, U("size=16k,nr_inodes=4")));
    long fd = t_open("/m/f", O_RDWR | O_CREAT, 0644);
    char *buf = host_room(40000);
    memset(buf, 'x', 40000);
    assert_int_equal(CALL_(write, (uint64_t)fd, A(buf), 40000), 4 * MB_PAGE);
    assert_int_equal(CALL_(write, (uint64_t)fd, A(buf), 1), -ENOSPC);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 100, 50), 100);
    struct abi_statfs *sf = host_room(sizeof(*sf));
    assert_ok(CALL_(statfs, U("/m/f"), A(sf)));
    assert_int_equal(sf->blocks, 4);
    assert_int_equal(sf->bfree, 0);
    assert_int_equal(sf->files, 4);
    assert_int_equal(sf->ffree, 2);
    assert_ok(t_mkdir("/m/a"));
    assert_ok(t_mkdir("/m/b"));
    assert_int_equal(t_mkdir("/m/c"), -ENOSPC);
    assert_int_equal(CALL_(fallocate, (uint64_t)fd, 0, 0, 5 * MB_PAGE), -ENOSPC);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 5000));
    assert_ok(CALL_(fallocate, (uint64_t)fd, 1, 0, 4 * MB_PAGE));
    assert_int_equal(t_stat("/m/f")->size, 5000);
    assert_int_equal(CALL_(fallocate, (uint64_t)fd, 0x40, 0, 1), -EOPNOTSUPP);
    assert_int_equal(CALL_(fallocate, (uint64_t)fd, 0, 0, 0), -EINVAL);
    assert_int_equal(CALL_(fallocate, (uint64_t)fd, 0, INT64_MAX, 5), -EFBIG);
    assert_ok(t_unlink("/m/f"));
    assert_int_equal(CALL_(fstatfs, (uint64_t)fd, A(sf)), 0);
    assert_int_equal(sf->bfree, 0); /* still open */
    assert_ok(t_close(fd));
    assert_ok(CALL_(statfs, U("/m"), A(sf)));
    assert_int_equal(sf->bfree, 4);
    assert_ok(CALL_(umount2, U("/m"), 0)); /* with what is in it */
    assert_ok(t_rmdir("/m"));
}

static void file_size_limit(void **state)
{
    uint64_t *limit = &current->proc->rlimit[ABI_RLIMIT_FSIZE][0];
    long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
    *limit = 10;
    assert_int_equal(t_write(fd, "0123456789ab"), 10);
    assert_int_equal(t_write(fd, "c"), -EFBIG);
    assert_int_equal(host_me->signals, 1 << ABI_SIGXFSZ);
    assert_int_equal(CALL_(ftruncate, (uint64_t)fd, 11), -EFBIG);
    assert_ok(CALL_(ftruncate, (uint64_t)fd, 4));
    *limit = ABI_RLIM_INFINITY;
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void setid_bits_go(void **state)
{
    t_file("/f", "x");
    assert_ok(CALL_(fchownat, CWD, U("/f"), 5, 5, 0));
    assert_ok(CALL_(fchmodat, CWD, U("/f"), 06777));
    long fd = t_open("/f", O_WRONLY, 0);
    t_write(fd, "root");
    assert_int_equal(t_stat("/f")->mode & 07777, 06777);
    as_user(5);
    t_write(fd, "user");
    assert_int_equal(t_stat("/f")->mode & 07777, 0777);
    as_user(0);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/f"));
}

static void times(void **state)
{
    host_now = 5000 * NSEC_PER_SEC;
    t_file("/f", "x");
    host_now += NSEC_PER_SEC;
    long fd = t_open("/f", O_RDWR, 0);
    t_read(fd, 1);
    assert_int_equal(t_stat("/f")->atime, 5001); /* was not newer than mtime */
    host_now += NSEC_PER_SEC;
    t_read(fd, 1);
    CALL_(lseek, (uint64_t)fd, 0, SEEK_SET);
    t_read(fd, 1);
    assert_int_equal(t_stat("/f")->atime, 5001); /* relatime */
    host_now += 25 * 3600 * NSEC_PER_SEC;
    CALL_(lseek, (uint64_t)fd, 0, SEEK_SET);
    t_read(fd, 1);
    assert_int_equal(t_stat("/f")->atime, 5002 + 25 * 3600);
    t_write(fd, "y");
    assert_int_equal(t_stat("/f")->mtime, 5002 + 25 * 3600);
    host_now += NSEC_PER_SEC;
    assert_ok(CALL_(fchmod, (uint64_t)fd, 0600));
    assert_int_equal(t_stat("/f")->mtime, 5002 + 25 * 3600);
    assert_int_equal(t_stat("/f")->ctime, 5003 + 25 * 3600);
    assert_ok(t_close(fd));
    host_now += NSEC_PER_SEC;
    assert_ok(t_unlink("/f"));
    assert_int_equal(t_stat("/")->mtime, 5004 + 25 * 3600);
    host_now = 0;
}

/* ---- directories ---- */

struct seen {
    char name[64];
};

/* All names by getdents64 with a small buffer; step is called after each portion. */
static unsigned list(long fd, struct seen *out, unsigned max, void (*step)(struct seen *, unsigned))
{
    char *buf = host_room(160);
    unsigned n = 0, before;
    for (;;) {
        long got = CALL_(getdents64, (uint64_t)fd, A(buf), 160);
        assert_true(got >= 0);
        if (got == 0) {
            return n;
        }
        before = n;
        for (long at = 0; at < got;) {
            const struct abi_dirent *d = (const void *)(buf + at);
            if (strcmp(d->name, ".") != 0 && strcmp(d->name, "..") != 0) {
                assert_true(n < max);
                snprintf(out[n++].name, sizeof(out->name), "%s", d->name);
            }
            at += d->reclen;
        }
        if (step != NULL) {
            step(out + before, n - before);
        }
    }
}

static void remove_them(struct seen *s, unsigned n)
{
    char path[80];
    for (unsigned i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "/d/%s", s[i].name);
        assert_ok(t_unlink(path));
    }
}

static void reading_while_removing(void **state)
{
    static struct seen seen[300];
    char name[64];
    assert_ok(t_mkdir("/d"));
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "/d/file-%d", i);
        t_file(name, "");
    }
    assert_int_equal(t_stat("/d")->size, 202 * 20);
    long fd = t_open("/d", O_RDONLY, 0);
    char *tiny = host_room(16);
    assert_int_equal(CALL_(getdents64, (uint64_t)fd, A(tiny), 16), -EINVAL);
    assert_int_equal(CALL_(getdents64, (uint64_t)fd, HOST_BAD, 100), -EFAULT);
    assert_int_equal(list(fd, seen, 300, NULL), 200);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    assert_int_equal(list(fd, seen, 300, remove_them), 200); /* rm -r */
    assert_ok(t_close(fd));
    assert_ok(t_rmdir("/d"));
}

static unsigned renamed;
static void rename_them(struct seen *s, unsigned n)
{
    char from[80], to[80];
    for (unsigned i = 0; i < n; i++) {
        snprintf(from, sizeof(from), "/d/%s", s[i].name);
        snprintf(to, sizeof(to), "/d/r%u", renamed++);
        assert_ok(CALL_(renameat2, CWD, U(from), CWD, U(to), 0));
    }
}

static void reading_while_renaming(void **state)
{
    static struct seen seen[100];
    char name[64];
    assert_ok(t_mkdir("/d"));
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "/d/file-%d", i);
        t_file(name, "");
    }
    long fd = t_open("/d", O_RDONLY, 0);
    assert_int_equal(list(fd, seen, 100, rename_them), 50);
    CALL_(lseek, (uint64_t)fd, 0, SEEK_SET);
    list(fd, seen, 100, remove_them);
    assert_ok(t_close(fd));
    assert_ok(t_rmdir("/d"));
}

static void many_names(void **state)
{
    char name[64];
    assert_ok(t_mkdir("/d"));
    for (int i = 0; i < 5000; i++) { /* the hash grows */
        snprintf(name, sizeof(name), "/d/%x", i * 7919);
        t_file(name, "");
        host_used = 0;
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "/d/%x", i * 7919);
        assert_non_null(t_stat(name));
        assert_ok(t_unlink(name));
        host_used = 0;
    }
    assert_ok(t_rmdir("/d"));
}

static void deep_tree(void **state)
{
    for (int i = 0; i < 2000; i++) {
        assert_ok(t_mkdir("x"));
        assert_ok(CALL_(chdir, U("x")));
        host_used = 0;
    }
    char *buf = host_room(PATH_MAX);
    assert_int_equal(CALL_(getcwd, A(buf), PATH_MAX), 4001);
    for (int i = 0; i < 2000; i++) {
        assert_ok(CALL_(chdir, U("..")));
        assert_ok(t_rmdir("x"));
    }
    /* and one that goes with its mount, as deep as it is */
    assert_ok(t_mkdir("/m"));
    assert_ok(CALL_(mount, U("x"), U("/m"), U("ramfs"), 0, 0));
    assert_ok(CALL_(chdir, U("/m")));
    for (int i = 0; i < 3000; i++) {
        assert_ok(t_mkdir("x"));
        assert_ok(CALL_(chdir, U("x")));
        host_used = 0;
    }
    assert_ok(CALL_(chdir, U("/")));
    assert_ok(CALL_(umount2, U("/m"), 0));
    assert_ok(t_rmdir("/m"));
}

static void nodes(void **state)
{
    assert_ok(CALL_(mknodat, CWD, U("/null"), S_IFCHR | 0666, dev_make(1, 3)));
    long fd = t_open("/null", O_RDWR, 0);
    assert_int_equal(t_write(fd, "gone"), 4);
    assert_string_equal(t_read(fd, 10), "");
    assert_ok(t_close(fd));
    assert_ok(CALL_(mknodat, CWD, U("/none"), S_IFCHR | 0666, dev_make(200, 3)));
    assert_int_equal(t_open("/none", O_RDONLY, 0), -ENXIO);
    assert_ok(CALL_(mknodat, CWD, U("/block"), S_IFBLK | 0666, dev_make(8, 0)));
    assert_int_equal(t_open("/block", O_RDONLY, 0), -ENXIO);
    assert_ok(CALL_(mknodat, CWD, U("/sock"), S_IFSOCK | 0666, 0));
    assert_int_equal(t_open("/sock", O_RDONLY, 0), -ENXIO);
    assert_int_equal(CALL_(mknodat, CWD, U("/x"), S_IFDIR, 0), -EPERM);
    as_user(1);
    assert_int_equal(CALL_(mknodat, CWD, U("/x"), S_IFCHR, 0), -EPERM);
    as_user(0);
    assert_int_equal(dev_major(dev_make(0x345, 0x12345)), 0x345);
    assert_int_equal(dev_minor(dev_make(0x345, 0x12345)), 0x12345);
    char *buf = host_room(32);
    fd = t_open("/dev/zero", O_RDONLY, 0);
    memset(buf, 1, 32);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 31), 31);
    assert_int_equal(buf[30], 0);
    assert_int_equal(buf[31], 1);
    assert_ok(t_close(fd));
    fd = t_open("/dev/full", O_RDWR, 0);
    assert_int_equal(t_write(fd, "x"), -ENOSPC);
    assert_ok(t_close(fd));
    fd = t_open("/dev/urandom", O_RDONLY, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_room(1000)), 1000), 1000);
    assert_int_equal(CALL_(read, (uint64_t)fd, HOST_BAD, 1000), -EFAULT);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/null"));
    assert_ok(t_unlink("/none"));
    assert_ok(t_unlink("/block"));
    assert_ok(t_unlink("/sock"));
}

static void out_of_memory(void **state)
{
    for (long n = 0;; n++) {
        long fd = t_open("/f", O_RDWR | O_CREAT, 0644);
        char *buf = host_room(MB_PAGE * 3);
        memset(buf, 'x', MB_PAGE * 3);
        host_fail_after(n);
        long put = CALL_(pwrite64, (uint64_t)fd, A(buf), MB_PAGE * 3, 70 * MB_PAGE);
        bool failed = host_failed;
        host_fail_after(-1);
        assert_true(put == -ENOMEM || (put > 0 && put % (long)MB_PAGE == 0));
        assert_int_equal(t_stat("/f")->size, put > 0 ? 70 * (long)MB_PAGE + put : 0);
        assert_ok(t_close(fd));
        assert_ok(t_unlink("/f"));
        if (!failed) {
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pagetree_random),
        T(pagetree_far_away),
        T(pagetree_out_of_memory),
        T(read_and_write),
        T(append_from_two),
        T(borrowed_pages_are_copied_when_written),
        T(borrowed_pages_are_mapped_to_be_read),
        T(borrowed_pages_are_cut),
        T(not_everything_is_borrowed),
        T(random_access),
        T(holes),
        T(fault_in_the_middle),
        T(vectors),
        T(limits),
        T(file_size_limit),
        T(setid_bits_go),
        T(times),
        T(reading_while_removing),
        T(reading_while_renaming),
        T(many_names),
        T(deep_tree),
        T(nodes),
        T(out_of_memory),
    };
    return HOST_RUN(tests);
}
