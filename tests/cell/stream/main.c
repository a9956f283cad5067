/* Test cell: what a stream of 64 KiB buffers to another cell costs, in instructions a KiB (figure.h).
 *
 * The buffers lie in the channel's pool, which both have mapped: what travels is where they are.  `stream` is buffers whose
 * first word is written here and looked at there, as by a cell that hands them on to a device or the next cell;
 * `stream-read` is buffers of which every word is written here and read there. */
#include "../figure.h"
#include "stream.h"

#include <manifest/stream.h>
#include <nexus/call.h>
#include <nexus/cell.h>
#include <nx_base.h>

#define DEPTH 4u
#define BUFFERS 512u

static struct nexus_client sink;
static struct buffer {
    struct nexus_request request;
    uint32_t expects;
} buffers[DEPTH];
static uint32_t sent, answered, wrong;

static uint32_t fill(struct buffer *b)
{
    uint64_t *at = (uint64_t *)(sink.pool + b->request.slot.buf_off);
    uint64_t word = sent, sum = 0;
    if (b->request.slot.type == STREAM_HANDED) {
        at[0] = word;
        return (uint32_t)word;
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < STREAM_BUFFER / sizeof(*at); i++) {
        at[i] = word;
        sum += word++;
    }
    return (uint32_t)sum;
}

static void send(struct buffer *b)
{
    sent++;
    b->expects = fill(b);
    if (client_submit(&sink, &b->request) != 0) {
        cell_panic("no room for a request");
    }
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct buffer *b = container_of(r, struct buffer, request);
    answered++;
    wrong += result != 0 || reply == NULL || reply->word32[1] != b->expects;
    if (sent < BUFFERS) {
        send(b);
    }
}

static void stream(const char *name, uint16_t type)
{
    sent = answered = wrong = 0;
    const uint64_t start = instructions();
    for (uint32_t i = 0; i < DEPTH; i++) {
        struct buffer *b = &buffers[i];
        b->request = (struct nexus_request){.done = done};
        b->request.slot.type = type;
        b->request.slot.buf_off = i * STREAM_BUFFER;
        b->request.slot.buf_len = STREAM_BUFFER;
        send(b);
    }
    while (answered < BUFFERS) {
        (void)client_wait(&sink, NX_NEVER);
    }
    figure(name, instructions() - start, BUFFERS * (STREAM_BUFFER >> 10));
    if (wrong != 0) {
        cell_panic("%u buffers came out wrong", wrong);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    int e = client_open(&sink, SLOT_SINK);
    if (e != 0 || sink.pool_size < DEPTH * STREAM_BUFFER) {
        cell_panic("no channel: error %d", -e);
    }
    while (sink.generation == 0) {
        (void)client_wait(&sink, NX_NEVER);
    }
    stream("stream", STREAM_HANDED);
    stream("stream-read", STREAM_READ);
    return 0;
}
