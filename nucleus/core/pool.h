/* Pools: memory for nucleus objects of one size, cut from pages that stay with the pool; and handle
 * tables, which name objects by index and generation.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
    const char *name;
    size_t size;
    void *free;
    uint32_t live;
};
#define POOL(name_, type)                                          \
    {                                                              \
        .name = (name_), .size = (sizeof(type) + 15) & ~(size_t)15 \
    }

void *pool_alloc(struct pool *p); /* zeroed; NULL when memory is out */
void pool_free(struct pool *p, void *obj);

/* Handle: index | generation << 16; index 0 is never used, so 0 is no handle. */
#define HANDLES_MAX 32768
struct handle_entry {
    void *obj;
    uint32_t generation;
    uint32_t next_free;
};
struct handles {
    struct handle_entry *chunk[HANDLES_MAX / 256];
    uint32_t used, free; /* used: entries ever made */
};
/* 0 when the table is full or memory is out. */
uint64_t handle_make(struct handles *t, void *obj);
void *handle_get(const struct handles *t, uint64_t handle); /* NULL: names nothing */
void handle_drop(struct handles *t, uint64_t handle);

#endif
