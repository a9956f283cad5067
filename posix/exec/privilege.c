/* What execve does to credentials: set-id programs, capabilities of files, root's.
 *
 * The rules are those of capabilities(7); a traced program gains nothing unless who began the
 * tracing had CAP_SYS_PTRACE.  Decided before the point of no return (exec_find_privileges),
 * taken after it (exec_take_privileges).
 */
#include "exec/exec_int.h"

#include "linux_abi.h"
#include "task.h"
#include "trace.h"

#include <linux/securebits.h>
#include <string.h>

struct file_caps {
    bool there, effective;
    uint64_t permitted, inheritable;
};

static void file_caps_read(struct file *f, struct file_caps *fc)
{
    struct vfs_ns_cap_data d = {.magic_etc = 0};
    long n = file_xattr(f, "security.capability", &d, sizeof(d));
    *fc = (struct file_caps){.there = false};
    uint32_t revision = d.magic_etc & VFS_CAP_REVISION_MASK;
    bool v2 = n == XATTR_CAPS_SZ_2 && revision == VFS_CAP_REVISION_2;
    bool v3 = n == XATTR_CAPS_SZ_3 && revision == VFS_CAP_REVISION_3 && d.rootid == 0;
    bool v1 = n == XATTR_CAPS_SZ_1 && revision == VFS_CAP_REVISION_1;
    if (!v1 && !v2 && !v3) {
        return;
    }
    fc->there = true;
    fc->effective = (d.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) != 0;
    fc->permitted = d.data[0].permitted | (v1 ? 0 : (uint64_t)d.data[1].permitted << 32);
    fc->inheritable = d.data[0].inheritable | (v1 ? 0 : (uint64_t)d.data[1].inheritable << 32);
    fc->permitted &= CAP_ALL;
    fc->inheritable &= CAP_ALL;
}

int exec_find_privileges(struct exec *x)
{
    const struct cred *old = &current->cred;
    struct cred *new = &x->cred;
    struct file_caps fc = {.there = false};
    uint32_t uid, gid, mode = file_mode(x->file);
    bool no_new = current->no_new_privs;
    const struct trace *trace = current->trace;
    bool held = no_new || (trace != NULL && !trace->gains);

    *new = *old;
    if (!file_nosuid(x->file)) {
        file_owner(x->file, &uid, &gid);
        if ((mode & S_ISUID) != 0 && !no_new) {
            new->euid = uid;
            x->gains = true;
        }
        if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !no_new) {
            new->egid = gid;
            x->gains = true;
        }
        file_caps_read(x->file, &fc);
    }
    new->permitted = (fc.permitted & old->bounding) | (fc.inheritable & old->inheritable);
    if (fc.effective && (fc.permitted & ~new->permitted) != 0) {
        return -EPERM; /* it does not know how to run with less */
    }
    bool effective = fc.effective;
    bool caps_of_file_count = fc.there && new->euid == 0 && new->ruid != 0;
    if ((new->securebits &SECBIT_NOROOT) == 0 && !caps_of_file_count) {
        if (new->euid == 0 || new->ruid == 0) {
            new->permitted = old->bounding | old->inheritable;
        }
        effective |= new->euid == 0;
    }
    bool set_id = new->euid != old->ruid || new->egid != old->rgid;
    x->gains |= (new->permitted & ~old->permitted) != 0;
    if (held && (set_id || (new->permitted & ~old->permitted) != 0)) {
        if (no_new || !cred_has(old, CAP_SETUID)) {
            new->euid = new->ruid;
            new->egid = new->rgid;
        }
        new->permitted &= old->permitted;
    }
    if (fc.there || set_id) {
        new->ambient = 0;
    }
    new->permitted |= new->ambient;
    new->effective = effective ? new->permitted : new->ambient;
    new->suid = new->fsuid = new->euid;
    new->sgid = new->fsgid = new->egid;
    new->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
    bool grown = (new->permitted & ~new->ambient) != 0;
    x->secure = set_id || (new->ruid != 0 && (effective || grown));
    return 0;
}

void exec_take_privileges(const struct exec *x)
{
    current->cred = x->cred; /* the groups are the same */
}
