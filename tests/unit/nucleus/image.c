/* Cell images: a good one is loaded as it says; nothing that is wrong with one does harm. */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"
#include "image_test.h"

#define HEAP (NX_FREE + 16 * PAGE)
#define PAGES (IMAGE_BYTES / PAGE)

static struct cell *loader;
static struct mem *mem; /* slot 1 of the loader: two pages of something else, then the image */
static uint8_t bytes[IMAGE_BYTES] __attribute__((aligned(16)));

static int begin(void **state)
{
    (void)counts_before(state);
    loader = test_cell("loader");
    assert_non_null(run(0));
    assert_int_equal(nx_make_mem(1, PAGES + 3, 0), 0);
    mem = (struct mem *)loader->caps[1].obj;
    struct nx_manifest m = test_manifest("child");
    m.quota_pages = 40;
    image_build(bytes, &m);
    return 0;
}

static int end(void **state)
{
    audit();
    test_end(loader);
    return counts_after(state);
}

#define IMAGE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static struct test_image *image(void)
{
    return (struct test_image *)bytes;
}

static long load(void)
{
    image_store(mem, 2, bytes);
    return nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 5, 7);
}

/* Loading it must fail, and leave nothing. */
static void refused(long error)
{
    struct counts before = counts_now();
    assert_int_equal(load(), error);
    assert_null(loader->caps[5].obj);
    assert_counts(&before);
}

static uint8_t file_byte(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE);
}

static void a_good_image_is_loaded(void **state)
{
    assert_int_equal(load(), 0);
    struct cell *c = (struct cell *)loader->caps[5].obj;
    assert_string_equal(c->name, "child");
    assert_int_equal(c->generation, 7);
    assert_int_equal(c->state, NX_CS_NEW);
    assert_int_equal(c->entry, NX_IMAGE + 0x1234);
    assert_int_equal(c->image_end, NX_IMAGE + 9 * PAGE);
    assert_int_equal(nx_spawn_start(5, 3), 0);
    hart(1);
    interrupts(1);
    assert_ptr_equal(harts[1].fiber->cell, c);
    /* Text: a copy, read and execute. */
    for (uint64_t off = TEXT_OFF; off < TEXT_OFF + 2 * PAGE; off += 111) {
        const uint8_t *p = host_access(NX_IMAGE + off, NX_PROT_R);
        assert_int_equal(*p, file_byte(off));
        assert_ptr_equal(p, host_access(NX_IMAGE + off, NX_PROT_X));
        assert_ptr_not_equal(p - off % PAGE, arch_phys(mem_page(mem, 2 + off / PAGE)));
    }
    /* Data: a copy, with zeroes before, behind, and on the pages behind that. */
    for (uint64_t off = 3 * PAGE; off < 9 * PAGE; off += 37) {
        const uint8_t *p = host_access(NX_IMAGE + off, NX_PROT_R);
        bool in_file = off >= DATA_OFF && off < DATA_OFF + DATA_FILE;
        assert_int_equal(*p, in_file ? file_byte(off) : 0);
    }
    *(uint8_t *)host_access(NX_IMAGE + DATA_OFF, NX_PROT_W) = 1;
    assert_int_equal(*((uint8_t *)arch_phys(mem_page(mem, 2 + 3)) + 0x800), file_byte(DATA_OFF));
    assert_null(host_access(NX_IMAGE + TEXT_OFF, NX_PROT_W)); /* and dies of it */
    assert_int_equal(c->state, NX_CS_DEAD);
}

static void one_image_serves_many_cells(void **state)
{
    assert_int_equal(load(), 0);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 6, 1), 0);
    assert_int_equal(page_refs(mem_page(mem, 2 + TEXT_OFF / PAGE)), 1); /* they have copies */
    assert_int_equal(nx_grant_drop(5), 0);
    assert_int_equal(page_refs(mem_page(mem, 2 + TEXT_OFF / PAGE)), 1);
    audit();
}

