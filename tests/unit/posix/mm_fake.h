/* A nucleus' foreign spaces for host tests of posix/mem: page by page, with the rules of
 * nucleus/core/space.c, and files that are arrays of one-page values.
 *
 * The content of a page is one 32-bit value.  Failures are injected by fake_fail_at(n): the n-th step
 * that can fail does.
 */
#ifndef MM_FAKE_H
#define MM_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/inode.h"
#include "mem/mm_int.h"
#include "task.h"

#define SPACES 16
#define TABLE 8192 /* pages of one space */

enum fake_kind { FAKE_NONE, FAKE_ZERO, FAKE_OWN, FAKE_SRC };
struct fake_page {
    uint64_t va; /* 0: free */
    uint8_t kind, prot;
    bool shared, cow, stale; /* stale: a hole left in the hash chain */
    uint32_t value;
    uint32_t *src;
};
static struct fake_space {
    bool used;
    struct fake_page page[TABLE];
} fake_spaces[SPACES];
static int64_t fake_objects, fake_pages; /* live blocks and pages of the personality */
static unsigned fake_countdown;
static bool fake_failed;

static void fake_fail_at(unsigned n)
{
    fake_countdown = n;
    fake_failed = false;
}

static bool fake_fails(void)
{
    if (fake_countdown == 0 || --fake_countdown > 0) {
        return false;
    }
    fake_failed = true;
    return true;
}

static struct fake_page *fake_find(mb_space s, uint64_t va, bool make)
{
    struct fake_page *free_ = NULL;
    uint64_t h = (va / MB_PAGE * 0x9e3779b97f4a7c15ul) >> 40;
    for (unsigned i = 0; i < TABLE; i++) {
        struct fake_page *p = &fake_spaces[s - 1].page[(h + i) % TABLE];
        if (p->va == va) {
            return p;
        }
        if (p->va == 0) {
            free_ = free_ ? free_ : p;
            if (!p->stale) {
                break;
            }
        }
    }
    if (!make) {
        return NULL;
    }
    assert_non_null(free_);
    *free_ = (struct fake_page){.va = va, .stale = free_->stale};
    return free_;
}

static void fake_drop(struct fake_page *p)
{
    if (p) {
        *p = (struct fake_page){.stale = true};
    }
}

/* ---- membrane: spaces ---- */

long mb_space_make(void)
{
    for (unsigned i = 0; i < SPACES && !fake_fails(); i++) {
        if (!fake_spaces[i].used) {
            memset(&fake_spaces[i], 0, sizeof(fake_spaces[i]));
            fake_spaces[i].used = true;
            return i + 1;
        }
    }
    return -ENOMEM;
}

void mb_space_destroy(mb_space s)
{
    assert_true(fake_spaces[s - 1].used);
    fake_spaces[s - 1].used = false;
}

int mb_space_bind(mb_space s)
{
    return 0;
}

int mb_space_clone(mb_space dst, mb_space src)
{
    if (fake_fails()) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < TABLE; i++) {
        struct fake_page *p = &fake_spaces[src - 1].page[i];
        if (p->va == 0) {
            continue;
        }
        if (p->kind >= FAKE_OWN && !p->shared && (p->prot & NX_PROT_W)) {
            p->prot &= ~NX_PROT_W;
            p->cow = true;
        }
        struct fake_page *to = fake_find(dst, p->va, true);
        bool stale = to->stale;
        *to = *p;
        to->stale = stale;
    }
    return 0;
}

static void fake_check_range(uint64_t va, uint64_t len)
{
    assert_true(va % MB_PAGE == 0 && len % MB_PAGE == 0 && len > 0 && va >= MB_PAGE &&
                va < MM_TASK_END && len <= MM_TASK_END - va);
}

static uint8_t fake_prot(unsigned prot)
{
    return (uint8_t)(prot & NX_PROT_W ? prot | NX_PROT_R : prot);
}

int mb_unmap(mb_space s, uint64_t va, uint64_t len)
{
    fake_check_range(va, len);
    for (uint64_t a = va; a < va + len; a += MB_PAGE) {
        fake_drop(fake_find(s, a, false));
    }
    return 0;
}

int mb_map_anon(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    mb_unmap(s, va, len);
    for (uint64_t a = va; a < va + len; a += MB_PAGE) {
        if (fake_fails()) {
            return -ENOMEM;
        }
        struct fake_page *p = fake_find(s, a, true);
        p->kind = FAKE_ZERO;
        p->prot = fake_prot(prot);
    }
    return 0;
}

