/* A peer that lies: everything it can write in the rings it shares with the victim is forged.
 *
 * What the victim must notice ends in its report to the supervisor, who makes the channel anew and ends
 * this cell for it: the next life finds a working channel.  The rest it must not even notice.
 */
#include "../victim/victim.h"
#include "hostile.h"

#include <nexus/channel.h>
#include <nexus/exit.h>
#include <nx_base.h>
#include <string.h>

/* Whom the supervisor kills for it is told the victim's exit code. */
#define KILLED_FOR_IT (NEXUS_EXIT_PEER | 1)
#define PATIENCE_MS 5000

static struct channel victim;
static volatile struct nx_ring_region *out, *in;
static uint8_t *buffer; /* of the ring to the victim */

static bool open_rings(void)
{
    if (out == NULL) {
        EXPECT(channel_open(&victim, SLOT_IN, SLOT_OUT), 0);
        size_t size = 0;
        out = cell_map(SLOT_OUT, NX_PROT_R | NX_PROT_W, &size, NULL);
        in = cell_map(SLOT_IN, NX_PROT_R | NX_PROT_W, &size, NULL);
        CHECK(out != NULL && in != NULL);
        buffer = nx_ring_buf(&victim.out, 0, PAGE);
        CHECK(buffer != NULL);
    }
    return out != NULL && in != NULL && buffer != NULL;
}

/* Ask and wait: word 0 of the answer, or -NX_ETIME. */
static long ask(struct nx_slot *request)
{
    static uint32_t cookie;
    struct nx_slot answer;
    request->cookie = ++cookie;
    int e = channel_send(&victim, request, after_ms(PATIENCE_MS));
    while (e == 0) {
        e = channel_receive(&victim, &answer, after_ms(PATIENCE_MS));
        if (e == 0 && answer.cookie == cookie) {
            return (long)answer.word[0];
        }
    }
    return e;
}

static long echo(uint64_t word)
{
    struct nx_slot s = {.type = VICTIM_ECHO};
    s.word[0] = word;
    return ask(&s);
}

static void works(void)
{
    if (open_rings()) {
        for (uint64_t i = 0; i < 3 * VICTIM_SLOTS; i++) {
            EXPECT(echo(i), i);
        }
    }
}

/* ---- what must be noticed ---- */

static bool warn(const char *name)
{
    if (!open_rings()) {
        return false;
    }
    struct nx_slot s = {.type = VICTIM_WAIT};
    strlcpy((char *)s.payload, name, sizeof(s.payload));
    EXPECT(echo(1), 1);
    return ask(&s) == 0;
}

/* The peer sees an index that is `off` from what is right. */
static void forge_head(const char *name, uint32_t off)
{
    if (warn(name)) {
        out->end[NX_RING_PRODUCER].index = victim.out.own + off;
        nx_send_bell(SLOT_OUT);
        nx_tick_sleep(after_ms(2 * PATIENCE_MS)); /* the supervisor ends it here */
    }
}

static void forge_tail(const char *name, uint32_t off)
{
    if (warn(name)) {
        in->end[NX_RING_CONSUMER].index = victim.in.own + off;
        nx_send_bell(SLOT_IN);
        nx_tick_sleep(after_ms(2 * PATIENCE_MS));
    }
}

static void head_too_far(void)
{
    forge_head("forged: head one too far", VICTIM_SLOTS + 1);
}

static void head_backwards(void)
{
    forge_head("forged: head backwards", ~0u);
}

static void head_far_off(void)
{
    forge_head("forged: head far off", 0x80000000u);
}

static void tail_ahead(void)
{
    forge_tail("forged: tail ahead of head", 1);
}

static void tail_backwards(void)
{
    forge_tail("forged: tail too far back", ~VICTIM_SLOTS);
}

/* ---- what must not matter ---- */

