/* The nucleus' log, as text for /proc/nexus/log. */
#include "mb_int.h"

size_t mb_log_text(char *buf, size_t n)
{
    long end = nx_meta_stat(NX_STAT_LOG_END);
    if (end <= 0 || n == 0) {
        return 0;
    }
    /* The newest n bytes; the nucleus moves a cursor that is too old up to what it still has. */
    uint64_t from = (uint64_t)end > n ? (uint64_t)end - n : 0;
    long got = nx_meta_readlog((uint64_t)buf, n, from);
    return got > 0 ? (size_t)got : 0;
}
