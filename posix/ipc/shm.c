/* System V shared memory.
 *
 * A segment is a file without a name over a vector of pages; attaching maps it.  Every area that maps it
 * holds a reference of the file, so what nattch says is the file's references but for the segment's own.
 * IPC_RMID takes the key away; the segment goes with its last area, and until then its number works.
 */
#include "ipc/ipc.h"
#include <asm/errno.h>
#include <asm/shmbuf.h>
#include <linux/resource.h>
#include <string.h>
#include "fs/text.h"
#include "linux_abi.h"
#include "mem/mm_int.h"
#include "sys.h"
#include "task.h"

#define SHM_SEGMENT_ALIGN MB_PAGE

/* linux/shm.h wants a C library. */
#define SHMMIN 1
#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000
#define SHM_HUGETLB 04000
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15
#define SHM_DEST 01000   /* in the mode: goes with its last area */
#define SHM_LOCKED 02000 /* in the mode */
struct shm_info {
    int32_t used_ids;
    uint64_t shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

struct segment {
    struct ipc_object o;
    struct file *file;
    struct pagevec *pages;
    uint64_t size;
    int64_t atime, dtime, ctime;
    int cpid, lpid;
};

static void segment_free(struct ipc_object *o);
static struct ipc_ids segments = {.most = IPC_SEGMENTS, .free = segment_free};
static uint64_t pages_all;

unsigned long shm_bytes_max = ~0ul - (1ul << 24), shm_pages_max = ~0ul - (1ul << 24);

static struct segment *segment_of(struct ipc_object *o)
{
    return (struct segment *)o;
}

static uint64_t page_count(const struct segment *s)
{
    return page_up(s->size) / MB_PAGE;
}

static unsigned long nattch(const struct segment *s)
{
    return s->file->refs - 1;
}

/* ---- the file ---- */

static void *segment_page(struct file *f, uint64_t off, enum page_use use, int *err)
{
    const struct segment *s = f->priv;
    return pagevec_page(s->pages, off / MB_PAGE, err);
}

static void maybe_destroy(struct segment *s)
{
    if ((s->o.mode & SHM_DEST) && nattch(s) == 0)
        ipc_remove(&segments, &s->o);
}

static void area_gone(struct file *f)
{
    struct segment *s = f->priv;
    const struct task *t = current;
    s->dtime = ipc_now();
    s->lpid = t ? t->proc->pid : s->lpid;
    file_unref(f);
    maybe_destroy(s);
}

static const struct file_ops segment_ops = {
    .name = "SYSV", .page = segment_page, .unmapped = area_gone};

static void segment_free(struct ipc_object *o)
{
    struct segment *s = segment_of(o);
    pages_all -= page_count(s);
    file_unref(s->file);
    pagevec_unref(s->pages);
    mb_free(s);
}

/* ---- shmget ---- */

static struct ipc_object *segment_make(const void *want, int *err)
{
    uint64_t size = *(const uint64_t *)want;
    *err = -EINVAL;
    if (size < SHMMIN || size > shm_bytes_max)
        return NULL;
    *err = -ENOSPC;
    if (pages_all + page_up(size) / MB_PAGE > shm_pages_max)
        return NULL;
    *err = -ENOMEM;
    if (page_up(size) / MB_PAGE > mb_pages_total())
        return NULL;
    struct segment *s = mb_zalloc(sizeof *s);
    if (!s)
        return NULL;
    s->size = size;
    s->pages = pagevec_make(page_count(s));
    s->file = s->pages ? file_make_anon(&segment_ops, S_IFREG | 0600, O_RDWR, s) : NULL;
    if (!s->file) {
        if (s->pages)
            pagevec_unref(s->pages);
        mb_free(s);
        return NULL;
    }
    s->ctime = ipc_now();
    s->cpid = current->proc->pid;
    pages_all += page_count(s);
    return &s->o;
}

static int segment_fits(const struct ipc_object *o, const void *want)
{
    const struct segment *s = (const struct segment *)o;
    return s->size < *(const uint64_t *)want ? -EINVAL : 0;
}

long sys_shmget(const uint64_t a[6])
{
    static const struct ipc_getter getter = {segment_make, segment_fits};
    uint64_t size = a[1];
    if ((unsigned)a[2] & SHM_HUGETLB)
        return -EINVAL; /* there are none */
    return ipc_get(&segments, &getter, (int32_t)a[0], (unsigned)a[2], &size);
}

/* ---- shmat, shmdt ---- */

/* Where it goes: 0 anywhere, or an error. */
static long place_for(struct mm *mm, const struct segment *s, uint64_t addr, unsigned flags)
{
    if (!addr)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if (addr % SHM_SEGMENT_ALIGN) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        addr -= addr % SHM_SEGMENT_ALIGN;
        if (!addr && (flags & SHM_REMAP))
            return -EINVAL;
    }
    uint64_t len = page_up(s->size);
    if (len > MM_TASK_END || addr > MM_TASK_END - len)
        return -EINVAL;
    if (!(flags & SHM_REMAP) && addr && !vma_range_free(mm, addr, addr + len))
        return -EINVAL;
    return (long)addr;
}