static void forged_for_nothing(void)
{
    if (!open_rings()) {
        return;
    }
    /* The victim's own indices: it has them in memory of its own. */
    uint32_t tail = out->end[NX_RING_CONSUMER].index, head = in->end[NX_RING_PRODUCER].index;
    victim.out.limit = victim.out.own + VICTIM_SLOTS; /* and so have we */
    out->end[NX_RING_CONSUMER].index = 0xdeadbeef;
    in->end[NX_RING_PRODUCER].index = head + VICTIM_SLOTS + 7;
    struct nx_slot s = {.type = VICTIM_ECHO, .cookie = 1};
    EXPECT(nx_ring_push(&victim.out, &s), 0);
    nx_send_bell(SLOT_OUT);
    uint64_t end = after_ms(PATIENCE_MS);
    while (in->end[NX_RING_PRODUCER].index != head + 1 && cell_now() < end) {
        nx_tick_sleep(after_ms(1));
    }
    EXPECT(in->end[NX_RING_PRODUCER].index, head + 1);
    EXPECT(out->end[NX_RING_CONSUMER].index, tail + 1);
    EXPECT(echo(42), 42);
    /* Sleep words and generations: it may be woken in vain, or later than it hoped. */
    for (unsigned i = 0; i < 100; i++) {
        out->end[NX_RING_CONSUMER].sleep = (uint32_t)chance();
        in->end[NX_RING_PRODUCER].sleep = (uint32_t)chance();
        out->end[NX_RING_PRODUCER].sleep = (uint32_t)chance();
        in->end[NX_RING_CONSUMER].sleep = (uint32_t)chance();
        out->constant.generation[i % 2] = (uint32_t)chance();
        in->constant.generation[i % 2] = (uint32_t)chance();
        s = (struct nx_slot){.type = VICTIM_ECHO, .cookie = i};
        (void)nx_ring_push(&victim.out, &s);
        nx_send_bell(SLOT_OUT); /* whatever the word says */
        nx_send_bell(SLOT_IN);
        nx_tick_sleep(after_ms(1));
        while (nx_ring_pop(&victim.in, &s) == 0) {
        }
        nx_send_bell(SLOT_IN);
    }
    EXPECT(victim.in.error, 0);
    EXPECT(victim.out.error, 0);
    EXPECT(echo(43), 43);
}

static void garbage_slots(void)
{
    if (!open_rings()) {
        return;
    }
    struct nx_slot s;
    uint64_t *word = (uint64_t *)&s;
    for (unsigned i = 0; i < 1000; i++) {
        for (unsigned k = 0; k < sizeof(s) / 8; k++) {
            word[k] = chance();
        }
        if (s.type < VICTIM_WAIT || s.type > VICTIM_DIE) { /* these it would obey */
            (void)ask(&s);
        }
    }
    /* Pieces of the buffer that are not, or not all, in it. */
    static const struct {
        uint32_t off, len;
    } outside[] = {{0, PAGE + 1}, {1, PAGE}, {PAGE, 1},       {PAGE + 1, 0},   {~0u, 1},
                   {~0u, ~0u},    {0, ~0u},  {0x80000000, 4}, {4, 0x80000000}, {PAGE - 4, 5}};
    memset(buffer, 1, PAGE);
    for (unsigned i = 0; i < ARRAY_LEN(outside); i++) {
        s = (struct nx_slot){
            .type = VICTIM_BYTES, .buf_off = outside[i].off, .buf_len = outside[i].len};
        expect_values(ask(&s), -NX_EINVAL, "bytes", outside[i].off, outside[i].len);
    }
    s = (struct nx_slot){.type = VICTIM_BYTES, .buf_off = 8, .buf_len = 100};
    EXPECT(ask(&s), 100);
}

static volatile bool racing;

/* Changes every word of every slot while the victim reads. */
static void scribble(uint64_t arg)
{
    volatile uint32_t *slot = (volatile uint32_t *)out->slot;
    for (uint32_t i = 0; racing; i++) {
        uint32_t at = i % (VICTIM_SLOTS * 16);
        if (at % 16 != 0) { /* not the type: it would obey that */
            slot[at] = i % 3 == 0 ? ~0u : i % 3 == 1 ? PAGE : 1;
        }
    }
    nx_exit_fiber(0);
}

