/* Test cell: works on disk block.4 (the personality has the first four) while the driver and this cell
 * itself are killed under it (tests/system/drivers.py).
 *
 * In every round it writes all of the first SECTORS sectors, DEPTH requests at a time, flushes, reads them
 * back and compares.  The content of a sector says which it is and which round wrote it, so what was
 * answered and is not on the disk is seen at once.  It is done when the driver has had LIVES lives and the
 * round is over; what is on the disk then is the last round's, for the host to compare.
 */
#include <manifest/blkclient.h>
#include <nexus/block.h>
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

#define SECTORS 1024u
#define DEPTH 16u
#define PIECE 8u /* sectors of a request */
#define BYTES (PIECE * NEXUS_BLOCK_SECTOR)
#define LIVES 6u

enum work { WRITE, FLUSH, READ };

static struct nexus_client disk;
static struct nexus_block_hello config;
static struct nexus_request requests[DEPTH];
static uint32_t at[DEPTH]; /* first sector of the request */
static enum work work;
static uint32_t next, left, round_no;

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    memcpy(&config, hello->payload, sizeof(config));
}

static uint32_t word_of(uint32_t sector, uint32_t i)
{
    return (sector * 2654435761u) ^ (round_no * 40503u + i);
}

static void fill(unsigned k)
{
    uint32_t *to = (uint32_t *)(disk.pool + k * BYTES);
    for (uint32_t i = 0; i < BYTES / 4; i++) {
        to[i] = word_of(at[k] + i / 128, i % 128);
    }
}

static void compare(unsigned k)
{
    const uint32_t *from = (const uint32_t *)(disk.pool + k * BYTES);
    for (uint32_t i = 0; i < BYTES / 4; i++) {
        if (from[i] != word_of(at[k] + i / 128, i % 128)) {
            cell_panic("round %u: sector %u is wrong", round_no, at[k] + i / 128);
        }
    }
}

/* The next piece of the work goes out with request k. */
static void submit(unsigned k)
{
    static const uint16_t types[] = {NEXUS_BLOCK_WRITE, NEXUS_BLOCK_FLUSH, NEXUS_BLOCK_READ};
    struct nexus_request *r = &requests[k];
    at[k] = next;
    next += PIECE;
    left++;
    r->slot.type = types[work];
    r->slot.buf_off = k * BYTES;
    r->slot.buf_len = BYTES;
    r->slot.word[0] = at[k];
    if (work == WRITE) {
        fill(k);
    }
    if (client_submit(&disk, r) != 0) {
        cell_panic("the session is broken");
    }
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    const unsigned k = (unsigned)(r - requests);
    left--;
    if (result != 0) {
        cell_panic("round %u: request at %u ends with %d", round_no, at[k], result);
    }
    if (work == READ) {
        compare(k);
    }
    if (next < SECTORS) {
        submit(k);
    }
}

static void wait(void)
{
    int n = client_sleep_prepare(&disk);
    if (n == 0) {
        nx_recv_wait(client_watch(&disk), NX_NEVER);
        client_awake(&disk);
    }
    if (n < 0 || client_poll(&disk) < 0) {
        cell_panic("the session is broken");
    }
}

static void run(enum work what)
{
    work = what;
    next = what == FLUSH ? SECTORS - PIECE : 0;
    for (unsigned k = 0; k < DEPTH && next < SECTORS; k++) {
        submit(k);
    }
    while (left != 0) {
        wait();
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    disk.hello = on_hello;
    int e = client_open(&disk, SLOT_DISK);
    if (e != 0 || disk.pool == NULL || disk.pool_size < DEPTH * BYTES) {
        cell_panic("no disk: error %d", -e);
    }
    for (unsigned k = 0; k < DEPTH; k++) {
        requests[k].done = done;
    }
    while (disk.generation == 0) {
        wait();
    }
    cell_log("disk of %lu sectors, requests of %u bytes, depth %u", (unsigned long)config.sectors,
             config.max_request, config.depth);
    do {
        round_no++;
        run(WRITE);
        run(FLUSH);
        run(READ);
        if (round_no == 1) {
            cell_log("at work");
        }
    } while (disk.generation < LIVES);
    cell_log("done: %u rounds, %u lives, %u strays", round_no, disk.generation, disk.strays);
    for (;;) {
        wait();
    }
}