static void the_capability_and_the_slot_are_checked(void **state)
{
    image_store(mem, 2, bytes);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 64, 0), -NX_EBUSY);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 1, 0), -NX_EBUSY);
    assert_int_equal(nx_spawn_cell(2, 2 * PAGE, IMAGE_BYTES, 5, 0), -NX_EBADF);
    static const uint64_t bad[][2] = {
        {0, IMAGE_BYTES},
        {PAGE, IMAGE_BYTES},
        {2 * PAGE + 8, 100},
        {2 * PAGE, IMAGE_BYTES + PAGE + 1},
        {2 * PAGE, ~0ul},
        {~0ul - PAGE + 1, IMAGE_BYTES},
        {2 * PAGE, 0},
        {2 * PAGE, 63},
        {1ul << 40, IMAGE_BYTES},
        {2 * PAGE, 0x900},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(nx_spawn_cell(1, bad[i][0], bad[i][1], 5, 0), -NX_EIMAGE);
    }
    assert_int_equal(nx_mask_rights(1, NX_R_READ), 0);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 5, 0), -NX_EPERM);
}

/* Nobody but the holder of the machine makes a fused cell, whatever the image says. */
static void fused_cells_are_made_with_the_machine(void **state)
{
    const uint64_t fused = 5 | NX_PLACE_FUSED << 8;
    image()->manifest.placement = NX_PLACE_FUSED;
    assert_int_equal(load(), 0);
    assert_false(((struct cell *)loader->caps[5].obj)->fused);
    assert_int_equal(nx_grant_drop(5), 0);
    image()->manifest.placement = NX_PLACE_ISOLATED;
    image_store(mem, 2, bytes);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, fused | 2 << 16, 7), -NX_EBADF);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, fused | 1 << 16, 7), -NX_EBADF);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, fused | 255 << 16, 7), -NX_EBADF);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 5 | 2 << 8, 7), -NX_EINVAL);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 5 | 256ul << 24, 7), -NX_EINVAL);
    lock();
    assert_int_equal(cap_put(loader, 2, &machine.obj, NX_R_ALL), 0);
    unlock();
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, fused | 2 << 16, 7), 0);
    struct cell *c = (struct cell *)loader->caps[5].obj;
    assert_true(c->fused);
    audit();
    assert_int_equal(nx_spawn_start(5, 3), 0);
    hart(1);
    interrupts(1);
    assert_ptr_equal(harts[1].fiber->cell, c);
    const struct nx_cellinfo *info = host_access(NX_CELLINFO, NX_PROT_R);
    assert_int_equal(info->placement, NX_PLACE_FUSED);
    assert_non_null(host_access(NX_IMAGE + TEXT_OFF, NX_PROT_X));
    assert_non_null(host_access(NX_IMAGE + DATA_OFF, NX_PROT_W));
    hart(0);
    assert_int_equal(nx_meta_cell(5, NX_CELL_PLACEMENT), NX_PLACE_FUSED);
    audit();
    assert_int_equal(nx_exit_kill(5, 0), 0);
    interrupts(1);
    hart(0);
    assert_int_equal(nx_grant_drop(5), 0);
    /* A right that is given up is gone. */
    assert_int_equal(nx_mask_rights(2, NX_R_READ | NX_R_WRITE), 0);
    assert_int_equal(nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, fused | 2 << 16, 7), -NX_EPERM);
}

#define FIXED_PAGES 3u /* of the image's segments without write */

static long load_fixed(void)
{
    return nx_spawn_cell(1, 2 * PAGE, IMAGE_BYTES, 5 | 3ul << 24, 7);
}

