/* Credentials: the ids a thread acts with, its groups and its capabilities (posix/proc/ids.c, caps.c).
 *
 * They belong to the thread and are copied, as Linux's are; the C library makes all threads change theirs.
 * Only the list of groups is shared: it never changes, setgroups puts another in its place.
 */
#ifndef POSIX_CRED_H
#define POSIX_CRED_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#define NGROUPS 65536u

struct groups { /* in order of gid */
    unsigned refs;
    uint32_t count;
    uint32_t gid[];
};

struct cred {
    uint32_t ruid, euid, suid, fsuid;
    uint32_t rgid, egid, sgid, fsgid;
    struct groups *groups;                                         /* NULL: none */
    uint64_t effective, permitted, inheritable, bounding, ambient; /* bit n: capability n */
    uint32_t securebits;                                           /* linux/securebits.h */
};

#define CAP_BIT(n) (1ull << (n))
#define CAP_ALL (CAP_BIT(CAP_LAST_CAP + 1) - 1)
/* What counts for files, and follows the fsuid. */
#define CAP_FILES                                                                    \
    (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) | \
     CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) |      \
     CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_MAC_OVERRIDE))
/* Root's, of everything. */
#define CRED_ROOT                                                       \
    {                                                                   \
        .effective = CAP_ALL, .permitted = CAP_ALL, .bounding = CAP_ALL \
    }

static inline bool cred_has(const struct cred *c, unsigned cap)
{
    return (c->effective >> cap & 1) != 0;
}
bool cred_in_group(const struct cred *c, uint32_t gid); /* by fsgid and the list */
/* to: another thread's or process', which has none yet. */
void cred_copy(struct cred *to, const struct cred *from);
void cred_drop(struct cred *c); /* gives up the groups */

/* caps.c: what a change of user ids, from old, does to the capabilities of c. */
void cred_uids_changed(struct cred *c, const struct cred *old);

#endif
