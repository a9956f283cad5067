/*
 * The ELF parser: what it accepts, what it refuses, and that no bytes whatever make it misbehave.
 * test-sources: posix/exec/elf.c posix/exec/script.c
 */
#include <errno.h>
#include <nx/layout.h>
#include <nx/types.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exec/elf.h"
#include "exec/script.h"

#define PHDRS 5
#define FILE_SIZE 0x12345ul

/* Headers as a linker makes them for a small static program: code, data with bss, stack. */
struct sample {
    uint8_t bytes[ELF_HEAD + PHDRS * ELF_SEGMENT];
};

static void put(uint8_t *p, unsigned n, uint64_t v)
{
    while (n-- > 0) {
        *p++ = (uint8_t)v;
        v >>= 8;
    }
}

static void put_segment(struct sample *s, unsigned i, uint32_t type, uint32_t flags, uint64_t off,
                        uint64_t vaddr, uint64_t filesz, uint64_t memsz, uint64_t align)
{
    uint8_t *h = s->bytes + ELF_HEAD + i * ELF_SEGMENT;
    put(h, 4, type);
    put(h + 4, 4, flags);
    put(h + 8, 8, off);
    put(h + 16, 8, vaddr);
    put(h + 24, 8, vaddr);
    put(h + 32, 8, filesz);
    put(h + 40, 8, memsz);
    put(h + 48, 8, align);
}

static struct sample sample(void)
{
    struct sample s;
    memset(&s, 0, sizeof(s));
    memcpy(s.bytes, "\177ELF\2\1\1", 7);
    put(s.bytes + 16, 2, 2);   /* ET_EXEC */
    put(s.bytes + 18, 2, 243); /* RISC-V */
    put(s.bytes + 20, 4, 1);
    put(s.bytes + 24, 8, 0x100e8);  /* entry */
    put(s.bytes + 32, 8, ELF_HEAD); /* program headers */
    put(s.bytes + 52, 2, 64);
    put(s.bytes + 54, 2, ELF_SEGMENT);
    put(s.bytes + 56, 2, PHDRS);
    put_segment(&s, 0, 0x70000003, 4, 0x100, 0, 0x50, 0, 1); /* attributes: not for us */
    put_segment(&s, 1, 1, 5, 0, 0x10000, 0x8000, 0x8000, 0x1000);
    put_segment(&s, 2, 1, 6, 0x8f00, 0x19f00, 0x300, 0x2000, 0x1000);
    put_segment(&s, 3, 7, 4, 0x8f00, 0x19f00, 0x10, 0x20, 8); /* TLS */
    put_segment(&s, 4, 0x6474e551, 6, 0, 0, 0, 0, 16);
    return s;
}

static int parse(struct elf_image *im, const uint8_t *bytes, size_t n, uint64_t size)
{
    int e = elf_parse_head(im, bytes, n, size);
    if (e < 0) {
        return e;
    }
    size_t len = (size_t)im->phnum * ELF_SEGMENT;
    /* A copy of exactly that length: a read behind its end is an error of the sanitizer. */
    uint8_t *headers = malloc(len);
    memset(headers, 0, len);
    if (im->phoff < n) {
        size_t have = n - im->phoff;
        memcpy(headers, bytes + im->phoff, have < len ? have : len);
    }
    e = elf_parse_segments(im, headers, size);
    free(headers);
    return e;
}

static void accepts(void **state)
{
    struct sample s = sample();
    struct elf_image im;
    assert_int_equal(parse(&im, s.bytes, sizeof(s.bytes), FILE_SIZE), 0);
    assert_false(im.pic);
    assert_int_equal(im.entry, 0x100e8);
    assert_int_equal(im.loads, 2);
    assert_int_equal(im.low, 0x10000);
    assert_int_equal(im.high, 0x1c000);
    assert_int_equal(im.phdr, 0x10000 + ELF_HEAD);
    assert_int_equal(im.load[0].prot, NX_PROT_R | NX_PROT_X);
    assert_int_equal(im.load[1].prot, NX_PROT_R | NX_PROT_W);
    assert_int_equal(im.load[1].filesz, 0x300);
    assert_int_equal(im.interp_len, 0);
    assert_false(im.exec_stack);
}

