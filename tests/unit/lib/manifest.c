/*
 * manifest.c - the check of manifests: what is right passes, every field that is wrong is named, and
 * whatever the bytes are, what passes keeps the promises others build on.
 *
 * test-sources: lib/manifest.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nx/layout.h>
#include <nx/types.h>
#include <nx_manifest.h>

static struct nx_manifest m;

/* A driver with all kinds of wants. */
static int setup(void **state)
{
    m = (struct nx_manifest){
        .magic = NX_MANIFEST_MAGIC,
        .name = "disk-1.x_y+z",
        .tier = NX_TIER_PHOTON,
        .placement = NX_PLACE_ISOLATED,
        .restart = NX_RESTART_ALWAYS,
        .backoff_ms = 100,
        .pledge = NX_PLEDGE_MAP | NX_PLEDGE_IPC,
        .window_gb = 1,
        .quota_pages = 256,
        .quota_fibers = 1,
        .heartbeat_ms = 500,
        .energy = 1000000,
        .flags = NX_MANIFEST_PER_DEVICE,
        .want_count = 6,
        .want = {{.kind = NX_WANT_DEVMEM, .slot = 0, .rights = 3, .device_id = 2},
                 {.kind = NX_WANT_IRQ, .slot = 1, .rights = 17, .device_id = 2},
                 {.kind = NX_WANT_SERVE,
                  .slot = 2,
                  .rights = 27,
                  .ring_slots = 64,
                  .pool_pages = 512,
                  .clients = 2},
                 {.kind = NX_WANT_USE, .slot = 61, .flags = NX_WANT_OPTIONAL},
                 {.kind = NX_WANT_ARCHIVE, .slot = 8},
                 {.kind = NX_WANT_DMA, .slot = 60, .pool_pages = 4}}};
    strcpy(m.want[0].what, "virtio,mmio");
    strcpy(m.want[1].what, "virtio,mmio");
    strcpy(m.want[2].what, "block");
    strcpy(m.want[3].what, "log");
    return 0;
}

#define GOOD(change)                        \
    do {                                    \
        setup(NULL);                        \
        change;                             \
        assert_null(nx_manifest_check(&m)); \
    } while (0)
#define BAD(why, change)                           \
    do {                                           \
        setup(NULL);                               \
        change;                                    \
        const char *said_ = nx_manifest_check(&m); \
        assert_non_null(said_);                    \
        assert_string_equal(said_, why);           \
    } while (0)
#define FILL(text) memset(text, 'a', sizeof(text))

static void good_ones_pass(void **state)
{
    GOOD((void)0);
    GOOD(m.tier = NX_TIER_VOID);
    GOOD(m.placement = NX_PLACE_FUSED); /* whether it is to be had, others say */
    GOOD((m.restart = NX_RESTART_NEVER, m.backoff_ms = 0));
    GOOD(m.backoff_ms = NX_MANIFEST_BACKOFF_MS_MAX);
    GOOD(m.pledge = NX_PLEDGE_ALL);
    GOOD(m.window_gb = NX_WINDOW_GB_MAX);
    GOOD(m.quota_pages = 0);
    GOOD(m.quota_pages = NX_MANIFEST_QUOTA_PAGES_MAX);
    GOOD(m.quota_fibers = NX_MANIFEST_FIBERS_MAX);
    GOOD(m.quota_spaces = NX_MANIFEST_SPACES_MAX);
    GOOD(m.quota_objects = NX_MANIFEST_OBJECTS_MAX);
    GOOD(m.heartbeat_ms = NX_MANIFEST_HEARTBEAT_MS_MAX);
    GOOD(m.energy = ~0ul);
    GOOD((m.flags = 0, FILL(m.name), m.name[31] = 0));
    GOOD((m.flags = 0, FILL(m.want[2].what), m.want[2].what[31] = 0));
    GOOD(m.want[0].rights = NX_R_ALL);
    GOOD(m.want[2].ring_slots = 2);
    GOOD(m.want[2].ring_slots = 256);
    GOOD(m.want[2].pool_pages = 0);
    GOOD(m.want[2].pool_pages = NX_MANIFEST_POOL_PAGES_MAX);
    GOOD(m.want[5].pool_pages = NX_MANIFEST_POOL_PAGES_MAX);
    GOOD((m.want[2].clients = NX_SERVE_CLIENTS_MAX, m.want[2].slot = 9));
    GOOD((m.want_count = 0, m.flags = 0, memset(m.want, 0, sizeof(m.want))));
    GOOD(m.want[4] = m.want[3]; m.want[4].slot = 57); /* two channels to one server */
    GOOD((m.want_count = NX_MANIFEST_WANTS); for (unsigned i = 6; i < NX_MANIFEST_WANTS; i++) {
        m.want[i] = m.want[4];
        m.want[i].slot = i + 20;
    });
}

