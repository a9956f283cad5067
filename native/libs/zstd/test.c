/* zstd in a cell: there and back, at two levels; and what is damaged is refused. */
#include <nexus/cell.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SIZE 200000u

int cell_main(const struct nx_cellinfo *info)
{
    char *text = malloc(SIZE), *back = malloc(SIZE);
    const size_t room = ZSTD_compressBound(SIZE);
    char *small = malloc(room);
    size_t n[2];
    if (text == NULL || back == NULL || small == NULL) {
        cell_panic("no memory");
    }
    for (unsigned i = 0; i < SIZE; i++) {
        text[i] = "the quick brown fox "[(i * i / 7) % 20];
    }
    for (int i = 0; i < 2; i++) {
        n[i] = ZSTD_compress(small, room, text, SIZE, i == 0 ? 1 : 12);
        memset(back, 0, SIZE);
        if (ZSTD_isError(n[i]) || ZSTD_decompress(back, SIZE, small, n[i]) != SIZE ||
            memcmp(text, back, SIZE) != 0) {
            cell_panic("level %d: %s", i == 0 ? 1 : 12, ZSTD_getErrorName(n[i]));
        }
    }
    small[n[1] / 2] ^= 0x55;
    small[0] ^= 1;
    if (!ZSTD_isError(ZSTD_decompress(back, SIZE, small, n[1]))) {
        cell_panic("damage is not seen");
    }
    cell_log("%u bytes are %zu and %zu", SIZE, n[0], n[1]);
    cell_log("ok");
    return 0;
}
