/*
 * image.c - reading manifests and bundles: what is right is found, what is wrong is refused, and no
 * bytes whatever make the readers look outside of them.
 *
 * test-sources: native/supervisor/image.c native/lib/bundle.c lib/manifest.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nexus/bundle.h>
#include "../../../native/supervisor/image.h"

#include <elf.h>
#include <nx/types.h>

static const char names[] = "\0.text\0.nexus.manifest\0.shstrtab";

static struct file {
    Elf64_Ehdr head;
    struct nx_manifest manifest;
    char names[sizeof(names) + 16];
    Elf64_Shdr section[4];
} file;

static int setup(void **state)
{
    memset(&file, 0, sizeof(file));
    memcpy(file.head.e_ident, "\177ELF\2\1\1", 7);
    file.head.e_type = ET_DYN;
    file.head.e_shoff = offsetof(struct file, section);
    file.head.e_shentsize = sizeof(Elf64_Shdr);
    file.head.e_shnum = 4;
    file.head.e_shstrndx = 3;
    memcpy(file.names, names, sizeof(names));
    file.section[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_PROGBITS};
    file.section[2] = (Elf64_Shdr){.sh_name = 7,
                                   .sh_type = SHT_PROGBITS,
                                   .sh_offset = offsetof(struct file, manifest),
                                   .sh_size = sizeof(struct nx_manifest)};
    file.section[3] = (Elf64_Shdr){.sh_name = 23,
                                   .sh_type = SHT_STRTAB,
                                   .sh_offset = offsetof(struct file, names),
                                   .sh_size = sizeof(names)};
    file.manifest = (struct nx_manifest){.magic = NX_MANIFEST_MAGIC,
                                         .name = "cell",
                                         .window_gb = 1,
                                         .quota_fibers = 1,
                                         .want_count = 1};
    file.manifest.want[0] = (struct nx_want){
        .kind = NX_WANT_SERVE, .slot = 61, .ring_slots = 16, .clients = 1, .what = "console"};
    return 0;
}

static int read_file(void)
{
    struct nx_manifest m;
    return image_manifest(&file, sizeof(file), &m);
}

static void the_manifest_is_found(void **state)
{
    struct nx_manifest m;
    assert_int_equal(image_manifest(&file, sizeof(file), &m), 0);
    assert_memory_equal(&m, &file.manifest, sizeof(m));
}

#define REFUSED(change)                            \
    do {                                           \
        setup(NULL);                               \
        change;                                    \
        assert_int_equal(read_file(), -NX_EIMAGE); \
    } while (0)

static void what_is_wrong_is_refused(void **state)
{
    struct nx_manifest m;
    REFUSED(file.head.e_ident[0] = 0);
    REFUSED(file.head.e_ident[4] = 1);
    REFUSED(file.head.e_shentsize = 63);
    REFUSED(file.head.e_shstrndx = 4);
    REFUSED(file.head.e_shoff = sizeof(file) - 1);
    REFUSED(file.head.e_shoff = ~0ul - 63);
    REFUSED(file.head.e_shnum = 0);
    REFUSED(file.names[8] = 'x');
    REFUSED(file.section[2].sh_size--);
    REFUSED(file.section[2].sh_offset = ~0ul - 8);
    REFUSED(file.section[2].sh_name = ~0u);
    REFUSED(file.section[3].sh_offset = ~0ul);
    REFUSED(file.manifest.magic++);
    REFUSED(file.manifest.want[0].slot = NX_SLOTS - 2); /* the rest: tests/unit/lib/manifest.c */
    setup(NULL);
    for (size_t n = 0; n < sizeof(file) - sizeof(Elf64_Shdr); n++) {
        /* exactly n bytes, so that the sanitizer sees a look beyond */
        void *cut = malloc(n + 1);
        memcpy(cut, &file, n);
        assert_int_not_equal(image_manifest((char *)cut, n, &m), 0);
        free(cut);
    }
}

