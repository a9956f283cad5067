/* checkpoint: a small state a cell leaves for its successor of the same lineage (lineage.h). */
#ifndef CKPT_H
#define CKPT_H

#include "cell.h"

/* Keep len bytes from the cell's window address va: two copies, each with its checksum. */
int ckpt_save(struct cell *c, uint64_t va, uint64_t len);
/* Bytes copied to va (at most len), or -NX_ENOENT. */
long ckpt_load(struct cell *c, uint64_t va, uint64_t len);
void ckpt_drop(const struct cell *c);

#endif
