/*
 * virtio_blk.c - the disk driver against a model of the device: what it does, restarts, lies.
 *
 * test-sources: drivers/virtio_blk/blk.c drivers/lib/virtio.c drivers/lib/virtq.c drivers/lib/reach.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 */
#include "drivers/virtio_model.h"

#include "../../../drivers/virtio_blk/blk.h"

#define SECTORS 1024u
#define F_SIZE_MAX (1ul << 1)
#define F_SEG_MAX (1ul << 2)
#define F_RO (1ul << 5)
#define F_BLK_SIZE (1ul << 6)
#define F_FLUSH (1ul << 9)

/* ---- the device ---- */

static uint8_t disk[SECTORS * 512];
static unsigned flushes, fail_next;

static int64_t blk_request(unsigned queue, struct chain *c)
{
    uint32_t type, written = 0;
    uint64_t sector;
    uint8_t *status = c->seg[c->n - 1].at;
    if (c->n < 2 || c->seg[0].len != 16 || c->seg[0].write || !c->seg[c->n - 1].write) {
        return 0;
    }
    memcpy(&type, c->seg[0].at, 4);
    memcpy(&sector, c->seg[0].at + 8, 8);
    uint64_t at = sector * 512;
    *status = 0;
    for (unsigned i = 1; i + 1 < c->n; i++) {
        const uint32_t len = c->seg[i].len;
        if (type == 8) {
            memcpy(c->seg[i].at, "virtual disk\0\0\0\0\0\0\0\0", NX_MIN(len, 20u));
        } else if (!nx_in_bounds(at, len, sizeof(disk)) || c->seg[i].write != (type == 0)) {
            *status = 1;
        } else if (type == 0) {
            memcpy(c->seg[i].at, disk + at, len);
        } else {
            memcpy(disk + at, c->seg[i].at, len);
        }
        written += c->seg[i].write ? len : 0;
        at += len;
    }
    flushes += type == 4;
    if (fail_next != 0) {
        *status = (uint8_t)fail_next;
        fail_next = 0;
    }
    return written + 1;
}

static struct blk blk;
static uint64_t kind;

static void device(uint64_t features)
{
    const uint32_t seg_max = 6, blk_size = 4096, size_max = 8192;
    const uint64_t capacity = SECTORS;
    dev = (struct model){.id = 2, .num_max = 128, .features = features, .request = blk_request};
    memcpy(dev.config, &capacity, 8);
    memcpy(dev.config + 8, &size_max, 4);
    memcpy(dev.config + 12, &seg_max, 4);
    memcpy(dev.config + 20, &blk_size, 4);
}

static int setup(void **state)
{
    const uint64_t *features = *state;
    kind = *features | F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH;
    device(kind);
    memset(disk, 0, sizeof(disk));
    model_setup(1, BLK_DEPTH, 64);
    flushes = fail_next = 0;
    assert_int_equal(blk_start(&blk, &driver), 0);
    return 0;
}

static int settle(void)
{
    return model_settle(blk_service, &blk);
}

static void submit(struct job *j, uint16_t type, uint64_t sector, uint32_t off, uint32_t len)
{
    j->r.slot.word[0] = sector;
    job_submit(j, 0, type, off, len);
}

static int ask(uint16_t type, uint64_t sector, uint32_t off, uint32_t len)
{
    struct job j;
    submit(&j, type, sector, off, len);
    assert_int_equal(settle(), 0);
    assert_int_equal(j.done, 1);
    return j.result;
}

/* ---- tests ---- */

static void the_bring_up_is_in_order(void **state)
{
    const uint8_t order[] = {1, 3, 11, 15};
    assert_int_equal(dev.status_n, sizeof(order));
    assert_memory_equal(dev.statuses, order, sizeof(order));
    assert_int_equal(blk.config.sectors, SECTORS);
    assert_int_equal(blk.config.block_size, 4096);
    assert_int_equal(blk.config.max_request, 6 * 8192);
    assert_int_equal(blk.config.flags, NEXUS_BLOCK_CACHED);
    assert_true(blk.config.depth >= 8);
}