static void slots_that_change(void)
{
    if (!open_rings()) {
        return;
    }
    racing = true;
    CHECK(start_fiber(0, scribble, 0) > 0);
    uint64_t end = after_ms(300);
    while (cell_now() < end) {
        static const struct nx_slot request = {.type = VICTIM_BYTES, .buf_off = 1, .buf_len = 1};
        struct nx_slot answer;
        if (nx_ring_push(&victim.out, &request) == 0) {
            channel_bell_out(&victim);
        }
        while (nx_ring_pop(&victim.in, &answer) == 0) {
            channel_bell_in(&victim);
        }
    }
    racing = false;
    CHECK(wait_for_fibers(1));
    EXPECT(victim.out.error, 0);
    EXPECT(echo(44), 44);
}

/* The constants of a ring are read once; a victim that starts anew on such a ring must not use it. */
static void forged_constants(void)
{
    if (!open_rings()) {
        return;
    }
    for (volatile struct nx_ring_region *r = out;; r = in) {
        r->constant.magic = 0;
        r->constant.version = 99;
        r->constant.slots = 256;
        r->constant.buf_off = 0xffffff00;
        r->constant.buf_size = 0xffffffff;
        if (r == in) {
            break;
        }
    }
    EXPECT(echo(45), 45);
    struct nx_slot s = {.type = VICTIM_DIE};
    EXPECT(ask(&s), 0);
    nx_tick_sleep(after_ms(2 * PATIENCE_MS)); /* the next victim's report ends it here */
}

/* Indices from before its life are believed by a victim that starts anew, if they are possible. */
static void forged_before_birth(void)
{
    if (!open_rings()) {
        return;
    }
    struct nx_slot s = {.type = VICTIM_DIE};
    EXPECT(ask(&s), 0);
    out->end[NX_RING_PRODUCER].index = victim.out.own + 0x40000000u;
    nx_tick_sleep(after_ms(2 * PATIENCE_MS));
}

/* Complaints to the supervisor: of nobody, without reason, and with a reason of our own making. */
static void accuse_nobody(void)
{
    cell_exit(NEXUS_EXIT_PEER | 63);
}

static void accuse_falsely(void)
{
    cell_exit(NEXUS_EXIT_PEER | SLOT_OUT);
}

static void accuse_the_innocent(void)
{
    if (open_rings()) {
        in->constant.magic = 0;
        cell_exit(NEXUS_EXIT_PEER | SLOT_OUT);
    }
}

static void power_off(void)
{
    cell_exit(NEXUS_EXIT_POWEROFF | 3); /* not ours to ask for */
}

static void reset(void)
{
    cell_exit(NEXUS_EXIT_RESET);
}

#define KILLED .why = NX_WHY_KILLED, .code = KILLED_FOR_IT
#define ACCUSED .why = NX_WHY_EXIT, .code = NEXUS_EXIT_PEER | SLOT_OUT
const struct step ring_steps[] = {
    {.name = "channel-works", .run = works},
    {.name = "head-too-far", .run = head_too_far, KILLED},
    {.name = "head-backwards", .run = head_backwards, KILLED},
    {.name = "head-far-off", .run = head_far_off, KILLED},
    {.name = "tail-ahead", .run = tail_ahead, KILLED},
    {.name = "tail-backwards", .run = tail_backwards, KILLED},
    {.name = "channel-works-again", .run = works},
    {.name = "forged-for-nothing", .run = forged_for_nothing},
    {.name = "garbage-slots", .run = garbage_slots},
    {.name = "slots-that-change", .run = slots_that_change},
    {.name = "forged-constants", .run = forged_constants, KILLED},
    {.name = "forged-before-birth", .run = forged_before_birth, KILLED},
    {.name = "accuse-nobody",
     .run = accuse_nobody,
     .why = NX_WHY_EXIT,
     .code = NEXUS_EXIT_PEER | 63},
    {.name = "accuse-falsely", .run = accuse_falsely, ACCUSED},
    {.name = "channel-works-still", .run = works},
    {.name = "accuse-the-innocent", .run = accuse_the_innocent, ACCUSED},
    {.name = "ask-for-power-off",
     .run = power_off,
     .why = NX_WHY_EXIT,
     .code = NEXUS_EXIT_POWEROFF | 3},
    {.name = "ask-for-reset", .run = reset, .why = NX_WHY_EXIT, .code = NEXUS_EXIT_RESET},
    {.name = "channel-works-at-last", .run = works},
    {.name = NULL},
};