static long attach(struct segment *s, uint64_t addr, unsigned flags)
{
    struct mm *mm = current->mm;
    uint64_t len = page_up(s->size);
    bool write = !(flags & SHM_RDONLY);
    long at = place_for(mm, s, addr, flags);
    if (at < 0)
        return at;
    if (mm->count >= MM_VMAS_MAX || mm_may_grow(mm, len, false, false))
        return -ENOMEM;
    int err = at ? mm_unmap(mm, (uint64_t)at, (uint64_t)at + len) : 0;
    if (!err && !at)
        at = (long)vma_find_gap(mm, 0, len);
    if (err || !at)
        return -ENOMEM;
    struct vma v = {
        .start = (uint64_t)at, .end = (uint64_t)at + len, .kind = VMA_FILE, .file = s->file};
    v.prot = (uint8_t)(NX_PROT_R | (write ? NX_PROT_W : 0) | (flags & SHM_EXEC ? NX_PROT_X : 0));
    v.flags = (uint16_t)(VMA_SHARED | (write ? VMA_MAYWRITE : 0));
    err = mm_map(mm, &v);
    if (err)
        return err;
    s->atime = ipc_now();
    s->lpid = current->proc->pid;
    return at;
}

long sys_shmat(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[2], mode = flags & SHM_RDONLY ? 0444 : 0666;
    int err;
    struct ipc_object *o = ipc_find(&segments, (int)a[0], &err);
    if (!o)
        return err;
    err = ipc_permitted(o, mode | (flags & SHM_EXEC ? 0111 : 0));
    return err ? err : attach(segment_of(o), a[1], flags);
}

long sys_shmdt(const uint64_t a[6])
{
    struct mm *mm = current->mm;
    uint64_t addr = a[0];
    const struct file *f = NULL;
    if (addr % MB_PAGE)
        return -EINVAL;
    for (uint32_t i = vma_index(mm, addr); i < mm->count; i++) {
        const struct vma *v = &mm->vma[i];
        if (v->kind == VMA_FILE && v->file->ops == &segment_ops && v->start - addr == v->off) {
            f = v->file;
            break;
        }
    }
    if (!f)
        return -EINVAL;
    uint64_t end = addr + page_up(((const struct segment *)f->priv)->size);
    for (uint32_t i = vma_index(mm, addr); i < mm->count && mm->vma[i].start < end;) {
        struct vma v = mm->vma[i];
        if (v.kind != VMA_FILE || v.file != f || v.start - addr != v.off) {
            i++;
            continue;
        }
        int err = mm_unmap(mm, v.start, v.end);
        if (err)
            return err;
        i = vma_index(mm, addr);
    }
    return 0;
}

/* ---- shmctl ---- */

static long put_stat(const struct segment *s, uint64_t uaddr)
{
    struct shmid64_ds d;
    memset(&d, 0, sizeof d);
    d.shm_perm = ipc_perm(&s->o);
    d.shm_segsz = s->size;
    d.shm_atime = s->atime;
    d.shm_dtime = s->dtime;
    d.shm_ctime = s->ctime;
    d.shm_cpid = s->cpid;
    d.shm_lpid = s->lpid;
    d.shm_nattch = nattch(s);
    return mb_copy_out(uaddr, &d, sizeof d);
}

