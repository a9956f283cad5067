/*
 * Address spaces: every call against a model that knows one page at a time, with and without memory.
 * test-sources: posix/mem/?*.c posix/fs/text.c
 */
#include "mm_fake.h"
#include "vdso_fake.h"

#include <linux/mman.h>
#include <signal.h>
#include <sys/mman.h>

#include "fs/text.h"
#include "sys.h"

#define BASE 0x10000000ul
#define PAGES 64
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

#define CALL_(name, ...) sys_##name((const uint64_t[6]){__VA_ARGS__})

static struct mm *mm;

static void use(struct mm *m)
{
    mm = m;
    fake_task.mm = m;
}

static int set_up(void **state)
{
    fake_set_up();
    static bool once;
    if (!once) {
        once = true;
        assert_int_equal(mm_init(), 0);
    }
    use(mm_make(true));
    assert_non_null(mm);
    return 0;
}

static int tear_down(void **state)
{
    mm_unref(mm);
    for (int i = 0; i < 3; i++) {
        if (fake_file[i].f.refs != 1) {
            return -1;
        }
    }
    return 0;
}

/* The list is sorted, without overlap, as short as it can be, and adds up. */
static void check_list(const struct mm *m)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct vma *v = &m->vma[i], *n = v + 1;
        assert_true(v->start < v->end && v->start % MB_PAGE == 0 && v->end % MB_PAGE == 0);
        pages += (v->end - v->start) / MB_PAGE;
        if (i + 1 == m->count) {
            break;
        }
        assert_true(v->end <= n->start);
        bool same =
            v->end == n->start && v->kind == n->kind && v->prot == n->prot && v->flags == n->flags;
        assert_false(same && v->kind == VMA_ANON);
    }
    assert_int_equal(pages, m->pages);
}

static uint32_t get(uint64_t va)
{
    uint32_t v = 0xdead;
    assert_int_equal(fake_access(mm, va, NX_PROT_R, &v), 0);
    return v;
}

static void set(uint64_t va, uint32_t v)
{
    assert_int_equal(fake_access(mm, va, NX_PROT_W, &v), 0);
}

static int dies(uint64_t va, unsigned access)
{
    uint32_t v = 0;
    return fake_access(mm, va, access, &v);
}

/* ---- mmap and munmap ---- */

static void anonymous(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, 0, 3 * MB_PAGE, RW, ANON, ~0ul, 0);
    assert_int_equal(a % MB_PAGE, 0);
    assert_int_equal(get(a), 0);
    set(a + MB_PAGE, 7);
    assert_int_equal(get(a + MB_PAGE), 7);
    assert_int_equal(CALL_(munmap, a + MB_PAGE, MB_PAGE), 0);
    assert_int_equal(dies(a + MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(get(a + 2 * MB_PAGE), 0);
    uint64_t b = (uint64_t)CALL_(mmap, 0, 3 * MB_PAGE, RW, ANON, ~0ul, 0);
    assert_int_equal(b + 3 * MB_PAGE, a); /* as high as possible, and one area with the rest */
    check_list(mm);
    assert_int_equal(CALL_(munmap, 0x5000, MB_PAGE), 0); /* nothing there: fine */
}

static void arguments(void **state)
{
    assert_int_equal(CALL_(mmap, 0, 0, RW, ANON, 0, 0), -EINVAL);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, RW, MAP_ANONYMOUS, 0, 0), -EINVAL);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, RW, ANON, 0, 5), -EINVAL);
    assert_int_equal(CALL_(mmap, 0, 1ul << 40, RW, ANON | MAP_NORESERVE, 0, 0), -ENOMEM);
    assert_int_equal(CALL_(mmap, 0, ~0ul, RW, ANON, 0, 0), -ENOMEM);
    assert_int_equal(CALL_(mmap, BASE + 1, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0), -EINVAL);
    assert_int_equal(CALL_(mmap, MM_TASK_END, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0), -ENOMEM);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0), -EPERM);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, RW, MAP_PRIVATE, 9, 0), -EBADF);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, PROT_READ, MAP_PRIVATE, 2, 0), -EACCES);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, RW, MAP_SHARED, 0, 0), -EACCES);
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, PROT_READ, MAP_SHARED, 0, -MB_PAGE), -EOVERFLOW);
    assert_int_equal(CALL_(munmap, BASE + 1, MB_PAGE), -EINVAL);
    assert_int_equal(CALL_(munmap, BASE, 0), -EINVAL);
    assert_int_equal(CALL_(munmap, MM_TASK_END, MB_PAGE), -EINVAL);
    /* More than the machine has, at once. */
    assert_int_equal(CALL_(mmap, 0, 5000 * MB_PAGE, RW, ANON, 0, 0), -ENOMEM);
    fake_limits[9] = mm_vsize(mm) + 4 * MB_PAGE; /* RLIMIT_AS */
    assert_int_equal(CALL_(mmap, 0, 5 * MB_PAGE, RW, ANON, 0, 0), -ENOMEM);
    assert_true(CALL_(mmap, 0, 4 * MB_PAGE, RW, ANON, 0, 0) > 0);
    fake_limits[9] = ~0ul;
}

