/* Boot: from a device tree and a bundle to the supervisor's first instruction, or to a message that
 * says why not.  Each boot runs in a process of its own.
 */
// test-sources: nucleus/core/*.c nucleus/arch/host/*.c lib/*.c
#include "audit.h"
#include "image_test.h"

#include <libfdt.h>
#include <nx/bundle.h>
#include <nx_crc32.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (17 * MIB)
#define IMAGE_END (HOST_MEMORY_BASE + MIB)
#define FDT_AT (HOST_MEMORY_BASE + 10 * MIB)
#define BUNDLE_AT (HOST_MEMORY_BASE + 12 * MIB)
#define BUNDLE_SIZE (64 + 64 + PAGE - 128 + IMAGE_BYTES)

/* What a test changes of a good machine. */
struct plan {
    unsigned harts;
    uint32_t boot_hart;
    uint64_t memory, timebase, image_base, image_end, fdt_at;
    struct memory_range reserved
        [2]; /* memory that is somebody else's; the first in a node, the other in the head */
    uint64_t initrd_base, initrd_end;
    const char *isa, *bootargs, *plic, *cell;
    uint64_t start_fails;
    void (*spoil)(uint8_t *fdt, uint8_t *bundle, const struct plan *p);
    uint64_t arg;
    void (*then)(void); /* after a boot that succeeds, in its process */
};

struct outcome {
    enum host_exit exit;
    char console[HOST_CONSOLE];
    bool finished;
};

static struct outcome *outcome; /* shared with the child */

static struct plan good(void)
{
    return (struct plan){
        .harts = 1,
        .memory = BYTES,
        .timebase = TIMEBASE,
        .image_base = HOST_MEMORY_BASE,
        .image_end = IMAGE_END,
        .fdt_at = FDT_AT,
        .initrd_base = BUNDLE_AT,
        .initrd_end = BUNDLE_AT + BUNDLE_SIZE,
        .isa = "rv64imafdc_zicsr_sstc_zihpm",
        .bootargs = "quiet nexus.test=1",
        .plic = "riscv,plic0",
        .cell = "supervisor",
    };
}