static long put_limits(uint64_t uaddr)
{
    struct shminfo64 i;
    memset(&i, 0, sizeof i);
    i.shmmax = shm_bytes_max;
    i.shmmin = SHMMIN;
    i.shmmni = i.shmseg = (uint64_t)ipc_limit[IPC_SEGMENTS];
    i.shmall = shm_pages_max;
    return mb_copy_out(uaddr, &i, sizeof i) ? -EFAULT : ipc_last(&segments);
}

static long put_usage(uint64_t uaddr)
{
    struct shm_info i;
    memset(&i, 0, sizeof i);
    i.used_ids = (int)segments.used;
    i.shm_tot = pages_all;
    i.shm_rss = pages_all;
    return mb_copy_out(uaddr, &i, sizeof i) ? -EFAULT : ipc_last(&segments);
}

static long by_slot(int slot, bool any, uint64_t uaddr)
{
    struct ipc_object *o = ipc_at(&segments, slot);
    if (!o)
        return -EINVAL;
    int err = any ? 0 : ipc_permitted(o, 0444);
    if (err)
        return err;
    return put_stat(segment_of(o), uaddr) ? -EFAULT : o->id;
}

static int change_allowed(const struct segment *s, int cmd)
{
    if (cmd != SHM_LOCK && cmd != SHM_UNLOCK)
        return ipc_owned(&s->o);
    uint32_t euid = current->cred.euid;
    if (capable(CAP_IPC_LOCK))
        return 0;
    if (euid != s->o.uid && euid != s->o.cuid)
        return -EPERM;
    return cmd == SHM_LOCK && rlimit_soft(RLIMIT_MEMLOCK) == 0 ? -EPERM : 0;
}

static long change(struct segment *s, int cmd, uint64_t uaddr)
{
    struct shmid64_ds d;
    if (cmd == IPC_SET && mb_copy_in(&d, uaddr, sizeof d))
        return -EFAULT;
    int err = change_allowed(s, cmd);
    if (err)
        return err;
    switch (cmd) {
    case IPC_SET:
        ipc_set_perm(&s->o, &d.shm_perm);
        s->ctime = ipc_now();
        return 0;
    case IPC_RMID:
        s->o.key = IPC_PRIVATE;
        s->o.mode |= SHM_DEST;
        maybe_destroy(s);
        return 0;
    case SHM_LOCK: /* nothing is ever paged out */
        s->o.mode |= SHM_LOCKED;
        return 0;
    default:
        s->o.mode &= ~(unsigned)SHM_LOCKED;
        return 0;
    }
}

long sys_shmctl(const uint64_t a[6])
{
    int id = (int)a[0], cmd = (int)a[1], err;
    if (cmd < 0 || id < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
        return put_limits(a[2]);
    case SHM_INFO:
        return put_usage(a[2]);
    case SHM_STAT:
    case SHM_STAT_ANY:
        return by_slot(id, cmd == SHM_STAT_ANY, a[2]);
    case IPC_STAT:
    case IPC_SET:
    case IPC_RMID:
    case SHM_LOCK:
    case SHM_UNLOCK:
        break;
    default:
        return -EINVAL;
    }
    struct ipc_object *o = ipc_find(&segments, id, &err);
    if (!o)
        return err;
    if (cmd != IPC_STAT)
        return change(segment_of(o), cmd, a[2]);
    err = ipc_permitted(o, 0444);
    return err ? err : put_stat(segment_of(o), a[2]);
}

void ipc_show_shm(struct text *t)
{
    text_printf(
        t,
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  "
        "cgid      atime      dtime      ctime                   rss                  swap\n");
    for (unsigned i = 0; i < segments.room; i++) {
        struct ipc_object *o = segments.slot[i];
        const struct segment *s = o ? segment_of(o) : NULL;
        if (!s)
            continue;
        text_printf(
            t, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21d\n",
            o->key, o->id, o->mode, (unsigned long)s->size, (unsigned)s->cpid, (unsigned)s->lpid,
            nattch(s), o->uid, o->gid, o->cuid, o->cgid, (unsigned long)s->atime,
            (unsigned long)s->dtime, (unsigned long)s->ctime,
            (unsigned long)(page_count(s) * MB_PAGE), 0);
    }
}
