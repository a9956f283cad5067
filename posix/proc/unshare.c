/* unshare and setns.  There is one name space of each kind: what can be unshared is what clone shares. */
#include <asm/errno.h>
#include <linux/sched.h>
#include "mm.h"
#include "proc.h"
#include "sig.h"
#include "sys.h"
#include "vfs.h"

#define NAMESPACES                                                                               \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | \
     CLONE_NEWTIME)
#define ONE_THREAD (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) /* nothing to do, or not possible */
#define KNOWN (NAMESPACES | CLONE_NEWUSER | ONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM)

long sys_unshare(const uint64_t a[6])
{
    struct task *t = current;
    uint64_t flags = a[0];
    if (flags & ~(uint64_t)KNOWN)
        return -EINVAL;
    if ((flags & (ONE_THREAD | CLONE_NEWUSER)) && (t->proc->nthreads > 1 || t->sighand->refs > 1))
        return -EINVAL;
    if ((flags & NAMESPACES) && !(flags & CLONE_NEWUSER) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (flags & (NAMESPACES | CLONE_NEWUSER))
        return -EINVAL;
    struct fsctx *fs = NULL;
    struct files *files = NULL;
    if (flags & CLONE_FS) {
        fs = fsctx_copy(t->fs);
        if (!fs)
            return -ENOMEM;
    }
    if (flags & CLONE_FILES) {
        files = files_copy(t->files);
        if (!files) {
            if (fs)
                fsctx_unref(fs);
            return -ENOMEM;
        }
    }
    if (fs) {
        struct fsctx *old = t->fs;
        t->fs = fs;
        fsctx_unref(old);
    }
    if (files) {
        struct files *old = t->files;
        t->files = files;
        files_unref(old);
    }
    return 0;
}

long sys_setns(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (!f)
        return -EBADF;
    file_unref(f);
    return -EINVAL; /* no file is a name space */
}
