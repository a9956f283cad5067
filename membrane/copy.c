/* Program memory: checked, with recovery.
 *
 * The personality touches program memory directly.  What the nucleus cannot resolve makes the raw copy
 * (copy.S) stop; then posix/mem gets a chance through mb_fault_hook, and the copy goes on from there.
 * The bound space is the current thread's.  Copies want no lock; when the hook is needed the lock is
 * taken for it if the caller does not hold it.
 */
#include "copy.h"
#include "mb_int.h"

/* A page that was made present and is gone again before we touch it (another thread unmaps it in a
 * loop) must not keep us here for ever. */
#define TRIES_WITHOUT_PROGRESS 8

int (*mb_fault_hook)(uint64_t addr, bool write);

static inline bool range_bad(uint64_t addr, size_t n)
{
    return n > NX_LOWER_END || addr > NX_LOWER_END - n;
}

/* Make the page present at which the calling fiber's raw access stopped. */
static bool resolve(bool write)
{
    if (!mb_fault_hook) {
        return false;
    }
    uint64_t addr = mb_self()->state->fixaddr;
    bool mine = mb_lock_is_mine();
    if (!mine) {
        mb_lock();
    }
    int e = mb_fault_hook(addr, write);
    if (!mine) {
        mb_unlock();
    }
    return e == 0;
}

/* The copy stopped with `left` of n bytes to do. */
static int __attribute__((noinline))
copy_on(char *dst, const char *src, size_t n, size_t left, bool write)
{
    unsigned tries = 0;
    while (left != 0) {
        if (tries++ == TRIES_WITHOUT_PROGRESS || !resolve(write)) {
            return -EFAULT;
        }
        size_t now = mb_raw_copy(dst + (n - left), src + (n - left), left, mb_self()->state);
        if (now != left) {
            tries = 0;
        }
        left = now;
    }
    return 0;
}

int mb_copy_in(void *dst, uint64_t src, size_t n)
{
    if (range_bad(src, n)) {
        return -EFAULT;
    }
    size_t left = mb_raw_copy(dst, (const void *)src, n, mb_self()->state);
    return __builtin_expect(left == 0, 1) ? 0 : copy_on(dst, (const char *)src, n, left, false);
}

int mb_copy_out(uint64_t dst, const void *src, size_t n)
{
    if (range_bad(dst, n)) {
        return -EFAULT;
    }
    size_t left = mb_raw_copy((void *)dst, src, n, mb_self()->state);
    return __builtin_expect(left == 0, 1) ? 0 : copy_on((char *)dst, src, n, left, true);
}

int mb_zero_out(uint64_t dst, size_t n)
{
    if (range_bad(dst, n)) {
        return -EFAULT;
    }
    unsigned tries = 0;
    for (size_t left = n;;) {
        size_t now = mb_raw_zero((void *)(dst + (n - left)), left, mb_self()->state);
        if (now == 0) {
            return 0;
        }
        tries = now != left ? 0 : tries + 1;
        left = now;
        if (tries == TRIES_WITHOUT_PROGRESS || !resolve(true)) {
            return -EFAULT;
        }
    }
}

/* The length is found first and the bytes are copied then.  Another thread may change the string in
 * between; what we hand on is terminated all the same. */
long mb_str_in(char *dst, uint64_t src, size_t n)
{
    if (src >= NX_LOWER_END) {
        return -EFAULT;
    }
    if (n == 0) {
        return -ENAMETOOLONG;
    }
    size_t max = n < NX_LOWER_END - src ? n : NX_LOWER_END - src;
    size_t len = 0;
    for (unsigned tries = 0;;) {
        uint64_t faulted = 0;
        size_t more =
            mb_raw_strnlen((const char *)src + len, max - len, mb_self()->state, &faulted);
        len += more;
        if (!faulted) {
            break;
        }
        tries = more != 0 ? 0 : tries + 1;
        if (tries == TRIES_WITHOUT_PROGRESS || !resolve(false)) {
            return -EFAULT;
        }
    }
    if (len == max) {
        return max == n ? -ENAMETOOLONG : -EFAULT;
    }
    int e = mb_copy_in(dst, src, len);
    if (e < 0) {
        return e;
    }
    dst[len] = '\0';
    return (long)len;
}

int mb_load32(uint32_t *val, uint64_t addr)
{
    if (range_bad(addr, 4) || addr % 4 != 0) {
        return -EFAULT;
    }
    for (unsigned tries = 0; mb_raw_load32(val, (const uint32_t *)addr, mb_self()->state) != 0;) {
        if (tries++ == TRIES_WITHOUT_PROGRESS || !resolve(false)) {
            return -EFAULT;
        }
    }
    return 0;
}

int mb_cas32(uint64_t addr, uint32_t expect, uint32_t want, uint32_t *old)
{
    if (range_bad(addr, 4) || addr % 4 != 0) {
        return -EFAULT;
    }
    for (unsigned tries = 0;
         mb_raw_cas32((uint32_t *)addr, expect, want, old, mb_self()->state) != 0;) {
        if (tries++ == TRIES_WITHOUT_PROGRESS || !resolve(true)) {
            return -EFAULT;
        }
    }
    return 0;
}
