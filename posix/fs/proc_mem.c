/* procfs: the memory of a process: maps, smaps, auxv. */
#include "fs/procfs.h"

/* The address space, when the current thread may look: NULL with *err 0: there is none any more. */
static struct mm *mm_of(const struct inode *ino, struct proc_who *w, int *err)
{
    *err = proc_who(ino, w);
    if (*err == 0 && !procfs_may_look(w->p)) {
        *err = -EACCES;
    }
    return *err == 0 && w->t != NULL ? w->t->mm : NULL;
}

int proc_show_maps(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err;
    const struct mm *mm = mm_of(ino, &w, &err);
    if (mm != NULL) {
        mm_maps_text(mm, t, false);
    }
    return err;
}

/* What of an area is present only the nucleus' tables know, and they tell it of the whole alone. */
int proc_show_smaps(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err;
    const struct mm *mm = mm_of(ino, &w, &err);
    if (mm != NULL) {
        mm_maps_text(mm, t, true);
    }
    return err;
}

int proc_show_smaps_rollup(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err;
    const struct mm *mm = mm_of(ino, &w, &err);
    if (mm != NULL) {
        unsigned long rss = mm_resident(mm) * (MB_PAGE / 1024);
        text_printf(t, "%08lx-%08lx ---p 00000000 00:00 0 %33s[rollup]\n",
                    (unsigned long)w.mm.code_start, (unsigned long)w.mm.stack_top, "");
        text_printf(t, "Rss:            %8lu kB\nPss:            %8lu kB\n", rss, rss);
        text_printf(t, "Swap:           %8d kB\nSwapPss:        %8d kB\nLocked:         %8d kB\n",
                    0, 0, 0);
    }
    return err;
}

int proc_show_auxv(struct text *t, struct inode *ino)
{
    struct proc_who w;
    int err;
    if (mm_of(ino, &w, &err) != NULL) {
        text_add(t, w.mm.auxv, w.mm.auxv_words * sizeof(w.mm.auxv[0]));
    }
    return err;
}
