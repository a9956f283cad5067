/* What the files of posix/mem (and posix/exec) share: areas and the steps that change them.
 *
 *   struct mm --areas, sorted by address--> struct vma --> nothing (private zeroes)
 *                                                      --> struct file (pages of a file)
 *                                                      --> struct pagevec (shared anonymous memory)
 *
 * The list says what an address means; the nucleus' tables say what is there already.  Rule: whatever
 * changes the meaning changes both, list last, so that a failure in between leaves at worst a page
 * absent that a fault brings back.
 * Steps: mm_* functions check nothing their callers (the system calls, exec) have to decide.
 */
#ifndef POSIX_MM_INT_H
#define POSIX_MM_INT_H

#include "mm.h"
#include "vfs.h"

#include <nx/layout.h>

#define MM_TASK_END NX_LOWER_END
#define MM_MIN_ADDR 0x10000ul /* mmap_min_addr: hints and searches stay above */
#define MM_VMAS_MAX 65530u
#define MM_STACK_GAP (256 * MB_PAGE)

enum vma_kind { VMA_ANON, VMA_FILE, VMA_VEC };

#define VMA_SHARED 1u
#define VMA_GROWSDOWN 2u
#define VMA_MAYWRITE 4u /* shared file: it was open for writing */
#define VMA_NORESERVE 8u
#define VMA_DONTFORK 16u
#define VMA_WIPEONFORK 32u
#define VMA_VDSO 64u
#define VMA_STACK 128u /* the main thread's: named [stack] */
#define VMA_LOCKED 256u

struct vma {
    uint64_t start, end;
    uint64_t off;    /* in the file or vector, of start */
    uint64_t around; /* bit i: pages of fault-around window i may have been mapped (fault.c) */
    union {
        struct file *file;
        struct pagevec *vec;
    };
    uint8_t kind; /* enum vma_kind */
    uint8_t prot; /* NX_PROT_* = PROT_* */
    uint16_t flags;
};

struct mm {
    unsigned refs;
    mb_space space;
    struct vma *vma;
    uint32_t count, room;
    uint64_t pages;     /* sum of all areas */
    uint64_t mmap_base; /* searches go down from here */
    uint64_t vdso;      /* its code; what it reads lies in the page before */
    bool uneven;        /* a failed mprotect left pages with other access than the list says */
    bool lock_future, lock_on_fault; /* mlockall: what is mapped from now on is locked */
    uint32_t barriers;               /* membarrier commands it has registered for */
    uint64_t brk_start, brk;
    struct mm_layout layout; /* of the program, set by exec */
    struct aio *aio;
    struct mm *next, **link; /* all address spaces */
};

/* ---- the list (vma.c) ---- */
/* Index of the first area that ends above addr; mm->count when there is none. */
uint32_t vma_index(const struct mm *mm, uint64_t addr);
struct vma *vma_at(const struct mm *mm, uint64_t addr); /* the area addr lies in, or NULL */
bool vma_range_free(const struct mm *mm, uint64_t start, uint64_t end);
/* Room for n more areas: 0 or -ENOMEM.  What follows and says "reserved" cannot fail then. */
int vma_reserve(struct mm *mm, uint32_t n);
/* Put v into a free range (1 reserved); takes a reference of its own to the object. */
void vma_insert(struct mm *mm, const struct vma *v);
/* Forget what the list says about a range (1 reserved). */
void vma_cut(struct mm *mm, uint64_t start, uint64_t end);
/* Make start and end borders of areas (2 reserved). */
void vma_split(struct mm *mm, uint64_t start, uint64_t end);
/* Join what can be joined with its neighbour, from the area before start to the one at end. */
void vma_join(struct mm *mm, uint64_t start, uint64_t end);
/* len bytes that are free, near the hint if it is not 0, else as high as possible; 0: none. */
uint64_t vma_find_gap(const struct mm *mm, uint64_t hint, uint64_t len);
void vma_object_ref(const struct vma *v);
void vma_object_unref(const struct vma *v);
void vma_free_all(struct mm *mm);
int vma_copy_all(struct mm *to, const struct mm *from); /* without the DONTFORK ones */

/* ---- steps (map.c); ranges page aligned and inside the lower half ---- */
/* Map v where nothing is. */
int mm_map(struct mm *mm, const struct vma *v);
int mm_unmap(struct mm *mm, uint64_t start, uint64_t end);
/* The same for private anonymous memory and for a file, as exec needs them. */
int mm_map_zero(struct mm *mm, uint64_t start, uint64_t end, unsigned prot, unsigned flags);
int mm_map_file(struct mm *mm, uint64_t start, uint64_t end, unsigned prot, struct file *f,
                uint64_t off);
/* May this much more be mapped (RLIMIT_AS, RLIMIT_DATA, overcommit)?  0 or -ENOMEM. */
int mm_may_grow(const struct mm *mm, uint64_t len, bool data, bool accountable);
uint64_t mm_data_pages(const struct mm *mm);
uint64_t mm_locked_pages(const struct mm *mm);
/* May so many more pages be locked (RLIMIT_MEMLOCK)?  0, -EPERM (none at all), -ENOMEM. */
int mm_may_lock(const struct mm *mm, uint64_t pages);
/* Make the pages present, as far as that works. */
void mm_populate(struct mm *mm, uint64_t start, uint64_t end, bool write);

/* ---- shared anonymous memory (pagevec.c) ---- */
struct pagevec *pagevec_make(uint64_t pages);
struct pagevec *pagevec_ref(struct pagevec *v);
void pagevec_unref(struct pagevec *v);
/* NULL: *err is -ENOMEM, or -EFAULT behind the end. */
void *pagevec_page(struct pagevec *v, uint64_t index, int *err);

/* The pages in every program with the personality's code for it, and before it what that reads (vdso.c). */
int vdso_init(void);
struct pagevec *vdso_pages(void);
#define VDSO_SIGRETURN 0x800 /* offset of the sigreturn code: userland/vdso/vdso.ld */
extern const char vdso_image[], vdso_image_end[];

extern struct mm *mm_all;
/* How many file areas may map this inode: 0 is certain. */
unsigned mm_inode_mapped(const struct inode *ino);

static inline uint64_t page_down(uint64_t a)
{
    return a & ~(MB_PAGE - 1);
}
static inline uint64_t page_up(uint64_t a) /* a is not within the last page of the type */
{
    return (a + MB_PAGE - 1) & ~(MB_PAGE - 1);
}
static inline bool prot_allows(unsigned prot, unsigned access) /* writable is readable */
{
    return ((prot & NX_PROT_W ? prot | NX_PROT_R : prot) & access) != 0;
}

#endif
