/* One gzip member through zlib's inflate, in pieces of 16 KiB. */
#include "fs/cpio.h"

#include <asm/errno.h>
#include <membrane.h>
#ifndef Z_SOLO
#define Z_SOLO
#endif
#include <zlib.h>

#define OUT_SIZE 16384u
#define IN_MAX (1u << 30) /* avail_in is an unsigned int */

static void *z_alloc(void *opaque, unsigned items, unsigned size)
{
    return mb_alloc((size_t)items * size);
}

static void z_free(void *opaque, void *p)
{
    mb_free(p);
}

long gunzip(const void *data, size_t n, int (*sink)(void *ctx, const void *data, size_t n),
            void *ctx)
{
    z_stream z = {.zalloc = z_alloc, .zfree = z_free, .next_in = (void *)(uintptr_t)data};
    const unsigned char *end = (const unsigned char *)data + n;
    long result = 0;
    unsigned char *out = mb_alloc(OUT_SIZE);
    if (out == NULL || inflateInit2(&z, 15 + 16) != Z_OK) {
        mb_free(out);
        return -ENOMEM;
    }
    int zr = Z_OK;
    while (zr == Z_OK && result == 0) {
        size_t left = (size_t)(end - z.next_in);
        z.avail_in = left < IN_MAX ? (unsigned)left : IN_MAX;
        z.next_out = out;
        z.avail_out = OUT_SIZE;
        zr = inflate(&z, Z_NO_FLUSH);
        if (z.avail_out < OUT_SIZE) {
            result = sink(ctx, out, OUT_SIZE - z.avail_out);
        }
    }
    if (result == 0) {
        result = zr == Z_STREAM_END  ? (long)(z.next_in - (const unsigned char *)data)
                 : zr == Z_MEM_ERROR ? -ENOMEM
                                     : -EINVAL;
    }
    inflateEnd(&z);
    mb_free(out);
    return result;
}