/* Each change alone makes the file unusable. */
static void refuses(void **state)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
    } bad[] = {
        {0, 1, 'x'},                                    /* magic */
        {4, 1, 1},                                      /* 32 bit */
        {5, 1, 2},                                      /* big endian */
        {16, 2, 1},                                     /* object file */
        {16, 2, 4},                                     /* core */
        {18, 2, 62},                                    /* x86-64 */
        {54, 2, 32},                                    /* size of a program header */
        {56, 2, 0},                                     /* none */
        {56, 2, 0xffff},                                /* too many */
        {32, 8, FILE_SIZE - 1},                         /* outside */
        {32, 8, ~0ul - 10},                             /* wraps */
        {ELF_HEAD + ELF_SEGMENT + 8, 8, 0x800},         /* offset does not fit the address */
        {ELF_HEAD + ELF_SEGMENT + 8, 8, FILE_SIZE},     /* behind the end */
        {ELF_HEAD + ELF_SEGMENT + 8, 8, ~0xffful},      /* wraps */
        {ELF_HEAD + ELF_SEGMENT + 16, 8, ~0xffful},     /* address wraps */
        {ELF_HEAD + ELF_SEGMENT + 16, 8, NX_LOWER_END}, /* not the program's half */
        {ELF_HEAD + ELF_SEGMENT + 16, 8, 0},            /* page 0 of a fixed program */
        {ELF_HEAD + ELF_SEGMENT + 32, 8, 0x9000},       /* more in the file than in memory */
        {ELF_HEAD + 2 * ELF_SEGMENT + 40, 8, ~0ul},     /* memory size */
        {ELF_HEAD + 2 * ELF_SEGMENT + 40, 8, NX_LOWER_END},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sample s = sample();
        struct elf_image im;
        put(s.bytes + bad[i].at, bad[i].bytes, bad[i].value);
        if (parse(&im, s.bytes, sizeof(s.bytes), FILE_SIZE) != -ENOEXEC) {
            fail_msg("case %zu was accepted", i);
        }
    }
    struct sample s = sample();
    struct elf_image im;
    for (size_t n = 0; n < ELF_HEAD; n++) {
        assert_int_equal(parse(&im, s.bytes, n, FILE_SIZE), -ENOEXEC);
    }
    assert_int_equal(parse(&im, s.bytes, sizeof(s.bytes), 100), -ENOEXEC); /* a file cut off */
}

static void interpreter(void **state)
{
    struct sample s = sample();
    struct elf_image im;
    put(s.bytes + 16, 2, 3); /* ET_DYN */
    put_segment(&s, 3, 3, 4, 0x200, 0x200, 20, 20, 1);
    put_segment(&s, 4, 0x6474e551, 7, 0, 0, 0, 0, 16);
    assert_int_equal(parse(&im, s.bytes, sizeof(s.bytes), FILE_SIZE), 0);
    assert_true(im.pic);
    assert_true(im.exec_stack);
    assert_int_equal(im.interp_off, 0x200);
    assert_int_equal(im.interp_len, 20);
    put_segment(&s, 3, 3, 4, FILE_SIZE - 5, 0x200, 20, 20, 1);
    assert_int_equal(parse(&im, s.bytes, sizeof(s.bytes), FILE_SIZE), -ENOEXEC);
    put_segment(&s, 3, 3, 4, 0x200, 0x200, ELF_INTERP_MAX + 1, 20, 1);
    assert_int_equal(parse(&im, s.bytes, sizeof(s.bytes), FILE_SIZE), -ENOEXEC);
}

static void too_many_segments(void **state)
{
    enum { N = ELF_LOADS_MAX + 1 };
    uint8_t bytes[ELF_HEAD + N * ELF_SEGMENT];
    struct sample s = sample();
    struct elf_image im;
    memcpy(bytes, s.bytes, ELF_HEAD);
    put(bytes + 56, 2, N);
    for (unsigned i = 0; i < N; i++) {
        put_segment(&s, 1, 1, 4, 0, 0x10000 + i * 0x1000ul, 0x100, 0x100, 0x1000);
        memcpy(bytes + ELF_HEAD + i * ELF_SEGMENT, s.bytes + ELF_HEAD + ELF_SEGMENT, ELF_SEGMENT);
    }
    assert_int_equal(parse(&im, bytes, sizeof(bytes), FILE_SIZE), -ENOEXEC);
    put(bytes + 56, 2, N - 1);
    assert_int_equal(parse(&im, bytes, sizeof(bytes), FILE_SIZE), 0);
}

/* Whatever was accepted keeps the promises of elf.h. */
static void check_promises(const struct elf_image *im, uint64_t size)
{
    assert_true(im->loads >= 1 && im->loads <= ELF_LOADS_MAX);
    assert_true(im->low < im->high && im->high <= NX_LOWER_END);
    assert_true(im->low % NX_PAGE_SIZE == 0 && im->high % NX_PAGE_SIZE == 0);
    assert_true(im->align >= NX_PAGE_SIZE && (im->align & (im->align - 1)) == 0);
    assert_true((uint64_t)im->interp_off + im->interp_len <= size);
    for (unsigned i = 0; i < im->loads; i++) {
        const struct elf_load *l = &im->load[i];
        assert_true(l->memsz > 0 && l->filesz <= l->memsz);
        assert_true(l->off <= size && l->filesz <= size - l->off);
        assert_true(l->vaddr >= im->low && l->vaddr < im->high && l->memsz <= im->high - l->vaddr);
        assert_true(l->filesz == 0 || l->off % NX_PAGE_SIZE == l->vaddr % NX_PAGE_SIZE);
    }
}

