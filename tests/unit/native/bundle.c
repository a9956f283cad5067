/*
 * bundle.c - reading the boot bundle and the archives in it (nexus/bundle.h): what is there is found, and nothing outside
 * is read whatever the bytes say.
 *
 * test-sources: native/lib/bundle.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nexus/bundle.h>

#define PAGE 4096u

/* A bundle of one archive, in memory of exactly its size: the sanitizers see what is read behind it. */
static uint8_t *bytes;
static size_t size;
static struct bundle b;
static struct bundle_part part;

static size_t put_file(char *to, const char *name, const char *data, size_t n)
{
    size_t at = (size_t)sprintf(to, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
                                1, 0100644, 0, 0, 1, 0, n, 0, 0, 0, 0, strlen(name) + 1, 0);
    memcpy(to + at, name, strlen(name) + 1);
    at = (at + strlen(name) + 1 + 3) & ~3ul;
    memcpy(to + at, data, n);
    return (at + n + 3) & ~3ul;
}

static int setup(void **state)
{
    static char archive[PAGE];
    memset(archive, 0, sizeof(archive));
    size_t n = put_file(archive, "etc", "", 0);
    n += put_file(archive + n, "etc/passwd", "root:x:0", 8);
    n += put_file(archive + n, "odd", "12345", 5);
    n += put_file(archive + n, "TRAILER!!!", "", 0);
    size = PAGE + n;
    bytes = calloc(1, size);
    *(struct nx_bundle_head *)bytes =
        (struct nx_bundle_head){.magic = NX_BUNDLE_MAGIC, .version = 1, .count = 1, .size = size};
    *(struct nx_bundle_entry *)(bytes + 64) = (struct nx_bundle_entry){
        .name = "extra", .kind = NX_BUNDLE_ARCHIVE, .offset = PAGE, .size = n};
    memcpy(bytes + PAGE, archive, n);
    assert_true(bundle_open(&b, bytes, size));
    assert_true(bundle_find(&b, "extra", NX_BUNDLE_ARCHIVE, &part));
    return 0;
}

static int teardown(void **state)
{
    free(bytes);
    return 0;
}

static void found(void **state)
{
    size_t n = 0;
    const uint8_t *at = bundle_file(&b, &part, "etc/passwd", &n);
    assert_non_null(at);
    assert_int_equal(n, 8);
    assert_memory_equal(at, "root:x:0", 8);
    at = bundle_file(&b, &part, "odd", &n);
    assert_int_equal(n, 5);
    assert_memory_equal(at, "12345", 5);
    assert_non_null(bundle_file(&b, &part, "etc", &n));
    assert_int_equal(n, 0);
}

static void not_there(void **state)
{
    size_t n;
    struct bundle_part other;
    assert_null(bundle_file(&b, &part, "etc/passw", &n));
    assert_null(bundle_file(&b, &part, "", &n));
    assert_false(bundle_find(&b, "extra", NX_BUNDLE_CELL, &other));
    assert_false(bundle_find(&b, "extr", NX_BUNDLE_ARCHIVE, &other));
    assert_false(bundle_part(&b, 1, &other));
    assert_false(bundle_open(&b, bytes, 63));
    assert_false(bundle_open(&b, bytes, size - 1));
}

/* Cut at every byte: no file is found of which a byte is missing, but its padding. */
static void cut(void **state)
{
    const uint64_t whole = part.size;
    for (part.size = 0; part.size < whole; part.size++) {
        size_t n;
        uint8_t *copy = malloc(part.size + 1);
        struct bundle small = {.base = copy, .size = part.size, .count = 0};
        struct bundle_part at = {.kind = NX_BUNDLE_ARCHIVE, .offset = 0, .size = part.size};
        memcpy(copy, bytes + PAGE, part.size);
        const uint8_t *file = bundle_file(&small, &at, "odd", &n);
        if (file != NULL) {
            assert_true(file + n <= copy + part.size);
            assert_memory_equal(file, "12345", 5);
        }
        free(copy);
    }
}

/* Any byte wrong, in any way that matters. */
static void damaged(void **state)
{
    static const uint8_t values[] = {0, 'f', '0', '9', 'F', 'g', 0xff};
    for (size_t i = PAGE; i < size; i++) {
        const uint8_t was = bytes[i];
        for (unsigned v = 0; v < sizeof(values); v++) {
            size_t n = 0;
            bytes[i] = values[v];
            const uint8_t *at = bundle_file(&b, &part, "odd", &n);
            if (at != NULL) {
                assert_true(at >= bytes + PAGE && at + n <= bytes + size);
            }
        }
        bytes[i] = was;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(found),
        TEST(not_there),
        TEST(cut),
        TEST(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