static void reg(void *fdt, uint64_t base, uint64_t size)
{
    fdt64_t v[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
    (void)fdt_property(fdt, "reg", v, sizeof(v));
}

static void tree(void *fdt, const struct plan *p)
{
    char name[32];
    fdt32_t ext[HARTS_MAX * 4];
    (void)fdt_create(fdt, 64 * 1024);
    if (p->reserved[1].end != 0) {
        (void)fdt_add_reservemap_entry(fdt, p->reserved[1].base,
                                       p->reserved[1].end - p->reserved[1].base);
    }
    (void)fdt_finish_reservemap(fdt);
    (void)fdt_begin_node(fdt, "");
    (void)fdt_property_u32(fdt, "#address-cells", 2);
    (void)fdt_property_u32(fdt, "#size-cells", 2);
    (void)fdt_begin_node(fdt, "chosen");
    if (p->initrd_base != 0) {
        (void)fdt_property_u64(fdt, "linux,initrd-start", p->initrd_base);
        (void)fdt_property_u64(fdt, "linux,initrd-end", p->initrd_end);
    }
    (void)fdt_property_string(fdt, "bootargs", p->bootargs);
    (void)fdt_end_node(fdt);
    if (p->memory != 0) {
        (void)fdt_begin_node(fdt, "memory@80000000");
        (void)fdt_property_string(fdt, "device_type", "memory");
        reg(fdt, HOST_MEMORY_BASE, p->memory);
        (void)fdt_end_node(fdt);
    }
    if (p->reserved[0].end != 0) {
        (void)fdt_begin_node(fdt, "reserved-memory");
        (void)fdt_property_u32(fdt, "#address-cells", 2);
        (void)fdt_property_u32(fdt, "#size-cells", 2);
        (void)fdt_begin_node(fdt, "mmode_resv0");
        reg(fdt, p->reserved[0].base, p->reserved[0].end - p->reserved[0].base);
        (void)fdt_end_node(fdt);
        (void)fdt_end_node(fdt);
    }
    (void)fdt_begin_node(fdt, "cpus");
    (void)fdt_property_u32(fdt, "#address-cells", 1);
    (void)fdt_property_u32(fdt, "#size-cells", 0);
    if (p->timebase != 0) {
        (void)fdt_property_u32(fdt, "timebase-frequency", (uint32_t)p->timebase);
    }
    for (unsigned i = 0; i < p->harts; i++) {
        (void)snprintf(name, sizeof(name), "cpu@%u", i);
        (void)fdt_begin_node(fdt, name);
        (void)fdt_property_string(fdt, "device_type", "cpu");
        (void)fdt_property_u32(fdt, "reg", i);
        (void)fdt_property_string(fdt, "riscv,isa", p->isa);
        (void)fdt_begin_node(fdt, "interrupt-controller");
        (void)fdt_property_u32(fdt, "phandle", 10 + i);
        (void)fdt_end_node(fdt);
        (void)fdt_end_node(fdt);
        ext[4 * i + 0] = cpu_to_fdt32(10 + i);
        ext[4 * i + 1] = cpu_to_fdt32(11); /* machine mode */
        ext[4 * i + 2] = cpu_to_fdt32(10 + i);
        ext[4 * i + 3] = cpu_to_fdt32(9); /* supervisor mode */
    }
    (void)fdt_end_node(fdt);
    (void)fdt_begin_node(fdt, "soc");
    (void)fdt_property_u32(fdt, "#address-cells", 2);
    (void)fdt_property_u32(fdt, "#size-cells", 2);
    (void)fdt_begin_node(fdt, "plic@c000000");
    (void)fdt_property_string(fdt, "compatible", p->plic);
    reg(fdt, 0xc000000, 0x600000);
    (void)fdt_property_u32(fdt, "riscv,ndev", 96);
    (void)fdt_property(fdt, "interrupts-extended", ext, (int)(p->harts * 16));
    (void)fdt_end_node(fdt);
    (void)fdt_end_node(fdt);
    (void)fdt_end_node(fdt);
    (void)fdt_finish(fdt);
}

static struct nx_bundle_head *bundle_head(uint8_t *bundle)
{
    return (struct nx_bundle_head *)bundle;
}

static void seal(uint8_t *bundle)
{
    bundle_head(bundle)->crc = 0;
    bundle_head(bundle)->crc = nx_crc32(0, bundle, BUNDLE_SIZE);
}

static void bundle(uint8_t *at, const struct plan *p)
{
    struct nx_manifest m = test_manifest("supervisor");
    struct nx_bundle_entry *e = (struct nx_bundle_entry *)(at + 64);
    m.quota_pages = 0;
    memset(at, 0, PAGE);
    *bundle_head(at) = (struct nx_bundle_head){
        .magic = NX_BUNDLE_MAGIC, .version = 1, .count = 1, .size = BUNDLE_SIZE};
    strncpy(e->name, p->cell, sizeof(e->name) - 1);
    e->kind = NX_BUNDLE_CELL;
    e->offset = PAGE;
    e->size = IMAGE_BYTES;
    image_build(at + PAGE, &m);
    e->crc = nx_crc32(0, at + PAGE, IMAGE_BYTES);
    seal(at);
}

static void body(void *arg)
{
    const struct plan *p = arg;
    boot_main(p->boot_hart, p->fdt_at, p->image_base, p->image_end, p->image_base + PAGE);
}

static void child(const struct plan *p)
{
    host_reset(BYTES);
    host.start_fails = p->start_fails;
    pte_t *root = arch_phys(p->image_base + PAGE);
    memset(root, 0, PAGE);
    root[320] = root[510] = pte_nucleus(0, RW);
    uint8_t *fdt = arch_phys(p->fdt_at);
    tree(fdt, p);
    bundle(arch_phys(BUNDLE_AT), p);
    if (p->spoil != NULL) {
        p->spoil(fdt, arch_phys(BUNDLE_AT), p);
    }
    outcome->exit = host_try(body, (void *)(uintptr_t)p);
    memcpy(outcome->console, host.console, sizeof(host.console));
    if (p->then != NULL) {
        p->then();
    }
    outcome->finished = true;
}

/* The status of a boot in a process of its own. */
static int boot(const struct plan *p)
{
    memset(outcome, 0, sizeof(*outcome));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        child(p);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void stops_with(const struct plan *p, const char *message)
{
    assert_int_equal(boot(p), 0);
    assert_int_equal(outcome->exit, HOST_HALTED);
    if (strstr(outcome->console, message) == NULL) {
        fail_msg("the console says:%s", outcome->console);
    }
    assert_non_null(strstr(outcome->console, "nexus: cannot start: "));
}

/* In a child, a failed check ends it with a status that is not 0. */
#define CHECK(what)                                                  \
    do {                                                             \
        if (!(what)) {                                               \
            (void)fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
            _exit(1);                                                \
        }                                                            \
    } while (0)

static void the_supervisor_runs(void)
{
    const struct hart *h = &harts[0];
    CHECK(outcome->exit == HOST_RESUMED);
    CHECK(h->fiber != NULL && strcmp(h->fiber->cell->name, "supervisor") == 0);
    CHECK(h->fiber->reg[0] == NX_IMAGE + 0x1234);
    CHECK(machine.timebase == TIMEBASE && machine.plic_irqs == 96);
    CHECK(strcmp(machine.bootargs, "quiet nexus.test=1") == 0);
    /* The bundle and the tree are where its slots say, and cannot be written. */
    CHECK(nx_meta_size(BOOT_SLOT_BUNDLE) == (long)ALIGN_UP(BUNDLE_SIZE, PAGE));
    CHECK(nx_map_mem(0, NX_FREE, BUNDLE_SIZE & ~(PAGE - 1), BOOT_SLOT_BUNDLE | RW << 8, 0) ==
          -NX_EPERM);
    CHECK(nx_map_mem(0, NX_FREE, PAGE, BOOT_SLOT_BUNDLE | NX_PROT_R << 8, 0) == 0);
    const struct nx_bundle_head *head = host_access(NX_FREE, NX_PROT_R);
    CHECK(head != NULL && head->magic == NX_BUNDLE_MAGIC);
    CHECK(nx_map_protect(0, NX_FREE, PAGE, RW) == -NX_EPERM);
    CHECK(nx_map_mem(0, NX_FREE, PAGE, BOOT_SLOT_FDT | NX_PROT_R << 8, 0) == 0);
    const struct nx_cellinfo *info = host_access(NX_CELLINFO, NX_PROT_R);
    CHECK(fdt_check_header((const char *)host_access(NX_FREE, NX_PROT_R) + info->arg) == 0);
    CHECK(nx_make_devmem(9, BOOT_SLOT_MACHINE, 0x10000000, PAGE) == 0);
    /* Its pages can be mapped from there, and a private mapping be written: to a copy. */
    CHECK(nx_map_mem(0, NX_FREE + PAGE, PAGE, BOOT_SLOT_BUNDLE | NX_PROT_R << 8, 0) == 0);
    uint64_t there = NX_FREE + PAGE, copied = NX_FREE + 2 * PAGE;
    CHECK(nx_map_share(0, copied, PAGE, RW, there) == 0);
    CHECK(nx_map_share(0, copied, PAGE, NX_PROT_R, there) == 1);
    CHECK(nx_map_protect(0, copied, PAGE, RW) == -NX_EPERM);
    CHECK(nx_map_share(0, copied, PAGE, RW | NX_MAP_PRIVATE, there) == 1);
    CHECK(page_refs(BUNDLE_AT) == 3);
    CHECK(nx_map_fault(0, copied, 1) == 0);
    CHECK(page_refs(BUNDLE_AT) == 2);
    *(char *)host_access(copied, RW) ^= 1;
    head = host_access(there, NX_PROT_R);
    CHECK(head->magic == NX_BUNDLE_MAGIC);
    CHECK(((struct nx_bundle_head *)host_access(copied, NX_PROT_R))->magic != NX_BUNDLE_MAGIC);
    CHECK(nx_map_unmap(0, there, 2 * PAGE) == 0);
    /* Another cell from the same bundle. */
    CHECK(nx_spawn_cell(BOOT_SLOT_BUNDLE, PAGE, IMAGE_BYTES, 10, 1) == 0);
    CHECK(nx_grant_drop(10) == 0);
    CHECK(nx_spawn_cell(BOOT_SLOT_FDT, 0, PAGE, 10, 1) == -NX_EPERM);
    /* No memory is lost, and none is given out twice. */
    uint64_t given = page_total() * PAGE, kept = MIB + ALIGN_UP(BUNDLE_SIZE, PAGE) + 64 * 1024;
    CHECK(given < BYTES && given > BYTES - kept - 256 * PAGE);
    for (uint64_t pa = HOST_MEMORY_BASE; pa < HOST_MEMORY_BASE + BYTES; pa += PAGE) {
        bool ours =
            pa < IMAGE_END || (pa >= machine.fdt_base && pa < machine.fdt_base + machine.fdt_size);
        CHECK(!ours || !page_known(pa));
        CHECK(pa < BUNDLE_AT || pa >= BUNDLE_AT + BUNDLE_SIZE || page_refs(pa) == 1);
    }
}

static void a_good_machine_boots(void **state)
{
    struct plan p = good();
    p.then = the_supervisor_runs;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
    assert_non_null(strstr(outcome->console, "nexus: 1 hart, 17 MiB\n"));
    assert_non_null(strstr(outcome->console, "nexus: console handed over\n"));
    p.fdt_at = FDT_AT + 0x7f8; /* anywhere, to 8 bytes */
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

/* Is the first page of [base, end) the allocator's, and no other of it something else? */
static bool given(uint64_t base, uint64_t end)
{
    for (uint64_t pa = base; pa < end; pa += PAGE) {
        CHECK(page_known(pa) == page_known(base));
    }
    return page_known(base);
}

static void firmware_keeps_its_own(void)
{
    CHECK(!given(HOST_MEMORY_BASE, HOST_MEMORY_BASE + 512 * 1024));
    CHECK(given(HOST_MEMORY_BASE + 512 * 1024, HOST_MEMORY_BASE + 2 * MIB));
    CHECK(!given(HOST_MEMORY_BASE + 2 * MIB, HOST_MEMORY_BASE + 3 * MIB));
    CHECK(!given(HOST_MEMORY_BASE + 8 * MIB, HOST_MEMORY_BASE + 8 * MIB + 2 * PAGE));
    CHECK(given(HOST_MEMORY_BASE + 8 * MIB + 2 * PAGE, HOST_MEMORY_BASE + 9 * MIB));
}

static void firmware_keeps_all(void)
{
    CHECK(!given(HOST_MEMORY_BASE, HOST_MEMORY_BASE + 3 * MIB));
}

static void what_is_reserved_is_not_given(void **state)
{
    struct plan p = good();
    p.image_base = HOST_MEMORY_BASE + 2 * MIB;
    p.image_end = p.image_base + MIB;
    p.reserved[0] = (struct memory_range){HOST_MEMORY_BASE, HOST_MEMORY_BASE + 512 * 1024};
    p.reserved[1] = (struct memory_range){HOST_MEMORY_BASE + 8 * MIB + 1,
                                          HOST_MEMORY_BASE + 8 * MIB + PAGE + 1};
    p.then = firmware_keeps_its_own;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
    /* It does not say where it ends: it has all below the image. */
    p.then = firmware_keeps_all;
    p.reserved[0] = (struct memory_range){0};
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
    p.reserved[0] = (struct memory_range){HOST_MEMORY_BASE + MIB, HOST_MEMORY_BASE + 2 * MIB};
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
    /* More than there is: then there is no memory for us. */
    p.then = NULL;
    p.reserved[0] = (struct memory_range){HOST_MEMORY_BASE, ~0ul - 5};
    stops_with(&p, "");
}

static void four_harts(void)
{
    static const uint32_t order[] = {2, 0, 1, 3}; /* the one that boots is number 0 */
    CHECK(hart_count == 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(harts[i].index == i && harts[i].hwid == order[i]);
        CHECK(harts[i].irq_context == order[i] * 2 + 1);
        CHECK(i == 0 || host.hart[i].started == (i != 2));
    }
    CHECK(harts[0].fiber != NULL);
    host.current = 1;
    (void)host_enter();
    CHECK(harts[1].online && harts[1].fiber == NULL);
}

static void all_harts_are_started(void **state)
{
    struct plan p = good();
    p.harts = 4;
    p.boot_hart = 2;
    p.start_fails = 1 << 2;
    p.then = four_harts;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
    assert_non_null(strstr(outcome->console, "nexus: 4 harts"));
    assert_non_null(strstr(outcome->console, "nexus: hart 1 does not start\n"));
}

static void more_harts_than_we_use(void **state)
{
    struct plan p = good();
    p.harts = HARTS_MAX;
    p.boot_hart = HARTS_MAX - 1;
    assert_int_equal(boot(&p), 0);
    assert_int_equal(outcome->exit, HOST_RESUMED);
}

/* Three lives follow its first; one more end within a minute is too many. */
static void the_supervisor_ends(void)
{
    const struct hart *h = &harts[0];
    for (uint32_t life = 1; life <= 3; life++) {
        host.time += 10 * TIMEBASE;
        uint64_t pages = counts_now().pages;
        CHECK(nx_make_irq(12, BOOT_SLOT_MACHINE, 10) == 0);
        (void)nx_exit_cell(3);
        CHECK(host.exit == HOST_RESUMED && h->fiber != NULL);
        CHECK(h->fiber->cell == supervisor && supervisor->generation == life + 1);
        CHECK(h->fiber->reg[0] == NX_IMAGE + 0x1234 && cell_count == 1);
        CHECK(counts_now().pages == pages);
        CHECK(nx_meta_size(BOOT_SLOT_BUNDLE) == (long)ALIGN_UP(BUNDLE_SIZE, PAGE));
    }
    CHECK(strstr(host.console, "nexus: soft restart 3: the supervisor ended") != NULL);
    log_print("the last line before the end");
    (void)nx_exit_cell(3);
    CHECK(host.exit == HOST_HALTED);
    CHECK(host.reset == (strstr(machine.bootargs, "nexus.panic=reset") != NULL));
    CHECK(strstr(host.console, "the last line before the end") != NULL);
    CHECK(strstr(host.console, "nexus: cannot go on: the supervisor ended") != NULL);
}

static void without_the_supervisor_nothing_goes_on(void **state)
{
    struct plan p = good();
    p.then = the_supervisor_ends;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

static void the_log_goes_to_the_console_on_request(void **state)
{
    struct plan p = good();
    p.bootargs = "nexus.log=console";
    p.then = the_supervisor_ends;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

static void or_the_machine_is_reset(void **state)
{
    struct plan p = good();
    p.bootargs = "nexus.panic=reset";
    p.then = the_supervisor_ends;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

static void a_minute_later_it_is_another_matter(void)
{
    for (uint32_t life = 1; life < 12; life++) {
        host.time += 21 * TIMEBASE;
        (void)nx_exit_cell(3);
        CHECK(host.exit == HOST_RESUMED && supervisor->generation == life + 1);
    }
}

/* A device may still write to it: nobody gets it before the restart after this one. */
static void what_a_device_knows_is_kept(void)
{
    struct counts before = counts_now();
    CHECK(nx_make_mem(12, 8, NX_MEM_CONTIG) == 0 && nx_make_mem(13, 8, NX_MEM_CONTIG) == 0);
    long told = nx_meta_phys(12, 0);
    uint64_t untold = ((struct mem *)supervisor->caps[13].obj)->base;
    CHECK(told > 0 && page_refs((uint64_t)told) == 1 && page_refs(untold) == 1);
    (void)nx_exit_cell(3);
    CHECK(supervisor->generation == 2);
    CHECK(page_refs((uint64_t)told) == 1 && page_refs(untold) == 0);
    CHECK(counts_now().mems == before.mems + 1);
    (void)nx_exit_cell(3);
    CHECK(supervisor->generation == 3);
    CHECK(page_refs((uint64_t)told) == 0);
    CHECK(counts_now().mems == before.mems && counts_now().quotas == before.quotas);
    audit_sched();
}

static void memory_of_devices_outlives_a_restart(void **state)
{
    struct plan p = good();
    p.then = what_a_device_knows_is_kept;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

static void restarts_now_and_then_are_without_end(void **state)
{
    struct plan p = good();
    p.then = a_minute_later_it_is_another_matter;
    assert_int_equal(boot(&p), 0);
    assert_true(outcome->finished);
}

static void a_damaged_machine_is_refused_with_a_reason(void **state)
{
    struct plan p;
#define STOPS(change, message)   \
    do {                         \
        p = good();              \
        change;                  \
        stops_with(&p, message); \
    } while (0)
    STOPS(p.memory = 0, "names no memory");
    STOPS(p.memory = 15 * MIB; p.fdt_at = HOST_MEMORY_BASE + 8 * MIB;
          p.initrd_base = HOST_MEMORY_BASE + 4 * MIB;
          p.initrd_end = p.initrd_base + BUNDLE_SIZE, "too little");
    STOPS(p.timebase = 0, "timebase-frequency");
    STOPS(p.isa = "rv64imafdc_zicsr", "Sstc");
    STOPS(p.isa = "rv64imafdc_sstcx", "Sstc");
    STOPS(p.boot_hart = 5, "does not know hart 5");
    STOPS(p.harts = 0, "does not know hart 0");
    STOPS(p.initrd_base = 0, "no boot bundle");
    STOPS(p.initrd_base = BUNDLE_AT + 8, "no boot bundle");
    STOPS(p.initrd_end = BUNDLE_AT, "no boot bundle");
    STOPS(p.initrd_end = HOST_MEMORY_BASE + BYTES + 1, "no boot bundle");
    STOPS(p.initrd_base = HOST_MEMORY_BASE - PAGE, "no boot bundle");
    STOPS(p.initrd_end = BUNDLE_AT + 20, "damaged");
    STOPS(p.initrd_end = BUNDLE_AT + BUNDLE_SIZE - 1, "damaged");
    STOPS(p.plic = "riscv,plic1", "PLIC");
    STOPS(p.cell = "supervisors", "no cell 'supervisor'");
    STOPS(p.image_end = BUNDLE_AT - PAGE, "too little for the boot bundle");
    STOPS(p.image_end = FDT_AT - PAGE, "too little for the boot bundle");
    STOPS(p.image_end = HOST_MEMORY_BASE + BYTES - PAGE, "too little for the boot bundle");
    STOPS(p.fdt_at = FDT_AT + 4, "device tree is damaged");
#undef STOPS
}

static void spoil_byte(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    bundle[p->arg] ^= 0x20;
}

static void spoil_image(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    bundle[PAGE + p->arg] ^= 0x20;
    seal(bundle);
}

static void spoil_head(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    bundle_head(bundle)->count = (uint32_t)p->arg;
    seal(bundle);
}

static void spoil_entry(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    ((struct nx_bundle_entry *)(bundle + 64))->offset = p->arg;
    seal(bundle);
}

static void spoil_tree(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    fdt[p->arg] ^= 0x20;
}

static void spoil_structure(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    fdt[fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt) - 9] ^= 0x20; /* near its end */
}

static void a_damaged_bundle_is_refused(void **state)
{
    static const uint64_t bytes[] = {0, 8, 64, 70, PAGE, PAGE + 5000, BUNDLE_SIZE - 1};
    struct plan p = good();
    p.spoil = spoil_byte;
    for (unsigned i = 0; i < ARRAY_LEN(bytes); i++) {
        p.arg = bytes[i];
        stops_with(&p, "the boot bundle is damaged");
    }
    p.spoil = spoil_head;
    p.arg = 0x7fffffff;
    stops_with(&p, "the boot bundle is damaged");
    p.arg = 0;
    stops_with(&p, "no cell 'supervisor'");
    p.spoil = spoil_image;
    p.arg = 0; /* its magic number */
    stops_with(&p, "manifest is malformed");
    p.arg = MANIFEST_OFF;
    stops_with(&p, "manifest is malformed");
    p.arg = __builtin_offsetof(struct test_image, program[2].offset) + 7;
    stops_with(&p, "image is malformed");
    p.spoil = spoil_entry;
    p.arg = BUNDLE_SIZE;
    stops_with(&p, "no cell 'supervisor'");
    p.arg = ~0ul;
    stops_with(&p, "no cell 'supervisor'");
    p.arg = 8;
    stops_with(&p, "malformed");
    p.spoil = spoil_tree;
    p.arg = 0;
    stops_with(&p, "device tree is damaged");
    p.arg = 5; /* its size */
    stops_with(&p, "device tree is damaged");
    p.spoil = spoil_structure;
    stops_with(&p, "device tree is damaged");
}

static void spoil_randomly(uint8_t *fdt, uint8_t *bundle, const struct plan *p)
{
    struct rng r = {p->arg * 2 + 1};
    uint32_t size = fdt_totalsize(fdt);
    for (uint64_t n = 1 + rng_below(&r, 6); n > 0; n--) {
        fdt[rng_below(&r, size)] = (uint8_t)rng_next(&r);
    }
}

/* Any tree leads to a boot or to a message, and to no access outside of memory but to memory that a
 * false tree promises. */
static void mutated_trees_do_no_harm(void **state)
{
    struct rng r = rng_seed(14);
    unsigned booted = 0, stopped = 0, beyond = 0;
    for (unsigned n = 0; n < 60; n++) {
        struct plan p = good();
        p.spoil = spoil_randomly;
        p.arg = rng_next(&r) >> 8;
        int status = boot(&p);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
            beyond++; /* host_bug */
            continue;
        }
        assert_int_equal(status, 0);
        booted += outcome->exit == HOST_RESUMED;
        stopped += outcome->exit == HOST_HALTED;
    }
    assert_int_equal(booted + stopped + beyond, 60);
    assert_true(booted > 0 && stopped > 0 && beyond < 10);
}

static void a_panic(void)
{
    nucleus_lock_word = 1;
    panic("a bug, number %d", 7);
}

static void panic_body(void *arg)
{
    a_panic();
}

static void a_panic_says_where(void **state)
{
    test_boot(1, MIB);
    assert_int_equal(host_try(panic_body, NULL), HOST_HALTED);
    assert_string_equal(host.console, "\nnexus: panic on hart 0: a bug, number 7\n");
}

int main(void)
{
    outcome =
        mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_machine_boots),
        cmocka_unit_test(what_is_reserved_is_not_given),
        cmocka_unit_test(all_harts_are_started),
        cmocka_unit_test(more_harts_than_we_use),
        cmocka_unit_test(without_the_supervisor_nothing_goes_on),
        cmocka_unit_test(or_the_machine_is_reset),
        cmocka_unit_test(restarts_now_and_then_are_without_end),
        cmocka_unit_test(memory_of_devices_outlives_a_restart),
        cmocka_unit_test(the_log_goes_to_the_console_on_request),
        cmocka_unit_test(a_damaged_machine_is_refused_with_a_reason),
        cmocka_unit_test(a_damaged_bundle_is_refused),
        cmocka_unit_test(mutated_trees_do_no_harm),
        cmocka_unit_test(a_panic_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