static void what_is_written_can_be_read(void **state)
{
    uint8_t *pool = model_pool[0];
    for (unsigned i = 0; i < 20000; i++) {
        pool[i] = (uint8_t)(i * 7);
    }
    assert_int_equal(ask(NEXUS_BLOCK_WRITE, 5, 0, 19968), 0);
    assert_memory_equal(disk + 5 * 512, pool, 19968);
    assert_int_equal(ask(NEXUS_BLOCK_READ, 5, 32768, 19968), 0);
    assert_memory_equal(pool + 32768, pool, 19968);
    assert_int_equal(ask(NEXUS_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(flushes, 1);
    memset(pool, 'x', 64);
    assert_int_equal(ask(NEXUS_BLOCK_ID, 0, 0, 32), 0);
    assert_string_equal((char *)pool, "virtual disk");
    assert_int_equal(pool[31], 0);
    assert_int_equal(pool[32], 'x');
    assert_int_equal(dev.wild, 0);
}

static void what_is_not_allowed_never_reaches_the_device(void **state)
{
    const uint16_t rw[] = {NEXUS_BLOCK_READ, NEXUS_BLOCK_WRITE};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ask(rw[i], SECTORS, 0, 512), -NX_EINVAL);
        assert_int_equal(ask(rw[i], SECTORS - 1, 0, 1024), -NX_EINVAL);
        assert_int_equal(ask(rw[i], UINT64_MAX, 0, 1024), -NX_EINVAL);
        assert_int_equal(ask(rw[i], 0, 0, 0), -NX_EINVAL);
        assert_int_equal(ask(rw[i], 0, 0, 511), -NX_EINVAL);
        assert_int_equal(ask(rw[i], 0, MODEL_POOL - 512, 1024), -NX_EINVAL);
        assert_int_equal(ask(rw[i], 0, UINT32_MAX - 511, 1024), -NX_EINVAL);
        assert_int_equal(ask(rw[i], 0, 0, 7 * 8192), -NX_EINVAL);
    }
    assert_int_equal(ask(NEXUS_BLOCK_ID, 0, 0, 19), -NX_EINVAL);
    assert_int_equal(ask(NEXUS_BLOCK_ID, 0, MODEL_POOL - 8, 20), -NX_EINVAL);
    assert_int_equal(ask(77, 0, 0, 512), -NX_ENOSYS);
    assert_int_equal(dev.queue[0].seen, 0);
}

static void what_the_device_says_is_passed_on(void **state)
{
    fail_next = 1;
    assert_int_equal(ask(NEXUS_BLOCK_READ, 0, 0, 512), -NX_EIO);
    fail_next = 2;
    assert_int_equal(ask(NEXUS_BLOCK_WRITE, 0, 0, 512), -NX_ENOSYS);
    assert_int_equal(ask(NEXUS_BLOCK_READ, 0, 0, 512), 0);
}

static void a_read_only_disk_without_cache(void **state)
{
    device((kind & ~F_FLUSH) | F_RO);
    model_new_life();
    assert_int_equal(blk_start(&blk, &driver), 0);
    assert_int_equal(blk.config.flags, NEXUS_BLOCK_READONLY);
    assert_int_equal(ask(NEXUS_BLOCK_WRITE, 0, 0, 512), -NX_EPERM);
    assert_int_equal(ask(NEXUS_BLOCK_FLUSH, 0, 0, 0), 0);
    assert_int_equal(flushes, 0);
}

static void small_queues_work(void **state)
{
    for (uint32_t max = 1; max <= 64; max++) {
        device(kind);
        dev.num_max = max;
        model_new_life();
        if ((kind & VIRTIO_F_INDIRECT_DESC) == 0 && max < 16) {
            assert_int_equal(blk_start(&blk, &driver), -NX_EIO); /* a request does not fit */
            continue;
        }
        assert_int_equal(blk_start(&blk, &driver), 0);
        struct job jobs[40];
        for (unsigned i = 0; i < 40; i++) {
            model_pool[0][i * 512] = (uint8_t)(max + i);
            submit(&jobs[i], NEXUS_BLOCK_WRITE, i, i * 512, 512);
        }
        assert_int_equal(settle(), 0);
        for (unsigned i = 0; i < 40; i++) {
            assert_int_equal(jobs[i].done, 1);
            assert_int_equal(disk[i * 512], (uint8_t)(max + i));
        }
    }
}

