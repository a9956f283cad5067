/* Files: opening, reading, writing, names, attributes. */
#include "scenario.h"

static void file_life(void)
{
    long fd = open_at("a", O_RDWR | O_CREAT | O_EXCL);
    write_all(fd, text("hello"), 5);
    uint64_t buf = room(64);
    is(sc(pread64, (uint64_t)fd, buf, 64, 0), 5);
    is(sc(ftruncate, (uint64_t)fd, 3 * MB_PAGE), 0);
    shut(fd);
    gone("a");
}

const struct scenario scenarios_files[] = {
    {"file_life", file_life},
    {NULL, NULL},
};