/* What is only read may lie in memory that outlives the cell: the next life finds it, as it should be. */
static void fixed_pages_are_lent_and_put_right(void **state)
{
    assert_int_equal(nx_make_mem(3, FIXED_PAGES, 0), 0);
    const struct mem *fixed = (struct mem *)loader->caps[3].obj;
    image_store(mem, 2, bytes);
    for (unsigned life = 0; life < 3; life++) {
        assert_int_equal(load_fixed(), 0);
        struct cell *c = (struct cell *)loader->caps[5].obj;
        assert_memory_equal(arch_phys(mem_page(fixed, 0)), bytes, 0x900);
        assert_memory_equal(arch_phys(mem_page(fixed, 1)), bytes + TEXT_OFF, PAGE);
        assert_memory_equal(arch_phys(mem_page(fixed, 2)), bytes + TEXT_OFF + PAGE, PAGE);
        audit();
        assert_int_equal(nx_spawn_start(5, 3), 0);
        hart(1);
        interrupts(1);
        assert_ptr_equal(harts[1].fiber->cell, c);
        for (unsigned i = 0; i < 2; i++) {
            assert_ptr_equal(host_access(NX_IMAGE + TEXT_OFF + i * PAGE, NX_PROT_X),
                             arch_phys(mem_page(fixed, 1 + i)));
        }
        /* The cell may make them writable, as others of its own: then it has copies. */
        assert_int_equal(nx_map_protect(0, NX_IMAGE + TEXT_OFF, PAGE, NX_PROT_R | NX_PROT_W), 0);
        uint8_t *own = host_access(NX_IMAGE + TEXT_OFF, NX_PROT_W);
        assert_non_null(own);
        assert_ptr_not_equal(own, arch_phys(mem_page(fixed, 1)));
        hart(0);
        assert_int_equal(nx_exit_kill(5, 0), 0);
        interrupts(1);
        hart(0);
        assert_int_equal(nx_grant_drop(5), 0);
        for (unsigned i = 0; i < FIXED_PAGES; i++) {
            uint8_t *page = arch_phys(mem_page(fixed, i));
            assert_int_equal(page_refs(mem_page(fixed, i)), 1);
            page[(life * 1999 + i * 1234) % PAGE] ^=
                0x10; /* damage, in what no file byte fills too */
        }
    }
}

static void fixed_pages_must_be_the_makers(void **state)
{
    const struct counts before = counts_now();
    image_store(mem, 2, bytes);
    assert_int_equal(load_fixed(), -NX_EBADF);
    assert_int_equal(nx_make_event(3), 0);
    assert_int_equal(load_fixed(), -NX_EBADF);
    assert_int_equal(nx_grant_drop(3), 0);
    for (unsigned pages = 1; pages < FIXED_PAGES; pages++) {
        assert_int_equal(nx_make_mem(3, pages, 0), 0);
        assert_int_equal(load_fixed(), -NX_ENOMEM);
        assert_null(loader->caps[5].obj);
        assert_int_equal(nx_grant_drop(3), 0);
    }
    static const uint32_t less[] = {NX_R_READ | NX_R_WRITE, NX_R_READ | NX_R_EXEC,
                                    NX_R_WRITE | NX_R_EXEC};
    for (unsigned i = 0; i < ARRAY_LEN(less); i++) {
        assert_int_equal(nx_make_mem(3, FIXED_PAGES, 0), 0);
        assert_int_equal(nx_mask_rights(3, less[i]), 0);
        assert_int_equal(load_fixed(), -NX_EPERM);
        assert_int_equal(nx_grant_drop(3), 0);
    }
    assert_counts(&before);
}

/* A cell without a pledge makes none that has it, and none of a higher tier. */
static void nobody_makes_more_than_himself(void **state)
{
    struct nx_manifest *m = &image()->manifest;
    const struct nx_manifest good = *m;
    const uint32_t mine = loader->pledge;
    loader->pledge = NX_PLEDGE_SPAWN | NX_PLEDGE_IPC | NX_PLEDGE_MAP;
    for (unsigned bit = 0; bit < 32; bit++) {
        m->pledge = 1u << bit;
        if ((m->pledge & NX_PLEDGE_ALL) == 0) {
            refused(-NX_EIMAGE); /* there is no such class */
        } else if ((m->pledge & ~loader->pledge) != 0) {
            refused(-NX_EPERM);
        } else {
            assert_int_equal(load(), 0);
            assert_int_equal(nx_grant_drop(5), 0);
        }
    }
    m->pledge = NX_PLEDGE_ALL;
    refused(-NX_EPERM);
    m->pledge = loader->pledge;
    m->tier = loader->tier - 1;
    refused(-NX_EPERM);
    m->tier = NX_TIER_VOID;
    assert_int_equal(load(), 0);
    loader->pledge = mine;
    *m = good;
}

