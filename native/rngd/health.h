/* Continuous health tests of a source of random bytes: the two of NIST SP 800-90B, section 4.4.
 *
 * They find a source that is broken (stuck, or far from what it is said to give), not one that lies well.
 * The source is credited with HEALTH_BITS of min-entropy a byte, much less than virtio-rng should give;
 * the chance that a source that has that much fails a test is 2^-30:
 *
 *   repetition count      C = 1 + ceil(30 / 4) = 9 equal bytes in a row
 *   adaptive proportion   of a window of 512 bytes, 71 are equal to its first
 *                         (1 + the 1 - 2^-30 quantile of Binomial(512, 2^-4))
 */
#ifndef RNGD_HEALTH_H
#define RNGD_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_BITS 4u
#define HEALTH_REPEATS 9u
#define HEALTH_WINDOW 512u
#define HEALTH_EQUAL 71u

enum health { HEALTH_GOOD, HEALTH_STUCK, HEALTH_BIASED };

struct health_test {
    enum health state; /* once it is not GOOD it stays so */
    uint64_t bytes;    /* tested */
    uint8_t last, first;
    uint32_t run;           /* of `last` */
    uint32_t window, equal; /* bytes of this window so far, and those equal to `first` */
};

/* Test n more bytes of the source: its state after them. */
enum health health_test(struct health_test *t, const uint8_t *bytes, size_t n);
const char *health_name(enum health state);

#endif