/* The driver runs only when its interrupt or a bell says so, the device only when notified. */
static void nobody_sleeps_over_work(void **state)
{
    struct job jobs[200];
    unsigned submitted = 0, done = 0;
    assert_int_equal(settle(), 0);
    bool bell = true; /* it has not announced that it sleeps */
    for (unsigned round = 0; done < 200; round++) {
        assert_true(round < 100000);
        if (submitted < 200 && chance(2) == 0) {
            const unsigned before = model_bells;
            submit(&jobs[submitted++], NEXUS_BLOCK_READ, 0, 0, 512);
            bell |= model_bells != before;
        }
        model_work(chance(3));
        if (bell || dev.isr != 0) {
            bell = false;
            server_awake(&servers[0]);
            virtio_interrupt(&driver.virtio);
            int n;
            do {
                n = blk_service(&blk, false);
                assert_true(n >= 0);
                assert_int_equal(server_flush(&servers[0]), 0);
            } while (n > 0 || server_sleep_prepare(&servers[0]) != 0);
        }
        const unsigned before = model_bells;
        assert_int_equal(client_poll(&clients[0]), 0);
        bell |= model_bells != before;
        for (done = 0; done < submitted && jobs[done].done != 0; done++) {
        }
        if (submitted < 200) {
            done = 0;
        }
    }
}

/* ---- restarts ---- */

#define WRITERS 16u

/* Random writes, the driver dying at any point: what was answered is in the device, all is answered. */
static void restarts_lose_nothing(void **state)
{
    static struct job jobs[WRITERS];
    static uint32_t stamp[WRITERS]; /* of the write at work */
    unsigned answered = 0, deaths = 0;
    uint32_t next = 1;
    memset(jobs, 0, sizeof(jobs));
    memset(stamp, 0, sizeof(stamp));
    while (answered < 3000) {
        const unsigned i = chance(WRITERS);
        if (stamp[i] == 0) {
            stamp[i] = next++;
            memcpy(model_pool[0] + i * 1024, &stamp[i], 4);
            memcpy(model_pool[0] + i * 1024 + 1020, &stamp[i], 4);
            submit(&jobs[i], NEXUS_BLOCK_WRITE, i * 2, i * 1024, 1024);
        }
        if (chance(2) == 0) {
            model_work(chance(4));
        }
        if (chance(2) == 0) {
            assert_true(blk_service(&blk, false) >= 0);
        }
        if (chance(2) == 0) {
            model_exchange();
        }
        if (chance(12) == 0) {
            model_new_life();
            assert_int_equal(blk_start(&blk, &driver), 0);
            deaths++;
        }
        for (unsigned k = 0; k < WRITERS; k++) {
            if (stamp[k] != 0 && jobs[k].done != 0) {
                assert_int_equal(jobs[k].done, 1);
                assert_int_equal(jobs[k].result, 0);
                assert_memory_equal(disk + k * 1024, &stamp[k], 4);
                assert_memory_equal(disk + k * 1024 + 1020, &stamp[k], 4);
                stamp[k] = 0;
                answered++;
            }
        }
    }
    assert_true(deaths > 100);
    assert_int_equal(settle(), 0);
    assert_int_equal(clients[0].outstanding, 0);
    assert_int_equal(clients[0].strays, 0);
    assert_int_equal(dev.wild, 0);
}

/* ---- lies ---- */

static void wild_id(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *id = 70000;
}

static void other_id(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *id += (uint32_t)blk.queue.num / blk.queue.depth; /* the next slot, which is free */
}

static void too_long(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *written = 512 + 2;
}

static void too_short(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *written = 512;
}

static void jump(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *idx += 5;
}

static void back(uint32_t *id, uint32_t *written, uint16_t *idx)
{
    *idx -= 3;
}

static int64_t no_status(unsigned queue, struct chain *c)
{
    return c->n > 2 ? 513 : 0;
}