static void broken_headers_are_refused(void **state)
{
    const struct test_image good = *image();
#define BROKEN(field, value)      \
    do {                          \
        *image() = good;          \
        image()->field = (value); \
        refused(-NX_EIMAGE);      \
    } while (0)
    BROKEN(head.ident[0], 0);
    BROKEN(head.ident[4], 1); /* 32 bits */
    BROKEN(head.ident[5], 2); /* big-endian */
    BROKEN(head.type, 2);
    BROKEN(head.machine, 62);
    BROKEN(head.phentsize, 55);
    BROKEN(head.phnum, 0);
    BROKEN(head.phnum, 17);
    BROKEN(head.phoff, ~0ul);
    BROKEN(head.phoff, IMAGE_BYTES - 10);
    BROKEN(head.shoff, ~0ul - 63);
    BROKEN(head.shoff, IMAGE_BYTES);
    BROKEN(head.shnum, 0);
    BROKEN(head.shnum, 2);
    BROKEN(head.shentsize, 40);
    BROKEN(head.shstrndx, 3);
    BROKEN(head.shstrndx, 0xffff);
    BROKEN(head.entry, NX_FREE - NX_IMAGE);
    BROKEN(head.entry, ~0ul);
    BROKEN(section[1].offset, ~0ul);
    BROKEN(section[1].offset, IMAGE_BYTES - 5);
    BROKEN(section[2].name, ~0u);
    BROKEN(section[2].size, sizeof(struct nx_manifest) - 1);
    BROKEN(section[2].offset, IMAGE_BYTES - 100);
    BROKEN(section[2].offset, ~0ul);
    BROKEN(names[12], 'X');
    BROKEN(program[3].vaddr, ~0ul - PAGE + 0x801);
    BROKEN(program[3].vaddr, NX_FREE - NX_IMAGE - PAGE + 0x800);
    BROKEN(program[3].vaddr, DATA_OFF + 1); /* not the file's place in its page */
    BROKEN(program[3].memsz, DATA_FILE - 1);
    BROKEN(program[3].memsz, ~0ul);
    BROKEN(program[3].memsz, NX_FREE - NX_IMAGE);
    BROKEN(program[3].filesz, IMAGE_BYTES);
    BROKEN(program[3].offset, ~0ul - PAGE + 0x801);
    BROKEN(program[3].flags, PF_R | PF_W | PF_X); /* writable code */
    BROKEN(program[2].memsz, 3 * PAGE);           /* read-only zeroes */
    BROKEN(program[2].filesz, 0);
    BROKEN(manifest.magic, 0); /* the rest of it: tests/unit/lib/manifest.c */
    BROKEN(manifest.placement, NX_PLACEMENTS);
    BROKEN(manifest.want[3].slot, 1);
    BROKEN(manifest.zero[23], 1);
#undef BROKEN
    *image() = good;
    assert_int_equal(load(), 0);
}

static void an_image_without_memory_fails_cleanly(void **state)
{
    long e = -NX_ENOMEM;
    unsigned tries = 0;
    for (; e == -NX_ENOMEM; tries++) {
        struct counts before = counts_now();
        image()->manifest.quota_pages = tries + 1;
        e = load();
        if (e != 0) {
            assert_counts(&before);
        }
        assert_true(tries < 30);
    }
    assert_int_equal(e, 0);
    assert_true(tries > 4);
}

static void a_writable_image_may_change_while_it_is_used(void **state)
{
    /* The loader writes to its own memory: the child does not see it. */
    assert_int_equal(load(), 0);
    uint8_t *text = (uint8_t *)arch_phys(mem_page(mem, 2 + TEXT_OFF / PAGE));
    uint8_t *data = (uint8_t *)arch_phys(mem_page(mem, 2 + 4));
    text[5] = 0xee;
    data[5] = 0xee;
    assert_int_equal(nx_spawn_start(5, 0), 0);
    interrupts(1);
    hart(1);
    assert_int_equal(*(uint8_t *)host_access(NX_IMAGE + TEXT_OFF + 5, NX_PROT_R),
                     file_byte(TEXT_OFF + 5));
    assert_int_equal(*(uint8_t *)host_access(NX_IMAGE + 4 * PAGE + 5, NX_PROT_R),
                     file_byte(4 * PAGE + 5));
    hart(0);
    assert_int_equal(nx_exit_kill(5, 0), 0);
    interrupts(1);
}