static void places(void **state)
{
    uint64_t len = 4 * MB_PAGE;
    assert_int_equal(CALL_(mmap, BASE, len, RW, ANON, 0, 0), BASE); /* a free hint is taken */
    long other = CALL_(mmap, BASE, len, RW, ANON, 0, 0);
    assert_true(other > 0 && (uint64_t)other != BASE);
    assert_int_equal(CALL_(mmap, BASE + MB_PAGE, len, RW, ANON | MAP_FIXED_NOREPLACE, 0, 0),
                     -EEXIST);
    set(BASE, 1);
    set(BASE + MB_PAGE, 2);
    assert_int_equal(CALL_(mmap, BASE + MB_PAGE, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0),
                     BASE + MB_PAGE);
    assert_int_equal(get(BASE), 1);
    assert_int_equal(get(BASE + MB_PAGE), 0);
    assert_int_equal(CALL_(mmap, BASE + len, len, RW, ANON | MAP_FIXED_NOREPLACE, 0, 0),
                     BASE + len);
    check_list(mm);
}

static void files(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 50 * MB_PAGE, RW, MAP_PRIVATE, 0, 0);
    for (uint32_t i = 0; i < FILE_PAGES; i++) {
        assert_int_equal(get(a + i * MB_PAGE), 1000 + i);
    }
    assert_int_equal(dies(a + FILE_PAGES * MB_PAGE, NX_PROT_R), SIGBUS); /* behind the end */
    set(a + 3 * MB_PAGE, 5);
    assert_int_equal(get(a + 3 * MB_PAGE), 5);
    assert_int_equal(*(uint32_t *)(fake_file[0].data + 3 * MB_PAGE), 1003); /* a private copy */

    uint64_t s = (uint64_t)CALL_(mmap, 0, 4 * MB_PAGE, RW, MAP_SHARED, 1, 8 * MB_PAGE);
    uint64_t t = (uint64_t)CALL_(mmap, 0, 4 * MB_PAGE, PROT_READ, MAP_SHARED, 1, 8 * MB_PAGE);
    set(s + MB_PAGE, 99);
    assert_int_equal(get(t + MB_PAGE), 99);
    assert_int_equal(*(uint32_t *)(fake_file[1].data + 9 * MB_PAGE), 99);
    assert_int_equal(dies(t, NX_PROT_W), SIGSEGV);
    assert_int_equal(CALL_(mprotect, t, MB_PAGE, RW), 0); /* it was open for writing */
    set(t, 98);
    assert_int_equal(get(s), 98);
}

/* A read of one page must not undo what was written to its neighbours before. */
static void around(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 32 * MB_PAGE, RW, MAP_PRIVATE, 0, 0);
    set(a + 5 * MB_PAGE, 1);
    assert_int_equal(mb_resident(mm->space), 16);
    CALL_(madvise, a + 6 * MB_PAGE, MB_PAGE, MADV_DONTNEED);
    assert_int_equal(get(a + 6 * MB_PAGE), 1006);
    assert_int_equal(get(a + 5 * MB_PAGE), 1);
    struct mm_signal sig; /* another thread's fault on the same page comes late */
    assert_int_equal(mm_fault(mm, a + 5 * MB_PAGE, MM_CAUSE_STORE, &sig), 0);
    assert_int_equal(get(a + 5 * MB_PAGE), 1);
    assert_int_equal(CALL_(munmap, a, 4 * MB_PAGE), 0); /* the windows move */
    assert_int_equal(get(a + 17 * MB_PAGE), 1017);
    assert_int_equal(get(a + 5 * MB_PAGE), 1);
}