static void each_lie_is_a_fault(void **state)
{
    void (*const lies[])(uint32_t *, uint32_t *, uint16_t *) = {wild_id,   other_id, too_long,
                                                                too_short, jump,     back};
    struct job j;
    assert_int_equal(settle(), 0);
    for (unsigned i = 0; i <= ARRAY_LEN(lies); i++) {
        submit(&j, NEXUS_BLOCK_READ, 0, 0, 512);
        dev.bend = i < ARRAY_LEN(lies) ? lies[i] : NULL;
        dev.request = i < ARRAY_LEN(lies) ? blk_request : no_status;
        assert_int_equal(settle(), -NX_EIO);
        assert_non_null(driver.virtio.fault);
        assert_true((dev.status & VIRTIO_STATUS_FAILED) != 0);
        assert_int_equal(j.done, 0);
        device(kind);
        model_new_life();
        assert_int_equal(blk_start(&blk, &driver), 0);
        assert_int_equal(settle(), 0);
        assert_int_equal(j.done, 1);
    }
}

static void a_bad_device_is_not_brought_up(void **state)
{
    static const uint64_t all[] = {0, 0, 0, UINT64_MAX, 1ul << 60}; /* capacities */
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        device(kind);
        if (i == 0) {
            dev.id = 4;
        } else if (i == 1) {
            dev.features &= ~VIRTIO_F_VERSION_1;
        } else if (i == 2) {
            dev.num_max = 0;
        } else {
            memcpy(dev.config, &all[i], 8);
        }
        model_new_life();
        assert_int_equal(blk_start(&blk, &driver), -NX_EIO);
        assert_non_null(driver.virtio.fault);
    }
}

static void honest(void)
{
    device(kind);
}

static int start(void)
{
    return blk_start(&blk, &driver);
}

static void play(void)
{
    static const uint16_t types[] = {NEXUS_BLOCK_READ, NEXUS_BLOCK_WRITE, NEXUS_BLOCK_FLUSH,
                                     NEXUS_BLOCK_ID};
    static struct job jobs[WRITERS];
    const unsigned i = chance(WRITERS);
    if (clients[0].outstanding == 0) {
        memset(jobs, 0, sizeof(jobs));
    }
    if (jobs[i].done != 0 || jobs[i].r.done == NULL) {
        submit(&jobs[i], types[chance(4)], chance(SECTORS), i * 1024, 1024);
    }
}

static void lies(unsigned rate, unsigned scribbles, unsigned long enough)
{
    const struct model_driver d = {honest, start, blk_service, &blk, play};
    model_lies(&d, rate, scribbles, enough);
    assert_int_equal(clients[0].outstanding, 0);
}

static void a_lying_device_is_a_fault(void **state)
{
    lies(30, 0, 4000);
    lies(300, 0, 1000);
}

static void a_scribbling_device_does_no_harm(void **state)
{
    lies(100, 3, 4000);
}

/* One bit of an address it keeps is flipped, when a request comes. */
static void damage(uint64_t *phys, unsigned bit)
{
    struct job j;
    *phys ^= 1ul << bit;
    submit(&j, NEXUS_BLOCK_READ, 0, 0, 4096);
    const bool died = PANICS(settle());
    assert_int_equal(dev.wild, 0);
    assert_true(died || bit < 14); /* within the memory for the device */
    device(kind);
    model_new_life();
    assert_int_equal(blk_start(&blk, &driver), 0);
    assert_int_equal(settle(), 0);
    assert_int_equal(j.done, 1);
}

static void a_damaged_address_never_reaches_the_device(void **state)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        damage(&blk.header_phys, bit);
        damage(&blk.status_phys, bit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(the_bring_up_is_in_order),
        EACH(what_is_written_can_be_read),
        EACH(what_is_not_allowed_never_reaches_the_device),
        EACH(what_the_device_says_is_passed_on),
        EACH(a_read_only_disk_without_cache),
        EACH(small_queues_work),
        EACH(nobody_sleeps_over_work),
        EACH(restarts_lose_nothing),
        EACH(a_damaged_address_never_reaches_the_device),
        EACH(each_lie_is_a_fault),
        EACH(a_bad_device_is_not_brought_up),
        EACH(a_lying_device_is_a_fault),
        EACH(a_scribbling_device_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