/* Any bytes may come: the answer is an error or a cell that can be started and ended. */
static void mutated_images_do_no_harm(void **state)
{
    struct rng r = rng_seed(11);
    unsigned good = 0;
    static uint8_t original[IMAGE_BYTES];
    memcpy(original, bytes, IMAGE_BYTES);
    const uint64_t special[] = {
        0,        1,        0xff,      0x7fffffff,         ~0ul,        PAGE,
        PAGE - 1, NX_IMAGE, 1ul << 63, NX_FREE - NX_IMAGE, IMAGE_BYTES, IMAGE_BYTES - 1,
        0x3800};
    for (unsigned n = 0; n < 6000; n++) {
        memcpy(bytes, original, sizeof(struct test_image));
        for (uint64_t k = 1 + rng_below(&r, 4); k > 0; k--) {
            uint64_t off = rng_below(&r, rng_below(&r, 4) != 0 ? MANIFEST_OFF + 80
                                                               : sizeof(struct test_image));
            uint64_t v =
                rng_below(&r, 3) == 0 ? rng_next(&r) : special[rng_below(&r, sizeof(special) / 8)];
            memcpy(bytes + off, &v, 1ul << rng_below(&r, 4));
        }
        struct counts before = counts_now();
        long e = load();
        if (e == 0) {
            good++;
            long s = nx_spawn_start(5, 0);
            assert_true(s == 0 || s == -NX_ENOMEM || s == -NX_EINVAL);
            if (n % 100 == 0) {
                audit();
            }
            assert_int_equal(nx_exit_kill(5, 0), 0);
            assert_int_equal(nx_grant_drop(5), 0);
            interrupts(1);
            hart(0);
        } else {
            assert_true(e == -NX_EIMAGE || e == -NX_ENOMEM ||
                        e == -NX_EPERM); /* of a higher tier */
            assert_null(loader->caps[5].obj);
        }
        struct counts now = counts_now();
        assert_memory_equal(&now, &before, sizeof(now));
    }
    assert_true(good > 100);
    memcpy(bytes, original, IMAGE_BYTES);
}

/* The most work a valid head can ask for: every section header read twice, every segment as large as
 * the image. */
static void the_work_is_bounded(void **state)
{
    image()->head.shnum = 0xffff;
    image()->head.shoff = 0;
    refused(-NX_EIMAGE);
    image()->head.phnum = 16;
    image()->head.phoff = PAGE;
    image()->head.shoff = __builtin_offsetof(struct test_image, section);
    image()->head.shnum = 3;
    for (unsigned i = 0; i < 16; i++) {
        struct elf_program p = {
            .type = 1, .flags = PF_R | PF_W, .filesz = IMAGE_BYTES, .memsz = IMAGE_BYTES};
        memcpy(bytes + PAGE + i * sizeof(p), &p, sizeof(p));
    }
    assert_int_equal(load(), 0); /* sixteen times over the same pages */
}

int main(void)
{
    test_boot(2, 8 * MIB);
    (void)run(0);
    (void)run(1);
    hart(0);
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(a_good_image_is_loaded),
        IMAGE_TEST(one_image_serves_many_cells),
        IMAGE_TEST(the_capability_and_the_slot_are_checked),
        IMAGE_TEST(fused_cells_are_made_with_the_machine),
        IMAGE_TEST(fixed_pages_are_lent_and_put_right),
        IMAGE_TEST(fixed_pages_must_be_the_makers),
        IMAGE_TEST(nobody_makes_more_than_himself),
        IMAGE_TEST(broken_headers_are_refused),
        IMAGE_TEST(an_image_without_memory_fails_cleanly),
        IMAGE_TEST(a_writable_image_may_change_while_it_is_used),
        IMAGE_TEST(mutated_images_do_no_harm),
        IMAGE_TEST(the_work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