static void protection(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 8 * MB_PAGE, RW, ANON, 0, 0);
    set(a + 2 * MB_PAGE, 3);
    assert_int_equal(CALL_(mprotect, a + 2 * MB_PAGE, 2 * MB_PAGE, PROT_READ), 0);
    check_list(mm);
    assert_int_equal(mm->count, 3 + 2); /* and the pages of the vDSO */
    assert_int_equal(get(a + 2 * MB_PAGE), 3);
    assert_int_equal(dies(a + 2 * MB_PAGE, NX_PROT_W), SIGSEGV);
    assert_int_equal(CALL_(mprotect, a + 2 * MB_PAGE, 2 * MB_PAGE, PROT_NONE), 0);
    assert_int_equal(dies(a + 2 * MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(CALL_(mprotect, a, 8 * MB_PAGE, RW), 0);
    assert_int_equal(mm->count, 1 + 2);
    assert_int_equal(get(a + 2 * MB_PAGE), 3);
    set(a + 2 * MB_PAGE, 4);
    assert_int_equal(get(a + 2 * MB_PAGE), 4);

    assert_int_equal(CALL_(munmap, a + 6 * MB_PAGE, MB_PAGE), 0);
    assert_int_equal(CALL_(mprotect, a, 8 * MB_PAGE, PROT_READ), -ENOMEM); /* up to the hole */
    assert_int_equal(dies(a + 5 * MB_PAGE, NX_PROT_W), SIGSEGV);
    assert_int_equal(dies(a + 7 * MB_PAGE, NX_PROT_W), 0);
    assert_int_equal(CALL_(mprotect, a + 1, MB_PAGE, PROT_READ), -EINVAL);
    assert_int_equal(CALL_(mprotect, a, MB_PAGE, 0x100), -EINVAL);
    assert_int_equal(CALL_(mprotect, a, 0, PROT_READ), 0);
    uint64_t f = (uint64_t)CALL_(mmap, 0, MB_PAGE, PROT_READ, MAP_SHARED, 0, 0);
    assert_int_equal(CALL_(mprotect, f, MB_PAGE, RW), -EACCES);
}

/* ---- brk, stack ---- */

static void program_break(void **state)
{
    mm->brk_start = mm->brk = BASE + 0x123;
    assert_int_equal(CALL_(brk, 0), BASE + 0x123);
    assert_int_equal(CALL_(brk, BASE + 0x800), BASE + 0x800); /* in the page that is there */
    assert_int_equal(CALL_(brk, BASE + 5 * MB_PAGE + 1), BASE + 5 * MB_PAGE + 1);
    set(BASE + 5 * MB_PAGE, 9);
    assert_int_equal(dies(BASE + 6 * MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(CALL_(brk, BASE + 2 * MB_PAGE), BASE + 2 * MB_PAGE);
    assert_int_equal(dies(BASE + 5 * MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(CALL_(brk, BASE + 9 * MB_PAGE), BASE + 9 * MB_PAGE);
    assert_int_equal(get(BASE + 5 * MB_PAGE), 0);
    CALL_(mmap, BASE + 12 * MB_PAGE, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0);
    assert_int_equal(CALL_(brk, BASE + 13 * MB_PAGE), BASE + 9 * MB_PAGE); /* something is there */
    assert_int_equal(CALL_(brk, ~0ul), BASE + 9 * MB_PAGE);
    fake_limits[2] = 10 * MB_PAGE; /* RLIMIT_DATA */
    assert_int_equal(CALL_(brk, BASE + 11 * MB_PAGE), BASE + 9 * MB_PAGE);
    fake_limits[2] = ~0ul;
    check_list(mm);
}

static void stack_grows(void **state)
{
    uint64_t top = mm->layout.stack_top;
    assert_int_equal(mm_map_zero(mm, top - 4 * MB_PAGE, top, RW, VMA_GROWSDOWN | VMA_STACK), 0);
    set(top - 10 * MB_PAGE, 5);
    assert_int_equal(get(top - 10 * MB_PAGE), 5);
    set(top - (4ul << 20), 6); /* far below, in one step */
    assert_int_equal(get(top - 10 * MB_PAGE), 5);
    assert_int_equal(dies(top - (8ul << 20) - MB_PAGE, NX_PROT_W), SIGSEGV); /* the limit */
    set(top - (8ul << 20), 6);
    check_list(mm);
}

static void stack_keeps_its_distance(void **state)
{
    uint64_t top = mm->layout.stack_top, below = top - (1ul << 20) - 64 * MB_PAGE;
    assert_int_equal(mm_map_zero(mm, top - 4 * MB_PAGE, top, RW, VMA_GROWSDOWN | VMA_STACK), 0);
    CALL_(mmap, below, MB_PAGE, RW, ANON | MAP_FIXED, 0, 0);
    set(below + (1ul << 20) + 2 * MB_PAGE, 1);
    assert_int_equal(dies(below + (1ul << 20) - MB_PAGE, NX_PROT_W), SIGSEGV);
    long near = CALL_(mmap, top - 300 * MB_PAGE, 8 * MB_PAGE, RW, ANON, 0, 0);
    assert_true((uint64_t)near + 8 * MB_PAGE + (1ul << 20) <= top - 4 * MB_PAGE);
}

/* ---- mremap ---- */

static void resize(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 4 * MB_PAGE, RW, ANON, 0, 0);
    set(a, 1);
    set(a + 3 * MB_PAGE, 2);
    assert_int_equal(CALL_(mremap, a, 4 * MB_PAGE, 2 * MB_PAGE, 0), a);
    assert_int_equal(dies(a + 3 * MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(CALL_(mremap, a, 2 * MB_PAGE, 6 * MB_PAGE, 0), a); /* room behind it */
    assert_int_equal(get(a + 3 * MB_PAGE), 0);
    assert_int_equal(get(a), 1);
    CALL_(mmap, a + 6 * MB_PAGE, MB_PAGE, PROT_READ, ANON | MAP_FIXED, 0, 0);
    assert_int_equal(CALL_(mremap, a, 6 * MB_PAGE, 8 * MB_PAGE, 0), -ENOMEM);
    uint64_t b = (uint64_t)CALL_(mremap, a, 6 * MB_PAGE, 8 * MB_PAGE, MREMAP_MAYMOVE);
    assert_true(b != a && b < MM_TASK_END);
    assert_int_equal(get(b), 1);
    assert_int_equal(get(b + 7 * MB_PAGE), 0);
    assert_int_equal(dies(a, NX_PROT_R), SIGSEGV);
    check_list(mm);
}

static void move(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 8 * MB_PAGE, RW, MAP_PRIVATE, 0, 0);
    uint64_t to = BASE + 0x100000;
    set(a + 2 * MB_PAGE, 7);
    assert_int_equal(
        CALL_(mremap, a + MB_PAGE, 3 * MB_PAGE, 3 * MB_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to),
        to);
    assert_int_equal(get(to), 1001);
    assert_int_equal(get(to + MB_PAGE), 7);
    assert_int_equal(get(a), 1000);
    assert_int_equal(get(a + 4 * MB_PAGE), 1004);
    assert_int_equal(dies(a + MB_PAGE, NX_PROT_R), SIGSEGV);
    check_list(mm);
    assert_int_equal(CALL_(mremap, a, MB_PAGE, MB_PAGE, MREMAP_FIXED, to), -EINVAL);
    assert_int_equal(
        CALL_(mremap, to, 2 * MB_PAGE, 2 * MB_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + MB_PAGE),
        -EINVAL);
    assert_int_equal(CALL_(mremap, a, 3 * MB_PAGE, 4 * MB_PAGE, MREMAP_MAYMOVE), -EFAULT);
    assert_int_equal(CALL_(mremap, 0x4000, MB_PAGE, MB_PAGE, MREMAP_MAYMOVE), -EFAULT);
    assert_int_equal(CALL_(mremap, to, MB_PAGE, 0, MREMAP_MAYMOVE), -EINVAL);
    /* Shared memory a second time. */
    uint64_t s = (uint64_t)CALL_(mmap, 0, 2 * MB_PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, 0, 0);
    set(s + MB_PAGE, 31);
    uint64_t t = (uint64_t)CALL_(mremap, s, 0, 2 * MB_PAGE, MREMAP_MAYMOVE);
    assert_int_equal(get(t + MB_PAGE), 31);
    set(t, 32);
    assert_int_equal(get(s), 32);
}

/* ---- advice, fork ---- */

static void advice(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 4 * MB_PAGE, RW, ANON, 0, 0);
    set(a, 1);
    set(a + MB_PAGE, 2);
    assert_int_equal(CALL_(madvise, a, MB_PAGE, MADV_DONTNEED), 0);
    assert_int_equal(get(a), 0);
    assert_int_equal(get(a + MB_PAGE), 2);
    assert_int_equal(CALL_(madvise, a, MB_PAGE, 12345), -EINVAL);
    assert_int_equal(CALL_(madvise, a + 1, MB_PAGE, MADV_NORMAL), -EINVAL);
    assert_int_equal(CALL_(madvise, a, 8 * MB_PAGE, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(get(a + MB_PAGE), 0); /* what is mapped was done */
    assert_int_equal(CALL_(msync, a, 4 * MB_PAGE, MS_SYNC), 0);
    assert_int_equal(CALL_(msync, a, 5 * MB_PAGE, MS_SYNC), -ENOMEM);
    assert_int_equal(CALL_(msync, a, MB_PAGE, MS_SYNC | MS_ASYNC), -EINVAL);
    assert_int_equal(CALL_(mincore, a, 4 * MB_PAGE, 0), 0);
    assert_int_equal(fake_vec[3], 1);
    assert_int_equal(CALL_(mincore, a, 4 * MB_PAGE, 1ul << 30), -EFAULT);
    assert_int_equal(CALL_(mincore, a, 5 * MB_PAGE, 0), -ENOMEM);
    assert_int_equal(CALL_(mlock, a, 4 * MB_PAGE), 0);
    assert_int_equal(CALL_(mlock, a, 5 * MB_PAGE), -ENOMEM);
    assert_int_equal(CALL_(munlock, a, 4 * MB_PAGE), 0);
}

static void fork_copies(void **state)
{
    uint64_t a = (uint64_t)CALL_(mmap, BASE, 6 * MB_PAGE, RW, ANON, 0, 0);
    uint64_t s = (uint64_t)CALL_(mmap, 0, 2 * MB_PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, 0, 0);
    set(a, 1);
    set(a + 2 * MB_PAGE, 3);
    set(a + 4 * MB_PAGE, 5);
    set(s, 7);
    CALL_(madvise, a + 2 * MB_PAGE, MB_PAGE, MADV_DONTFORK);
    CALL_(madvise, a + 4 * MB_PAGE, MB_PAGE, MADV_WIPEONFORK);
    struct mm *parent = mm, *child = mm_clone(mm);
    assert_non_null(child);
    use(child);
    check_list(child);
    assert_int_equal(get(a), 1);
    assert_int_equal(dies(a + 2 * MB_PAGE, NX_PROT_R), SIGSEGV);
    assert_int_equal(get(a + 4 * MB_PAGE), 0);
    set(a, 11);
    set(s + MB_PAGE, 8);
    assert_int_equal(mm_sigreturn_addr(child), mm_sigreturn_addr(parent));
    use(parent);
    assert_int_equal(get(a), 1);
    assert_int_equal(get(a + 2 * MB_PAGE), 3);
    assert_int_equal(get(a + 4 * MB_PAGE), 5);
    assert_int_equal(get(s + MB_PAGE), 8);
    struct mm_futex_key k1, k2;
    assert_int_equal(mm_futex_key(parent, s + 4, false, &k1), 0);
    assert_int_equal(mm_futex_key(child, s + 4, false, &k2), 0);
    assert_ptr_equal(k1.object, k2.object);
    assert_int_equal(k1.offset, k2.offset);
    assert_int_equal(mm_futex_key(child, a + 4, false, &k2), 0);
    assert_ptr_equal(k2.object, child);
    assert_int_equal(mm_futex_key(child, 0x3000, false, &k2), -EFAULT);
    mm_unref(child);
    assert_int_equal(get(s + MB_PAGE), 8);
}

static void truncated(void **state)
{
    uint64_t p = (uint64_t)CALL_(mmap, BASE, 8 * MB_PAGE, RW, MAP_PRIVATE, 1, 0);
    uint64_t s = (uint64_t)CALL_(mmap, 0, 4 * MB_PAGE, RW, MAP_SHARED, 1, 2 * MB_PAGE);
    set(p + 3 * MB_PAGE, 1);
    set(p + 6 * MB_PAGE, 2);
    set(s, 3);
    get(s + 3 * MB_PAGE);
    fake_file[1].pages = 4;
    vfs_truncate_hook(&fake_file[1].ino, 4 * MB_PAGE, ~0ul);
    assert_int_equal(get(p + 3 * MB_PAGE), 1);
    assert_int_equal(get(p + 2 * MB_PAGE), 3);
    assert_int_equal(dies(p + 6 * MB_PAGE, NX_PROT_R), SIGBUS);
    assert_int_equal(dies(s + 3 * MB_PAGE, NX_PROT_W), SIGBUS);
    assert_int_equal(get(s), 3);
    /* A hole: shared mappings see it, private copies stay. */
    vfs_truncate_hook(&fake_file[1].ino, 2 * MB_PAGE, 4 * MB_PAGE);
    assert_null(fake_find(mm->space, s, false));
    assert_int_equal(get(p + 3 * MB_PAGE), 1);
    vfs_truncate_hook(&fake_file[2].ino, 0, ~0ul); /* nobody maps it */
}

static void texts(void **state)
{
    struct text out = {NULL};
    CALL_(mmap, BASE, 2 * MB_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, 4 * MB_PAGE);
    mm->brk_start = mm->brk = BASE + 0x100000;
    CALL_(brk, mm->brk + 2 * MB_PAGE);
    mm_maps_text(mm, &out, false);
    text_add(&out, "", 1);
    const char *text = out.buf;
    const char *line = strstr(text, "10000000-10002000 r-xp 00004000 00:13 77 ");
    assert_non_null(line);
    assert_int_equal(strncmp(line + 73, "/tmp/file\n", 10), 0);
    assert_non_null(strstr(text, "10100000-10102000 rw-p 00000000 00:00 0 "));
    assert_non_null(strstr(text, "[heap]\n"));
    line = strstr(text, "[vdso]\n");
    assert_non_null(line);
    assert_int_equal(strncmp(line - 73 + 22, "r-xp 00000000 00:00 0 ", 22), 0);
    line = strstr(text, "[vvar]\n");
    assert_non_null(line);
    assert_int_equal(strncmp(line - 73 + 22, "r--p 00000000 00:00 0 ", 22), 0);
    size_t n = out.len;
    out.len = 0;
    mm_maps_text(mm, &out, true);
    text_add(&out, "", 1);
    assert_true(out.len > n);
    assert_non_null(strstr(out.buf, "Size:                  8 kB\n"));
    assert_non_null(strstr(out.buf, "VmFlags: rd ex \n"));
    mb_free(out.buf);
}

/* What is on a mount with noexec is mapped, but not to be executed, then or later. */
static void noexec(void **state)
{
    fake_noexec = true;
    assert_int_equal(CALL_(mmap, 0, MB_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, 0), -EPERM);
    long p = CALL_(mmap, 0, MB_PAGE, PROT_READ, MAP_PRIVATE, 0, 0);
    assert_true(p > 0);
    assert_int_equal(CALL_(mprotect, (uint64_t)p, MB_PAGE, PROT_READ | PROT_EXEC), -EACCES);
    fake_noexec = false;
    assert_int_equal(CALL_(mprotect, (uint64_t)p, MB_PAGE, PROT_READ | PROT_EXEC), 0);
}

/* ---- against the model ---- */

struct object { /* a shared page, or a page of the file: its value lives here */
    uint32_t value;
};
struct model_page {
    bool mapped, shared, copied;
    uint8_t prot;
    int file_page;    /* >= 0: of file 1; -1: anonymous */
    uint32_t value;   /* anonymous private, or copied */
    uint32_t *object; /* anonymous shared */
};
struct model {
    struct mm *mm;
    struct model_page page[PAGES];
};
#define MODELS 4
static struct model models[MODELS];
static struct object shared_pages[200000];
static unsigned shared_used;

static uint64_t seed = 0x2545f4914f6cdd1dul;
static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % n;
}

static uint32_t file_value(int page)
{
    return *(uint32_t *)(fake_file[1].data + (size_t)page * MB_PAGE);
}

static uint32_t model_value(const struct model_page *p)
{
    if (p->object) {
        return *p->object;
    }
    return p->file_page >= 0 && !p->copied ? file_value(p->file_page) : p->value;
}

static void op_access(struct model *m, unsigned i, bool write)
{
    struct model_page *p = &m->page[i];
    uint32_t v = (uint32_t)below(1u << 30);
    unsigned need = write ? NX_PROT_W : NX_PROT_R;
    uint32_t got = v;
    int r = fake_access(m->mm, BASE + i * MB_PAGE, need, &got);
    if (r == -ENOMEM && fake_failed) {
        return;
    }
    if (!p->mapped || !prot_allows(p->prot, need)) {
        assert_int_equal(r, SIGSEGV);
    } else if (p->file_page >= FILE_PAGES && !p->copied) {
        assert_int_equal(r, SIGBUS);
    } else if (!write) {
        assert_int_equal(r, 0);
        assert_int_equal(got, model_value(p));
    } else {
        assert_int_equal(r, 0);
        if (p->object) {
            *p->object = v;
        } else if (p->shared) {
            assert_int_equal(file_value(p->file_page), v);
        } else {
            p->copied = true;
            p->value = v;
        }
    }
}

/* An operation failed for want of memory: what is still mapped must be what it was. */
static void after_failure(struct model *m, long r)
{
    assert_int_equal(r, -ENOMEM);
    assert_true(fake_failed);
    for (unsigned i = 0; i < PAGES; i++) {
        const struct vma *v = vma_at(m->mm, BASE + i * MB_PAGE);
        if (!v) {
            m->page[i].mapped = false;
        }
    }
}

static void op_map(struct model *m, unsigned i, unsigned n)
{
    unsigned kind = below(4), prot = below(8) & 3;
    int file_page = kind >= 2 ? (int)below(FILE_PAGES) : -1;
    unsigned flags =
        MAP_FIXED | (kind % 2 ? MAP_SHARED : MAP_PRIVATE) | (kind < 2 ? MAP_ANONYMOUS : 0);
    long r = CALL_(mmap, BASE + i * MB_PAGE, n * MB_PAGE, prot, flags, 1,
                   file_page >= 0 ? (unsigned)file_page * MB_PAGE : 0);
    if (r < 0) {
        after_failure(m, r);
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        struct model_page *p = &m->page[i + k];
        *p = (struct model_page){.mapped = true, .shared = kind % 2, .prot = (uint8_t)prot};
        p->file_page = file_page >= 0 ? file_page + (int)k : -1;
        if (kind == 1) {
            shared_pages[shared_used].value = 0;
            p->object = &shared_pages[shared_used++].value;
        }
    }
}

static void op_unmap(struct model *m, unsigned i, unsigned n)
{
    long r = CALL_(munmap, BASE + i * MB_PAGE, n * MB_PAGE);
    if (r < 0) {
        after_failure(m, r);
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        m->page[i + k].mapped = false;
    }
}

static void op_protect(struct model *m, unsigned i, unsigned n)
{
    unsigned prot = below(4), done = 0;
    while (done < n && m->page[i + done].mapped) {
        done++;
    }
    long r = CALL_(mprotect, BASE + i * MB_PAGE, n * MB_PAGE, prot);
    if (r < 0 && fake_failed) {
        /* Pages may have the old access or the new one, as on Linux; their content is what it was. */
        after_failure(m, r);
        for (unsigned k = 0; k < done; k++) {
            struct model_page *p = &m->page[i + k];
            if (prot_allows(p->prot, NX_PROT_R) && (p->file_page < FILE_PAGES || p->copied)) {
                assert_int_equal(get(BASE + (i + k) * MB_PAGE), model_value(p));
            }
        }
        r = CALL_(mprotect, BASE + i * MB_PAGE, n * MB_PAGE, prot);
    }
    assert_int_equal(r, done < n ? -ENOMEM : 0);
    for (unsigned k = 0; k < done; k++) {
        m->page[i + k].prot = (uint8_t)prot;
    }
}

static void op_forget(struct model *m, unsigned i, unsigned n)
{
    long r = CALL_(madvise, BASE + i * MB_PAGE, n * MB_PAGE, MADV_DONTNEED);
    if (r < 0 && fake_failed) { /* some pages are forgotten, others not */
        for (unsigned k = 0; k < n; k++) {
            struct model_page *p = &m->page[i + k];
            struct fake_page *now = fake_find(m->mm->space, BASE + (i + k) * MB_PAGE, false);
            if (p->mapped && !p->shared && (!now || now->kind != FAKE_OWN)) {
                p->copied = false;
                p->value = 0;
            }
        }
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        if (m->page[i + k].mapped && !m->page[i + k].shared) {
            m->page[i + k].copied = false;
            m->page[i + k].value = 0;
        }
    }
}

static void op_move(struct model *m, unsigned i, unsigned n)
{
    unsigned to = below(PAGES - n + 1);
    long r = CALL_(mremap, BASE + i * MB_PAGE, n * MB_PAGE, n * MB_PAGE,
                   MREMAP_MAYMOVE | MREMAP_FIXED, BASE + to * MB_PAGE);
    if (to < i + n && i < to + n) {
        assert_int_equal(r, -EINVAL);
        return;
    }
    if (r < 0) { /* the target is unmapped first, as on Linux */
        for (unsigned k = 0; k < n && (r == -EFAULT || fake_failed); k++) {
            m->page[to + k].mapped = vma_at(m->mm, BASE + (to + k) * MB_PAGE) != NULL;
        }
        assert_true(r == -EFAULT || fake_failed);
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        assert_true(m->page[i + k].mapped);
        m->page[to + k] = m->page[i + k];
        m->page[i + k].mapped = false;
    }
}

static void op_fork(struct model *m)
{
    struct model *to = &models[below(MODELS)];
    if (to == m) {
        return;
    }
    struct mm *copy = mm_clone(m->mm);
    if (!copy) {
        assert_true(fake_failed);
        return;
    }
    if (to->mm) {
        mm_unref(to->mm);
    }
    *to = *m;
    to->mm = copy;
}

static void step(void)
{
    struct model *m = &models[below(MODELS)];
    if (!m->mm) {
        m = &models[0];
    }
    use(m->mm);
    unsigned i = below(PAGES), n = 1 + below(below(4) ? 6 : PAGES);
    n = n < PAGES - i ? n : PAGES - i;
    switch (below(16)) {
    case 0:
    case 1:
        op_map(m, i, n);
        break;
    case 2:
        op_unmap(m, i, n);
        break;
    case 3:
        op_protect(m, i, n);
        break;
    case 4:
        op_forget(m, i, n);
        break;
    case 5:
        op_move(m, i, n);
        break;
    case 6:
        if (below(8) == 0) {
            op_fork(m);
        }
        break;
    default:
        op_access(m, i, below(2));
        break;
    }
    check_list(m->mm);
}

static void model_check_all(void)
{
    fake_fail_at(0);
    for (unsigned k = 0; k < MODELS; k++) {
        if (models[k].mm) {
            use(models[k].mm);
            for (unsigned i = 0; i < PAGES; i++) {
                op_access(&models[k], i, false);
            }
        }
    }
}

static void against_model(bool failures)
{
    int64_t objects = fake_objects, pages = fake_pages;
    struct mm *mine = mm;
    memset(models, 0, sizeof(models));
    shared_used = 0;
    models[0].mm = mm_make(true);
    for (unsigned round = 0; round < 30000; round++) {
        fake_fail_at(failures && below(4) == 0 ? 1 + below(12) : 0);
        step();
        if (round % 500 == 0) {
            model_check_all();
        }
    }
    model_check_all();
    for (unsigned k = 0; k < MODELS; k++) {
        if (models[k].mm) {
            mm_unref(models[k].mm);
        }
    }
    use(mine);
    assert_int_equal(fake_objects, objects);
    assert_int_equal(fake_pages, pages);
}

static void random_calls(void **state)
{
    against_model(false);
}

static void random_calls_without_memory(void **state)
{
    against_model(true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(anonymous),     TEST(arguments),    TEST(places),
        TEST(files),         TEST(around),       TEST(protection),
        TEST(program_break), TEST(stack_grows),  TEST(stack_keeps_its_distance),
        TEST(resize),        TEST(move),         TEST(advice),
        TEST(fork_copies),   TEST(truncated),    TEST(texts),
        TEST(noexec),        TEST(random_calls), TEST(random_calls_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