static void fixed_pages_are_counted(void **state)
{
    struct {
        Elf64_Ehdr head;
        Elf64_Phdr segment[4];
    } f = {
        .head = {.e_phoff = offsetof(__typeof__(f), segment), .e_phnum = 4},
        .segment = {{.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 1},
                    {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x1ff8, .p_filesz = 16},
                    {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x4000, .p_filesz = 64},
                    {.p_type = PT_NOTE, .p_flags = PF_R, .p_filesz = 64}}};
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 1 + 2);
    f.segment[1].p_vaddr = ~0ul - 7;
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 0);
    f.segment[1].p_vaddr = 0;
    f.segment[1].p_filesz = sizeof(f) + 1;
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 0);
    f.segment[1].p_filesz = 0;
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 1);
    f.head.e_phnum = 5;
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 0);
    f.head.e_phoff = ~0ul - 55;
    assert_int_equal(image_fixed_pages(&f, sizeof(f)), 0);
    for (size_t n = 0; n < sizeof(f); n++) {
        void *cut = malloc(n + 1);
        memcpy(cut, &f, n);
        assert_int_equal(image_fixed_pages((char *)cut, n), 0);
        free(cut);
    }
}

static uint64_t seed = 88172645463325252ul;
static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Bytes and whole words of the structures get any value. */
static void fuzz(void (*look)(const void *, size_t), const void *good, size_t size, size_t hot)
{
    uint8_t *copy = malloc(size);
    for (unsigned round = 0; round < 60000; round++) {
        memcpy(copy, good, size);
        for (unsigned n = 1 + any() % 6; n > 0; n--) {
            size_t at = any() % hot;
            uint64_t v = any() % 3 == 0   ? any()
                         : any() % 3 == 0 ? any() % (2 * size)
                                          : -(any() % 65);
            memcpy(copy + at, &v, 1 + any() % (hot - at < 8 ? hot - at : 8));
        }
        look(copy, size);
    }
    free(copy);
}

static void look_image(const void *bytes, size_t size)
{
    struct nx_manifest m;
    (void)image_fixed_pages(bytes, size);
    if (image_manifest(bytes, size, &m) == 0) {
        assert_non_null(memchr(m.name, 0, sizeof(m.name)));
        for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
            assert_true(m.want[i].slot < NX_SLOTS);
        }
    }
}

static void no_image_makes_it_look_outside(void **state)
{
    fuzz(look_image, &file, sizeof(file), sizeof(file));
}

/* ---- bundles ---- */

static struct parcel {
    struct nx_bundle_head head;
    struct nx_bundle_entry entry[3];
    uint8_t gap[4096 - 64 * 4];
    uint8_t data[8192];
} parcel;

static int setup_bundle(void **state)
{
    memset(&parcel, 0, sizeof(parcel));
    parcel.head = (struct nx_bundle_head){
        .magic = NX_BUNDLE_MAGIC, .version = 1, .count = 3, .size = sizeof(parcel)};
    for (unsigned i = 0; i < 3; i++) {
        parcel.entry[i] = (struct nx_bundle_entry){
            .name = "part", .kind = NX_BUNDLE_CELL, .offset = 4096, .size = 10 + i};
    }
    return 0;
}

static void look_bundle(const void *bytes, size_t size)
{
    struct bundle b;
    struct bundle_part part;
    if (!bundle_open(&b, bytes, size)) {
        return;
    }
    assert_true(b.size <= size);
    for (uint32_t i = 0; i < b.count && i < 1000; i++) {
        if (bundle_part(&b, i, &part)) {
            assert_true(part.size <= size && part.offset <= size - part.size);
            assert_true(strlen(part.name) < sizeof(part.name));
        }
    }
}

static void bundles_are_checked(void **state)
{
    struct bundle b;
    struct bundle_part part;
    assert_true(bundle_open(&b, &parcel, sizeof(parcel)));
    assert_true(bundle_part(&b, 2, &part));
    assert_int_equal(part.size, 12);
    assert_string_equal(part.name, "part");
    assert_false(bundle_part(&b, 3, &part));
    assert_false(bundle_open(&b, &parcel, sizeof(parcel) - 1));
    assert_false(bundle_open(&b, &parcel, 63));
    parcel.entry[0].offset = 4097;
    assert_false(bundle_part(&b, 0, &part));
    parcel.entry[1].offset = sizeof(parcel);
    assert_false(bundle_part(&b, 1, &part));
    parcel.entry[2].size = ~0ul - 4095;
    assert_false(bundle_part(&b, 2, &part));
    parcel.head.count = 1u << 30;
    assert_false(bundle_open(&b, &parcel, sizeof(parcel)));
    setup_bundle(NULL);
    fuzz(look_bundle, &parcel, sizeof(parcel), 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_manifest_is_found, setup),
        cmocka_unit_test(fixed_pages_are_counted),
        cmocka_unit_test_setup(what_is_wrong_is_refused, setup),
        cmocka_unit_test_setup(no_image_makes_it_look_outside, setup),
        cmocka_unit_test_setup(bundles_are_checked, setup_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
