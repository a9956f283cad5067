/* Directory entries: the one hash table of names, and the lists that give directories an order.
 *
 * Rules: a hashed dentry is in its parent's list and holds a reference of its own; one that is not
 * (deleted, or made for the moment by procfs) lives as long as somebody uses it and still knows its
 * parent, for "(deleted)" paths.  Cookies grow, so that getdents can go on after any unlink.
 * Not here: permission to do any of it (path/).
 */
#include "fs/notify.h"

#include <string.h>

#define TABLE_MIN 1024u

static struct dentry **table;
static uint32_t table_mask, table_used;

int dentry_init(void)
{
    table = mb_zalloc(TABLE_MIN * sizeof(*table));
    if (table == NULL) {
        return -ENOMEM;
    }
    table_mask = TABLE_MIN - 1;
    table_used = 0;
    return 0;
}

uint32_t dentry_hash(const char *name, unsigned len)
{
    uint32_t h = DENTRY_HASH_START;
    for (unsigned i = 0; i < len; i++) {
        h = dentry_hash_step(h, (unsigned char)name[i]);
    }
    return h;
}

static struct dentry **bucket_of(const struct dentry *dir, uint32_t hash)
{
    uint64_t x = hash + ((uintptr_t)dir >> 4) * 0x9e3779b97f4a7c15ul;
    return &table[(x ^ x >> 29) & table_mask];
}

/* Keep chains short and give the memory back.  Without memory the table stays as it is. */
static void table_resize(uint32_t buckets)
{
    struct dentry **old = table;
    uint32_t n = table_mask + 1;
    struct dentry **new = mb_zalloc(buckets * sizeof(*new));
    if (new == NULL) {
        return;
    }
    table = new;
    table_mask = buckets - 1;
    for (uint32_t i = 0; i < n; i++) {
        struct dentry *next;
        for (struct dentry *d = old[i]; d != NULL; d = next) {
            next = d->hash_next;
            struct dentry **b = bucket_of(d->parent, d->hash);
            d->hash_next = *b;
            *b = d;
        }
    }
    mb_free(old);
}

struct dentry *dentry_of_inode(const struct sb *sb, uint64_t ino)
{
    if (sb->root->inode->ino == ino) {
        return sb->root;
    }
    for (uint32_t i = 0; i <= table_mask; i++) {
        for (struct dentry *d = table[i]; d != NULL; d = d->hash_next) {
            if (d->inode != NULL && d->inode->sb == sb && d->inode->ino == ino) {
                return d;
            }
        }
    }
    return NULL;
}

static void table_insert(struct dentry *d)
{
    if (++table_used > table_mask + 1) {
        table_resize((table_mask + 1) * 2);
    }
    struct dentry **b = bucket_of(d->parent, d->hash);
    d->hash_next = *b;
    *b = d;
}

static void table_remove(struct dentry *d)
{
    struct dentry **b = bucket_of(d->parent, d->hash);
    while (*b != d) {
        b = &(*b)->hash_next;
    }
    *b = d->hash_next;
    if (--table_used < (table_mask + 1) / 8 && table_mask + 1 > TABLE_MIN) {
        table_resize((table_mask + 1) / 4 > TABLE_MIN ? (table_mask + 1) / 4 : TABLE_MIN);
    }
}

struct dentry *dentry_find(const struct dentry *dir, const char *name, unsigned len, uint32_t hash)
{
    struct dentry *d = *bucket_of(dir, hash);
    while (d != NULL) {
        if (d->hash == hash && d->parent == dir && d->len == len &&
            memcmp(d->name, name, len) == 0) {
            return d;
        }
        d = d->hash_next;
    }
    return NULL;
}

/* Store the name; false: no memory. */
static bool name_set(struct dentry *d, const char *name, unsigned len)
{
    char *to = d->short_name;
    if (len > DENTRY_INLINE) {
        to = mb_alloc(len + 1);
        if (to == NULL) {
            return false;
        }
    }
    memcpy(to, name, len);
    to[len] = 0;
    d->name = to;
    d->len = (uint8_t)len;
    return true;
}

static void name_free(struct dentry *d)
{
    if (d->name != d->short_name) {
        mb_free((char *)d->name);
    }
}

struct dentry *dentry_make(struct dentry *parent, const char *name, unsigned len, uint32_t hash,
                           struct inode *ino)
{
    struct dentry *d = mb_alloc(sizeof(*d));
    if (d == NULL) {
        return NULL;
    }
    if (!name_set(d, name, len)) {
        mb_free(d);
        return NULL;
    }
    d->inode = ino;
    d->parent = parent != NULL ? dentry_ref(parent) : d;
    d->hash_next = d->next = d->prev = NULL;
    d->cookie = 0;
    d->refs = 1;
    d->hash = hash;
    d->flags = 0;
    d->mounts = 0;
    return d;
}