int mb_map_share(mb_space s, uint64_t va, uint64_t len, unsigned prot, bool private_,
                 const void *src)
{
    fake_check_range(va, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        if (fake_fails()) {
            return -ENOMEM;
        }
        struct fake_page *p = fake_find(s, va + i, true);
        p->kind = FAKE_SRC;
        p->src = (uint32_t *)((uintptr_t)src + i);
        p->shared = !private_;
        p->cow = private_ && (prot & NX_PROT_W);
        p->prot = fake_prot(prot);
        if (p->cow) {
            p->prot &= ~NX_PROT_W;
        }
    }
    return 0;
}

int mb_protect(mb_space s, uint64_t va, uint64_t len, unsigned prot)
{
    fake_check_range(va, len);
    for (uint64_t a = va; a < va + len; a += MB_PAGE) {
        struct fake_page *p = fake_find(s, a, false);
        if (fake_fails()) {
            return -ENOMEM;
        }
        if (!p) {
            continue;
        }
        p->prot = fake_prot(prot);
        p->cow = p->kind >= FAKE_OWN && !p->shared && (prot & NX_PROT_W);
        if (p->cow) {
            p->prot &= ~NX_PROT_W;
        }
    }
    return 0;
}

int mb_move(mb_space s, uint64_t from, uint64_t len, uint64_t to)
{
    fake_check_range(from, len);
    fake_check_range(to, len);
    assert_true(from + len <= to || to + len <= from);
    if (fake_fails()) {
        return -ENOMEM;
    }
    mb_unmap(s, to, len);
    for (uint64_t i = 0; i < len; i += MB_PAGE) {
        struct fake_page *p = fake_find(s, from + i, false);
        if (p) {
            struct fake_page copy = *p;
            fake_drop(p);
            struct fake_page *q = fake_find(s, to + i, true);
            copy.stale = q->stale;
            copy.va = to + i;
            *q = copy;
        }
    }
    return 0;
}

static int fake_touch(mb_space s, uint64_t va, unsigned access)
{
    struct fake_page *p = fake_find(s, va, false);
    if (!p) {
        return -ENOENT;
    }
    if (p->kind == FAKE_ZERO) {
        if (!(p->prot & access)) {
            return -ENOENT;
        }
        if (fake_fails()) {
            return -ENOMEM;
        }
        p->kind = FAKE_OWN;
        p->value = 0;
        return 0;
    }
    if (p->prot & access) {
        return 0;
    }
    if (access != NX_PROT_W || !p->cow) {
        return -ENOENT;
    }
    if (fake_fails()) {
        return -ENOMEM;
    }
    if (p->kind == FAKE_SRC) {
        p->value = *p->src;
    }
    p->kind = FAKE_OWN;
    p->cow = false;
    p->prot |= NX_PROT_W | NX_PROT_R;
    return 0;
}

int mb_touch(mb_space s, uint64_t va, bool write)
{
    assert_int_equal(va % MB_PAGE, 0);
    return fake_touch(s, va, write ? NX_PROT_W : NX_PROT_R);
}

uint64_t mb_resident(mb_space s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < TABLE; i++) {
        n += fake_spaces[s - 1].page[i].va != 0 && fake_spaces[s - 1].page[i].kind >= FAKE_OWN;
    }
    return n;
}

/* What a program's access does: 0 and the value, or a signal, or -ENOMEM.  A value is stored when
 * access is NX_PROT_W. */
static int fake_access(struct mm *mm, uint64_t va, unsigned access, uint32_t *value)
{
    for (unsigned tries = 0; tries < 4; tries++) {
        int e = fake_touch(mm->space, page_down(va), access);
        if (e == 0) {
            struct fake_page *p = fake_find(mm->space, page_down(va), false);
            uint32_t *at = p->kind == FAKE_SRC ? p->src : &p->value;
            if (access == NX_PROT_W) {
                *at = *value;
            } else {
                *value = *at;
            }
            return 0;
        }
        struct mm_signal sig = {0};
        uint64_t cause = access == NX_PROT_W ? MM_CAUSE_STORE : MM_CAUSE_LOAD;
        e = mm_fault(mm, va, cause, &sig);
        if (e != 0) {
            return e < 0 ? e : sig.signo;
        }
    }
    fail_msg("a fault at %lx is never resolved", va);
    return -1;
}