static void a_broken_head_is_named(void **state)
{
    BAD("magic", m.magic++);
    BAD("name", m.name[0] = 0);
    BAD("name", FILL(m.name));
    BAD("name", m.name[31] = 'x'); /* behind the end */
    BAD("name", m.name[2] = '/');
    BAD("name", m.name[2] = ' ');
    BAD("name", m.name[2] = '\n');
    BAD("name", m.name[2] = (char)0xc3);
    BAD("name", m.name[0] = '.');
    BAD("name", m.name[0] = '-');
    BAD("name is too long for several cells", memset(m.name, 'a', 28));
    BAD("tier", m.tier = NX_TIERS);
    BAD("placement", m.placement = NX_PLACEMENTS);
    BAD("restart", m.restart = NX_RESTARTS);
    BAD("backoff", m.backoff_ms = NX_MANIFEST_BACKOFF_MS_MAX + 1);
    BAD("backoff", m.restart = NX_RESTART_NEVER);
    BAD("pledge", m.pledge = NX_PLEDGE_ALL + 1);
    BAD("window", m.window_gb = 0);
    BAD("window", m.window_gb = NX_WINDOW_GB_MAX + 1);
    BAD("quota of pages", m.quota_pages = NX_MANIFEST_QUOTA_PAGES_MAX + 1);
    BAD("quota of fibers", m.quota_fibers = 0);
    BAD("quota of fibers", m.quota_fibers = NX_MANIFEST_FIBERS_MAX + 1);
    BAD("quota of spaces", m.quota_spaces = NX_MANIFEST_SPACES_MAX + 1);
    BAD("quota of objects", m.quota_objects = NX_MANIFEST_OBJECTS_MAX + 1);
    BAD("heartbeat", m.heartbeat_ms = NX_MANIFEST_HEARTBEAT_MS_MAX + 1);
    BAD("flags", m.flags |= 2);
    BAD("number of wants", m.want_count = NX_MANIFEST_WANTS + 1);
    BAD("number of wants", m.want_count = ~0u);
    for (unsigned i = 0; i < sizeof(m.zero); i++) {
        BAD("reserved bytes", m.zero[i] = 1);
    }
}

static void a_broken_want_is_named(void **state)
{
    BAD("kind of a want", m.want[3].kind = NX_WANT_NONE);
    BAD("kind of a want", m.want[3].kind = NX_WANT_KINDS);
    BAD("kind of a want", m.want_count++);
    BAD("a want that is not counted", m.want_count--);
    BAD("a want that is not counted", m.want[23].what[31] = 1);
    BAD("rights", m.want[0].rights = NX_R_ALL + 1);
    BAD("flags of a want", m.want[0].flags = 2);
    BAD("what a want names", m.want[0].what[0] = 0);
    BAD("what a want names", memset(m.want[0].what, 0, 32));
    BAD("what a want names", memset(m.want[2].what, 0, 32));
    BAD("what a want names", FILL(m.want[2].what));
    BAD("what a want names", m.want[2].what[30] = 'a');
    BAD("what a want names", m.want[2].what[1] = '/');
    BAD("what a want names", m.want[3].what[1] = '%');
    BAD("what a want names", m.want[4].what[0] = 'a');
    BAD("what a want names", m.want[5].what[0] = 'a');
    BAD("interface is too long for several cells", memset(m.want[2].what, 'a', 28));
    BAD("virtio device id", m.want[0].device_id = 0);
    BAD("virtio device id", m.want[0].device_id = NX_MANIFEST_DEVICE_ID_MAX + 1);
    BAD("virtio device id", strcpy(m.want[1].what, "virtio,mmi"); m.want[1].what[10] = 0);
    BAD("virtio device id", m.want[2].device_id = 2);
    BAD("ring slots", m.want[2].ring_slots = 0);
    BAD("ring slots", m.want[2].ring_slots = 1);
    BAD("ring slots", m.want[2].ring_slots = 48);
    BAD("ring slots", m.want[2].ring_slots = 512);
    BAD("ring slots", m.want[3].ring_slots = 16);
    BAD("clients", m.want[2].clients = 0);
    BAD("clients", m.want[2].clients = NX_SERVE_CLIENTS_MAX + 1);
    BAD("clients", m.want[2].clients = 0x55555556); /* times 3 is 2 again */
    BAD("clients", m.want[3].clients = 1);
    BAD("pool pages", m.want[2].pool_pages = NX_MANIFEST_POOL_PAGES_MAX + 1);
    BAD("pool pages", m.want[3].pool_pages = 1);
    BAD("pool pages", m.want[5].pool_pages = 0);
    BAD("pool pages", m.want[5].pool_pages = NX_MANIFEST_POOL_PAGES_MAX + 1);
    BAD("slot", m.want[0].slot = NX_SLOTS);
    BAD("slot", m.want[0].slot = ~0u);
    BAD("slot", m.want[2].slot = NX_SLOTS - 5);
    BAD("slot", m.want[3].slot = NX_SLOTS - 2);
    BAD("two wants for one slot", m.want[0].slot = 1);
    BAD("two wants for one slot", m.want[2].slot = 1);
    BAD("two wants for one slot", m.want[4].slot = 7); /* the second client's pool */
    BAD("two wants for one slot", m.want[4].slot = 63);
    BAD("it uses what it serves itself", memcpy(m.want[3].what, m.want[2].what, 32));
    BAD("it serves one interface twice", m.want[4] = m.want[2]; m.want[4].slot = 10);
    BAD("one cell for each device, and no device", m.want[0].kind = NX_WANT_IRQ);
    BAD("right to DMA, and no device", m.flags = 0; m.want[0].kind = NX_WANT_IRQ;
        m.want[5].rights |= NX_R_DMA);
}

