/* A client of the ring echo server: sends numbered messages, checks that each comes back, and says what one costs
 * (in instructions with `make run ICOUNT=1`; else QEMU counts something else).
 *
 * It keeps DEPTH messages under way, so both cells work while the other does, and the bell is rung only when one of them
 * had nothing left and went to sleep.  The server may die at any moment: its next life goes on with the same rings,
 * and repeats what it had not given back; so a message may come twice (it is dropped), and never out of order otherwise.  The
 * client may die, too; what comes for the life before is told by its type and dropped.
 */
#include <manifest/echo_client.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <string.h>

#define MESSAGES 200000u
#define DEPTH 32u
#define PATIENCE_MS 10000

struct conversation {
    struct channel ch;
    uint32_t sent, received; /* numbers of messages */
    uint32_t twice, sleeps, lives, strays;
    uint16_t
        type; /* of our messages: our generation; what is under way of a predecessor is no answer to us */
};

static uint32_t instructions(void)
{
    uint64_t v;
    __asm__ volatile("rdinstret %0" : "=r"(v));
    return (uint32_t)v;
}

/* Send what may be under way. */
static void send(struct conversation *c)
{
    bool pushed = false;
    while (c->sent < MESSAGES && c->sent - c->received < DEPTH) {
        struct nx_slot m;
        memset(&m, 0, sizeof(m)); /* all of it is the other side's to read */
        m.type = c->type;
        m.cookie = c->sent;
        m.word[0] = c->sent * 3ul;
        if (nx_ring_push(&c->ch.out, &m) != 0) {
            break; /* full: there are answers to take first */
        }
        c->sent++;
        pushed = true;
    }
    if (pushed) {
        channel_bell_out(&c->ch);
    }
}

/* Take the answers there are: false when one is wrong. */
static bool receive(struct conversation *c)
{
    struct nx_slot m;
    bool popped = false;
    while (nx_ring_pop(&c->ch.in, &m) == 0) {
        popped = true;
        if (m.type != c->type) {
            c->strays++;
        } else if (m.cookie == c->received && c->received < c->sent) {
            if (m.word[0] != m.cookie * 3ul || (m.flags & NX_SLOT_REPLY) == 0) {
                return false;
            }
            c->received++;
        } else if (c->received - m.cookie <= DEPTH) {
            c->twice++; /* of a life that died before it could give it back */
        } else {
            return false;
        }
    }
    if (popped) {
        channel_bell_in(&c->ch);
    }
    return true;
}

/* Sleep until an answer comes: 0, or -NX_ETIME. */
static long rest(struct conversation *c)
{
    long e = 0;
    if (nx_ring_sleep_prepare(&c->ch.in) == 0) {
        c->sleeps++;
        e = nx_recv_wait(1ul << c->ch.in_slot, cell_now() + cell_ticks_of_ms(PATIENCE_MS));
        nx_ring_sleep_cancel(&c->ch.in);
    }
    if (nx_ring_peer_changed(&c->ch.in)) {
        c->lives++;
        channel_greet(&c->ch); /* our own words anew: its predecessor may have damaged them */
    }
    return e < 0 ? e : 0;
}

int cell_main(const struct nx_cellinfo *info)
{
    struct conversation c = {.type = (uint16_t)info->generation};
    int e = channel_open(&c.ch, SLOT_ECHO_RX, SLOT_ECHO_TX);
    if (e != 0) {
        cell_no_channel(SLOT_ECHO, "echo", e);
    }
    const uint32_t start = instructions();
    while (c.received < MESSAGES) {
        send(&c);
        if (!receive(&c)) {
            cell_panic("message %u came back wrong", c.received);
        }
        if (c.sent - c.received == DEPTH || c.sent == MESSAGES) {
            if (c.received < MESSAGES && rest(&c) == -NX_ETIME) {
                cell_panic("no answer to message %u", c.received);
            }
        }
    }
    cell_log(
        "%u messages there and back, %u instructions each, both cells; %u sleeps, %u twice, %u strays, %u further lives",
        c.received, (instructions() - start) / MESSAGES, c.sleeps, c.twice, c.strays, c.lives);
    return 0;
}