/* The last reference went.  Parents may go with it: a loop, since paths can be deep. */
void dentry_free_(struct dentry *d)
{
    for (;;) {
        struct dentry *parent = d->parent;
        if (d->inode != NULL) {
            if (d->inode->nlink == 0) {
                notify_gone(d->inode);
            }
            inode_unref(d->inode);
        }
        name_free(d);
        mb_free(d);
        if (parent == d || --parent->refs > 0) {
            return;
        }
        d = parent;
    }
}

static void list_append(struct inode *dir, struct dentry *d)
{
    d->cookie = dir->dir.next_cookie++;
    d->prev = dir->dir.last;
    d->next = NULL;
    if (d->prev != NULL) {
        d->prev->next = d;
    } else {
        dir->dir.first = d;
    }
    dir->dir.last = d;
    dir->dir.entries++;
}

static void list_take(struct inode *dir, struct dentry *d)
{
    if (d->prev != NULL) {
        d->prev->next = d->next;
    } else {
        dir->dir.first = d->next;
    }
    if (d->next != NULL) {
        d->next->prev = d->prev;
    } else {
        dir->dir.last = d->prev;
    }
    dir->dir.entries--;
}

void dentry_attach(struct dentry *d)
{
    list_append(d->parent->inode, d);
    table_insert(d);
    d->flags |= DENTRY_HASHED;
    d->refs++;
}

void dentry_detach(struct dentry *d)
{
    table_remove(d);
    list_take(d->parent->inode, d);
    d->flags = (d->flags & (uint8_t)~DENTRY_HASHED) | DENTRY_DELETED;
    dentry_unref(d);
}

int dentry_rename(struct dentry *d, struct dentry *parent, const char *name, unsigned len)
{
    char *long_name = NULL;
    if (len > DENTRY_INLINE) {
        long_name = mb_alloc(len + 1);
        if (long_name == NULL) {
            return -ENOMEM;
        }
    }
    table_remove(d);
    if (parent != d->parent) {
        struct dentry *old = d->parent;
        list_take(old->inode, d);
        d->parent = dentry_ref(parent);
        list_append(parent->inode, d);
        dentry_unref(old);
    }
    char *to = long_name != NULL ? long_name : d->short_name;
    if (long_name == NULL && name == d->short_name) {
        to = NULL; /* its own name, as it is */
    }
    if (to != NULL) {
        char *old = d->name != d->short_name ? (char *)d->name : NULL;
        memmove(to, name, len);
        to[len] = 0;
        d->name = to;
        mb_free(old);
    }
    d->len = (uint8_t)len;
    d->hash = dentry_hash(d->name, len);
    table_insert(d);
    return 0;
}

/* Two names change places: easiest seen as two inodes changing places, but open files and mounts hang
 * on the dentry, so it is name and parent that move. */
void dentry_exchange(struct dentry *a, struct dentry *b)
{
    table_remove(a);
    table_remove(b);
    if (a->parent != b->parent) {
        struct dentry *pa = a->parent, *pb = b->parent;
        list_take(pa->inode, a);
        list_take(pb->inode, b);
        a->parent = pb; /* the references of the parents change places too */
        b->parent = pa;
        list_append(pb->inode, a);
        list_append(pa->inode, b);
    }
    char text[DENTRY_INLINE + 1];
    const char *name_a = a->name == a->short_name ? NULL : a->name;
    const char *name_b = b->name == b->short_name ? NULL : b->name;
    memcpy(text, a->short_name, sizeof(text));
    memcpy(a->short_name, b->short_name, sizeof(text));
    memcpy(b->short_name, text, sizeof(text));
    a->name = name_b != NULL ? name_b : a->short_name;
    b->name = name_a != NULL ? name_a : b->short_name;
    uint8_t len = a->len;
    a->len = b->len;
    b->len = len;
    uint32_t hash = a->hash;
    a->hash = b->hash;
    b->hash = hash;
    table_insert(a);
    table_insert(b);
}

/* Depth first by following the lists: the tree itself is the stack. */
void dentry_free_tree(struct dentry *root)
{
    struct dentry *d = root;
    for (;;) {
        while (S_ISDIR(d->inode->mode) && d->inode->dir.first != NULL) {
            d = d->inode->dir.first;
        }
        if (d == root) {
            break;
        }
        struct dentry *parent = d->parent;
        dentry_detach(d);
        d = parent;
    }
    dentry_unref(root);
}

bool dentry_is_below(const struct dentry *d, const struct dentry *dir)
{
    while (d != dir) {
        if (d->parent == d) {
            return false;
        }
        d = d->parent;
    }
    return true;
}