/* ---- any bytes ---- */

static uint64_t seed = 88172645463325252ul;
static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* What the supervisor and the nucleus take for granted. */
static void promises(const struct nx_manifest *p)
{
    uint8_t owner[NX_SLOTS] = {0};
    assert_true(strnlen(p->name, sizeof(p->name)) < sizeof(p->name) && p->name[0] != 0);
    assert_true(p->tier < NX_TIERS && p->window_gb >= 1 && p->window_gb <= NX_WINDOW_GB_MAX);
    assert_true(p->want_count <= NX_MANIFEST_WANTS);
    for (unsigned i = 0; i < NX_MANIFEST_WANTS; i++) {
        const struct nx_want *w = &p->want[i];
        assert_true((i < p->want_count) == (w->kind != NX_WANT_NONE));
        assert_true(strnlen(w->what, sizeof(w->what)) < sizeof(w->what));
        unsigned n = w->kind == NX_WANT_NONE    ? 0
                     : w->kind == NX_WANT_SERVE ? 3 * w->clients
                     : w->kind == NX_WANT_USE   ? 3
                                                : 1;
        assert_int_equal(n, nx_want_slots(w));
        for (unsigned k = 0; k < n; k++) {
            assert_true(w->slot + k < NX_SLOTS);
            assert_int_equal(owner[w->slot + k]++, 0);
        }
    }
}

static void whatever_passes_keeps_the_promises(void **state)
{
    unsigned passed = 0;
    /* a heap block of just this size, so that the sanitizer sees a look beyond */
    struct nx_manifest *copy = malloc(sizeof(*copy));
    for (unsigned round = 0; round < 400000; round++) {
        setup(NULL);
        memcpy(copy, &m, sizeof(m));
        for (unsigned n = 1 + any() % 3; n > 0; n--) {
            if (any() % 2 == 0) { /* a field that may well have another value */
                struct nx_want *w = &copy->want[any() % 6];
                uint32_t *const field[] = {&w->slot,       &w->slot,    &w->kind,      &w->rights,
                                           &w->pool_pages, &w->clients, &w->ring_slots};
                *field[any() % 7] = (uint32_t)(any() % 66);
                continue;
            }
            size_t at = 4 * (any() % (sizeof(*copy) / 4));
            uint32_t v = (uint32_t)(any() % 4 == 0 ? any() : any() % 600);
            memcpy((uint8_t *)copy + at, &v, any() % 3 == 0 ? 1 : 4);
        }
        if (nx_manifest_check(copy) == NULL) {
            promises(copy);
            passed++;
        }
    }
    free(copy);
    assert_true(passed > 10000 && passed < 300000); /* both are tried */
}

static void garbage_is_refused(void **state)
{
    struct nx_manifest *copy = malloc(sizeof(*copy));
    for (unsigned round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(*copy); i += 8) {
            uint64_t v = any();
            memcpy((uint8_t *)copy + i, &v, 8);
        }
        if (round % 2 == 0) {
            copy->magic = NX_MANIFEST_MAGIC;
        }
        assert_non_null(nx_manifest_check(copy));
    }
    free(copy);
}

int main(void)
{
    printf("# seed %#lx\n", seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(a_broken_head_is_named),
        cmocka_unit_test(a_broken_want_is_named),
        cmocka_unit_test(whatever_passes_keeps_the_promises),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
