/* Per-user accounts: tasks and queued signals of a real user id, for RLIMIT_NPROC and
 * RLIMIT_SIGPENDING.  There are few users at a time: a list.
 */
#include "proc.h"

static struct user *users;

struct user *user_get(uint32_t uid)
{
    for (struct user *u = users; u; u = u->next)
        if (u->uid == uid)
            return user_ref(u);
    struct user *u = mb_zalloc(sizeof *u);
    if (!u)
        return NULL;
    u->uid = uid;
    u->refs = 1;
    u->next = users;
    users = u;
    return u;
}

struct user *user_ref(struct user *u)
{
    u->refs++;
    return u;
}

void user_unref(struct user *u)
{
    if (!u || --u->refs)
        return;
    struct user **at = &users;
    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    mb_free(u);
}