/* ---- membrane: memory and the rest ---- */

void *mb_alloc(size_t n)
{
    void *p = fake_fails() ? NULL : malloc(n ? n : 1);
    fake_objects += p != NULL;
    return p;
}

void *mb_zalloc(size_t n)
{
    void *p = mb_alloc(n);
    return p ? memset(p, 0, n) : NULL;
}

void mb_free(void *p)
{
    fake_objects -= p != NULL;
    free(p);
}

void *mb_page(void)
{
    void *p = NULL;
    if (!fake_fails() && posix_memalign(&p, MB_PAGE, MB_PAGE) == 0) {
        memset(p, 0, MB_PAGE);
        fake_pages++;
    }
    return p;
}

void mb_page_free(void *p)
{
    fake_pages -= p != NULL;
    free(p);
}

uint64_t mb_pages_total(void)
{
    return 4096;
}

void mb_random(void *buf, size_t n)
{
    memset(buf, 0x5a, n);
}

static uint8_t fake_vec[64]; /* what mincore wrote */
int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    if (dst + n > sizeof(fake_vec)) {
        return -EFAULT;
    }
    memcpy(fake_vec + dst, src, n);
    return 0;
}

int mb_copy_in(void *dst, uint64_t src,
               size_t n) /* of other spaces: there is no memory behind them */
{
    return -EFAULT;
}

int (*mb_fault_hook)(uint64_t addr, bool write);
void (*vfs_truncate_hook)(struct inode *ino, uint64_t from, uint64_t to);

/* ---- the thread ---- */

static struct process fake_process;
static struct task fake_task = {.proc = &fake_process};
static struct mb_fiber fake_fiber = {.task = &fake_task};
static uint64_t fake_limits[16];

struct mb_fiber *mb_self(void)
{
    return &fake_fiber;
}

uint64_t rlimit_soft(unsigned what)
{
    return fake_limits[what];
}

/* ---- files: descriptor n is fake_file[n] ---- */

#define FILE_PAGES 40
struct fake_file {
    struct file f;
    struct inode ino;
    char *data; /* FILE_PAGES pages side by side */
    uint64_t pages;
};
static struct fake_file fake_file[3]; /* read-only, read-write, write-only */

static void *fake_file_page(struct file *f, uint64_t off, enum page_use use, int *err)
{
    struct fake_file *ff = f->priv;
    if (off / MB_PAGE >= ff->pages) {
        *err = -EFAULT;
        return NULL;
    }
    return ff->data + off;
}

static const struct file_ops fake_ops = {.name = "fake", .page = fake_file_page};

struct file *fd_get(int fd)
{
    return fd < 0 || fd > 2 ? NULL : file_ref(&fake_file[fd].f);
}
void file_release_(struct file *f)
{
    fail_msg("a file lost more references than it had");
}
size_t file_path(const struct file *f, char *buf, size_t n)
{
    return (size_t)snprintf(buf, n, "/tmp/file");
}
uint64_t file_dev(struct file *f)
{
    return 0x13;
}
static bool fake_noexec;
bool file_noexec(struct file *f)
{
    return fake_noexec;
}
void file_accessed(struct file *f)
{
}
uint64_t file_ino(struct file *f)
{
    return 77;
}

static void fake_set_up(void)
{
    static const unsigned mode[3] = {O_RDONLY, O_RDWR, O_WRONLY};
    for (unsigned i = 0; i < 16; i++) {
        fake_limits[i] = ~0ul;
    }
    fake_limits[3] = 8ul << 20; /* RLIMIT_STACK */
    for (int i = 0; i < 3; i++) {
        struct fake_file *ff = &fake_file[i];
        ff->f = (struct file){.ops = &fake_ops, .inode = &ff->ino, .refs = 1, .priv = ff};
        ff->f.flags = mode[i];
        ff->pages = FILE_PAGES;
        if (!ff->data && posix_memalign((void **)&ff->data, MB_PAGE, FILE_PAGES * MB_PAGE) != 0) {
            abort();
        }
        for (uint32_t p = 0; p < FILE_PAGES; p++) {
            *(uint32_t *)(ff->data + p * MB_PAGE) = 1000 * (uint32_t)(i + 1) + p;
        }
    }
}

#endif
