/* BLAKE3 in a cell: two of its authors' test vectors (inputs are the bytes 0, 1 ... 250, 0, 1 ...). */
#include <llvm-c/blake3.h>
#include <nexus/cell.h>
#include <stdio.h>
#include <string.h>

static void check(size_t length, const char *want)
{
    static uint8_t input[102400];
    uint8_t out[32];
    char text[65];
    llvm_blake3_hasher h;
    for (size_t i = 0; i < length; i++) {
        input[i] = (uint8_t)(i % 251);
    }
    llvm_blake3_hasher_init(&h);
    llvm_blake3_hasher_update(&h, input, length);
    llvm_blake3_hasher_finalize(&h, out, sizeof(out));
    for (unsigned i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    }
    if (strcmp(text, want) != 0) {
        cell_panic("%zu bytes: %s", length, text);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    check(0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    check(1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
    check(102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085");
    cell_log("ok");
    return 0;
}