static uint64_t seed = 0x9e3779b97f4a7c15ul;
static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t nasty(void)
{
    static const uint64_t value[] = {0,
                                     1,
                                     0x7ffffffffffffffful,
                                     ~0ul,
                                     0x1000,
                                     0xfff,
                                     FILE_SIZE,
                                     NX_LOWER_END,
                                     NX_LOWER_END - 0x1000,
                                     1ul << 63,
                                     56,
                                     64};
    uint64_t v = value[random64() % (sizeof(value) / sizeof(value[0]))];
    return v + (random64() % 3) - 1;
}

static void mutate(struct sample *s)
{
    for (unsigned n = 1 + random64() % 6; n > 0; n--) {
        size_t at = random64() % sizeof(s->bytes);
        switch (random64() % 3) {
        case 0:
            s->bytes[at] ^= (uint8_t)(1u << random64() % 8);
            break;
        case 1:
            s->bytes[at] = (uint8_t)random64();
            break;
        default:
            at &= ~7ul;
            put(s->bytes + at, 8, nasty());
            break;
        }
    }
}

static void fuzz(void **state)
{
    unsigned accepted = 0;
    for (unsigned round = 0; round < 300000; round++) {
        struct sample s = sample();
        struct elf_image im;
        mutate(&s);
        uint64_t size = round % 7 == 0 ? random64() % 0x20000 : FILE_SIZE;
        size_t n = round % 11 == 0 ? random64() % sizeof(s.bytes) : sizeof(s.bytes);
        int e = parse(&im, s.bytes, n, size);
        assert_true(e == 0 || e == -ENOEXEC);
        if (e == 0) {
            check_promises(&im, size);
            accepted++;
        }
    }
    assert_true(accepted > 1000); /* or the mutations never get past the first check */
}

/* ---- scripts ---- */

static int script(const char *text, size_t n, const char *want, const char *want_arg)
{
    char head[SCRIPT_HEAD + 1], *interp = NULL, *arg = NULL;
    memset(head, 'Z', sizeof(head));
    memcpy(head, text, n);
    int e = script_parse(head, n, &interp, &arg);
    if (e == 0) {
        assert_string_equal(interp, want);
        if (want_arg) {
            assert_non_null(arg);
            assert_string_equal(arg, want_arg);
        } else {
            assert_null(arg);
        }
    }
    return e;
}

#define SCRIPT(text, want, arg) script(text, sizeof(text) - 1, want, arg)

static void scripts(void **state)
{
    assert_int_equal(SCRIPT("#!/bin/sh\necho\n", "/bin/sh", NULL), 0);
    assert_int_equal(SCRIPT("#!/bin/sh", "/bin/sh", NULL), 0);
    assert_int_equal(SCRIPT("#! \t/bin/sh  \n", "/bin/sh", NULL), 0);
    assert_int_equal(SCRIPT("#!/bin/awk -f\n", "/bin/awk", "-f"), 0);
    assert_int_equal(SCRIPT("#!/bin/awk  -a b  c \t\n", "/bin/awk", "-a b  c"), 0);
    assert_int_equal(SCRIPT("#!/bin/sh\0junk\n", "/bin/sh", NULL), 0);
    assert_int_equal(SCRIPT("#!\n", NULL, NULL), -ENOEXEC);
    assert_int_equal(SCRIPT("#!   \n", NULL, NULL), -ENOEXEC);
    assert_int_equal(SCRIPT("#!", NULL, NULL), -ENOEXEC);
    assert_int_equal(SCRIPT("#", NULL, NULL), -ENOEXEC);
    assert_int_equal(SCRIPT("echo", NULL, NULL), -ENOEXEC);
}

static void long_scripts(void **state)
{
    char text[SCRIPT_HEAD];
    memset(text, 'a', sizeof(text));
    memcpy(text, "#!/", 3);
    assert_int_equal(script(text, sizeof(text), NULL, NULL), -ENOEXEC); /* the name may be cut */
    char want[SCRIPT_HEAD];
    text[9] = ' '; /* only the argument may be */
    memcpy(want, text + 10, SCRIPT_HEAD - 10);
    want[SCRIPT_HEAD - 10] = 0;
    assert_int_equal(script(text, sizeof(text), "/aaaaaa", want), 0);
}

static void script_fuzz(void **state)
{
    static const char set[] = "#!/ \t\nab\0";
    for (unsigned round = 0; round < 200000; round++) {
        char head[SCRIPT_HEAD + 1], *interp, *arg;
        size_t n = random64() % (SCRIPT_HEAD + 1);
        for (size_t i = 0; i < n; i++) {
            head[i] = set[random64() % sizeof(set)];
        }
        if (n >= 2 && round % 8 != 0) {
            memcpy(head, "#!", 2);
        }
        if (script_parse(head, n, &interp, &arg) == 0) {
            assert_true(interp >= head && interp + strlen(interp) <= head + n && *interp);
            assert_true(!arg || (arg > interp && arg + strlen(arg) <= head + n && *arg));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),      cmocka_unit_test(refuses),
        cmocka_unit_test(interpreter),  cmocka_unit_test(too_many_segments),
        cmocka_unit_test(fuzz),         cmocka_unit_test(scripts),
        cmocka_unit_test(long_scripts), cmocka_unit_test(script_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
