/*
 * ring.h - single-producer single-consumer rings in shared memory.
 *
 * What it is for: every message between two cells travels through one of these, one ring per
 * direction. While both sides are awake no system call is made. Header only, no allocation, used
 * alike by cells, nucleus and host tests.
 *
 * What it does not do: ring the bell (that is the `send` call) or sleep (that is `recv`); it only
 * says when to. It gives no meaning to message types. It does not lock: a side is used by one fiber
 * at a time.
 *
 * The region, page aligned, made and formatted by the nucleus, mapped writable by both sides:
 *
 *       0  +---------------------------------------------------------------+
 *          | producer   head: slots ever published | sleep word | reserved |  by the producer
 *      64  +---------------------------------------------------------------+
 *          | consumer   tail: slots ever released  | sleep word | reserved |  by the consumer
 *     128  +---------------------------------------------------------------+
 *          | constants  magic version slots buf_off buf_size generation[2] |  by the nucleus
 *     192  +---------------------------------------------------------------+
 *          | reserved, zero                                                |
 *     256  +---------------------------------------------------------------+
 *          | slot 0     type flags cookie buf_off buf_len | payload[48]    |  by the producer
 *     320  | slot 1     ...                                                |
 *          :                                                               :
 *          +---------------------------------------------------------------+
 *  buf_off | shared buffer for bulk data, buf_size bytes (may be none)     |  by agreement
 *          +---------------------------------------------------------------+  region size
 *
 * An end's reserved words are its owner's to leave a note in for who looks at rings from outside (nexus/complaint.h); nothing
 * here reads them.
 *
 * Indices are free-running 32-bit counts; slot number = index & (slots - 1); filled = head - tail;
 * 0 is empty and `slots` is full. Each side keeps its own index and a cached copy of the other's in
 * a private handle, so the other's cache line is only touched when the cached copy says full or
 * empty.
 *
 * The other side is hostile. It can write to the whole region at any time, therefore: the constants
 * are copied once at attach and checked against the region's size as the nucleus gave it; every
 * shared word is read once, through volatile, and only the copy is checked; a slot is copied out
 * before anyone looks at it; an own index is never read back from shared memory, save at attach. An
 * impossible index is the peer's fault: the handle answers -NX_EPEER until nx_ring_mend(). What a hostile peer
 * can do is lie, stall, and ring too often or not at all. It can also forge the generation words:
 * believe them only to decide whether to send again what the peer may have lost.
 *
 * Sleep word: (count of announcements << 1) | asleep. The count lets the other side ring once per
 * announcement instead of once per message, and survives a restart in the shared word. The protocol
 * and its proof are in ring.pml:
 *
 *      sleeper                                 waker
 *      1 sleep word = announce                 1 publish own index
 *      2 full fence                            2 full fence
 *      3 look at the peer's index again        3 look at the sleep word
 *      4 still nothing? recv()                 4 announced, and not yet rung for? send()
 *      5 sleep word = awake
 *
 * Restart: a new cell attaches to the same side and goes on from the shared index. Slots released
 * before the crash are gone (their work may be half done), slots not released are seen again; so a
 * consumer that cannot repeat releases before it works, one that can releases afterwards.
 * NX_TYPE_REPEATABLE says which a message type is. A cell that takes over asks nx_ring_needs_bell()
 * once after attach: its predecessor may have died between publishing and ringing.
 */
#ifndef NX_RING_H
#define NX_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nx/fence.h>
#include <nx/types.h>

#define NX_RING_MAGIC 0x4752584eu /* "NXRG" */
#define NX_RING_VERSION 1u
#define NX_RING_SLOTS_MIN 2u
#define NX_RING_SLOTS_MAX 256u
#define NX_RING_PAYLOAD 48u
#define NX_RING_LINE 64u
#define NX_RING_PAGE 4096u
#define NX_RING_SLOTS_OFF 256u

/* A client may send messages of such a type again when the server died before answering them. */
#define NX_TYPE_REPEATABLE 0x8000u

#define NX_SLOT_INLINE 0x0001u /* buf_len counts bytes of payload, buf_off is zero */
#define NX_SLOT_MORE 0x0002u   /* the message goes on in the next slot */
#define NX_SLOT_REPLY 0x0004u  /* cookie is that of the request */

enum nx_ring_side { NX_RING_PRODUCER = 0, NX_RING_CONSUMER = 1 };

struct nx_slot {
    uint16_t type;
    uint16_t flags;
    uint32_t cookie;  /* the client's own; comes back in the reply */
    uint32_t buf_off; /* from the start of the shared buffer */
    uint32_t buf_len;
    union {
        uint8_t payload[NX_RING_PAYLOAD];
        uint32_t word32[NX_RING_PAYLOAD / 4];
        uint64_t word[NX_RING_PAYLOAD / 8];
    };
} __attribute__((aligned(64)));

/* A slot as it is copied: whole words, allowed to alias the struct above. */
typedef uint64_t __attribute__((may_alias)) nx_ring_word;
#define NX_RING_SLOT_WORDS 8u

struct nx_ring_end {
    uint32_t index;
    uint32_t sleep;
    uint32_t reserved[14];
};

struct nx_ring_const {
    uint32_t magic;
    uint32_t version;
    uint32_t slots;
    uint32_t buf_off; /* from the start of the region */
    uint32_t buf_size;
    uint32_t generation[2]; /* by side; rewritten by the nucleus when a cell is restarted */
    uint32_t reserved[9];
};

struct nx_ring_region {
    struct nx_ring_end end[2]; /* by side */
    struct nx_ring_const constant;
    uint8_t reserved[64];
    struct nx_slot slot[];
};

_Static_assert(sizeof(struct nx_slot) == 64, "a slot is one cache line");
_Static_assert(offsetof(struct nx_slot, payload) == 16, "slot header");
_Static_assert(sizeof(nx_ring_word) * NX_RING_SLOT_WORDS == sizeof(struct nx_slot), "slot copy");
_Static_assert(sizeof(struct nx_ring_end) == NX_RING_LINE, "an end is one cache line");
_Static_assert(sizeof(struct nx_ring_const) == NX_RING_LINE, "constants are one cache line");
_Static_assert(offsetof(struct nx_ring_region, constant) == 128, "constants are the third line");
_Static_assert(offsetof(struct nx_ring_const, generation) == 20, "generation words");
_Static_assert(offsetof(struct nx_ring_region, slot) == NX_RING_SLOTS_OFF, "first slot");

/*
 * The private handle; lives in the owner's memory. A loop that does nothing else may keep a copy whose
 * address nobody has, so in registers, as long as only one of the two is used. `limit` is where `own` may not go past: the
 * peer's index for a consumer, the peer's index plus the slots for a producer; with that both sides
 * are the same code. After a fault limit == own and count == 0, so the fast paths see neither space
 * nor messages and end in nx_ring_nothing_(), where the sticky error is: they never test it.
 */
struct nx_ring {
    volatile struct nx_ring_end *own_end;
    const volatile struct nx_ring_end *peer_end;
    volatile uint8_t *slots;
    uint64_t slot_mask; /* (slots - 1) in bytes */
    uint32_t own;       /* own index; the truth, the shared copy is for the peer */
    uint32_t limit;     /* from the peer's index as last seen and found possible */
    uint32_t bias;      /* limit - peer's index: slots for a producer, 0 for a consumer */
    uint32_t count;     /* slots */
    uint32_t sleep;     /* own sleep word as last announced */
    uint32_t bell_sent; /* the peer's sleep word we last rang for */
    int32_t error;      /* 0, or the sticky negative code */
    uint32_t peer_generation;
    const volatile uint32_t *peer_generation_word;
    uint8_t *buf;
    uint32_t buf_size;
    uint32_t reserved;
};

/*
 * One read or write of one shared word. Volatile, not atomic, on purpose: gcc 12 for riscv64 makes
 * amoswap even of a relaxed atomic store. An aligned word is one access on every ISA we know; the
 * ordering comes from the fences around it.
 */
static inline uint32_t nx_ring_load_(const volatile uint32_t *p)
{
    return *p;
}

static inline void nx_ring_store_(volatile uint32_t *p, uint32_t v)
{
    *p = v;
}

/* What a handle looks at that is attached to nothing: a peer that never does anything. */
static const struct nx_ring_end nx_ring_nowhere_;

/* There is nothing between `own` and the peer's index, or what is there is impossible. */
static inline int nx_ring_nothing_(struct nx_ring *r, uint32_t n)
{
    r->limit = r->own;
    if (n != 0 && r->error == 0) {
        r->error = -NX_EPEER;
        r->count = 0;
    }
    return r->error;
}

/* The peer's index again, for real: how many slots are usable (0 when none), or a negative code. */
static inline int nx_ring_refresh_(struct nx_ring *r, uint32_t bias)
{
    uint32_t limit = nx_ring_load_(&r->peer_end->index) + bias;
    uint32_t n = limit - r->own;
    nx_fence_observe();
    if (__builtin_expect(n - 1 >= r->count, 0)) {
        return nx_ring_nothing_(r, n);
    }
    r->limit = limit;
    return (int)n;
}

/* As many as are known to be usable, or a fresh look when that is none or fewer than wanted. */
static inline int nx_ring_usable_(struct nx_ring *r, uint32_t want, uint32_t bias)
{
    uint32_t n = r->limit - r->own;
    return n != 0 && n >= want ? (int)n : nx_ring_refresh_(r, bias);
}

static inline volatile nx_ring_word *nx_ring_words_(const struct nx_ring *r, uint32_t index)
{
    /* The mask takes what a sign puts above 32 bits, which costs less than none. */
    volatile uint8_t *slot =
        r->slots + ((uint64_t)(int32_t)index * sizeof(struct nx_slot) & r->slot_mask);
    __asm__("" : "+r"(slot)); /* or gcc adds base and offset again for each of the eight words */
    return (volatile nx_ring_word *)slot;
}

/* The one place where slots are copied: every word once, in order. */
static inline void nx_ring_copy_(volatile nx_ring_word *to, const volatile nx_ring_word *from)
{
#pragma GCC unroll 8
    for (unsigned w = 0; w < NX_RING_SLOT_WORDS; w++) {
        to[w] = from[w];
    }
}

/* Move the own index: what is before it is the peer's now. */
static inline void nx_ring_publish_(struct nx_ring *r, uint32_t own)
{
    r->own = own;
    nx_fence_publish(); /* our writes to, or reads of, the slots before the peer may take them */
    nx_ring_store_(&r->own_end->index, own);
}

/* --------------------------------------------------------------------------------------- attach */

/*
 * Take one side of the ring at `base`, of `size` bytes (both as told by the nucleus, not by the
 * peer). Goes on from the shared indices, so a restarted cell takes over where its predecessor
 * published last. 0, -NX_EINVAL when the region is no ring of ours, -NX_EPEER when the indices are
 * impossible. A handle that failed to attach answers its error to everything.
 */
static inline int nx_ring_attach(struct nx_ring *r, enum nx_ring_side side, void *base, size_t size)
{
    volatile struct nx_ring_region *region = base;

    *r = (struct nx_ring){.error = -NX_EINVAL,
                          .peer_end = &nx_ring_nowhere_,
                          .peer_generation_word = &nx_ring_nowhere_.index};
    if ((uintptr_t)base % NX_RING_PAGE != 0 || base == NULL || size < NX_RING_PAGE ||
        size > UINT32_MAX) {
        return -NX_EINVAL;
    }
    uint32_t magic = nx_ring_load_(&region->constant.magic);
    uint32_t version = nx_ring_load_(&region->constant.version);
    uint32_t slots = nx_ring_load_(&region->constant.slots);
    uint32_t buf_off = nx_ring_load_(&region->constant.buf_off);
    uint32_t buf_size = nx_ring_load_(&region->constant.buf_size);
    if (magic != NX_RING_MAGIC || version != NX_RING_VERSION) {
        return -NX_EINVAL;
    }
    if (slots < NX_RING_SLOTS_MIN || slots > NX_RING_SLOTS_MAX || (slots & (slots - 1)) != 0) {
        return -NX_EINVAL;
    }
    uint32_t slots_end = NX_RING_SLOTS_OFF + slots * (uint32_t)sizeof(struct nx_slot);
    /* slots_end <= buf_off <= size: so the slots are inside, too */
    if (buf_off % NX_RING_LINE != 0 || buf_off < slots_end || buf_off > size ||
        buf_size > size - buf_off) {
        return -NX_EINVAL;
    }
    r->own_end = &region->end[side];
    r->peer_end = &region->end[!side];
    r->slots = (volatile uint8_t *)base + NX_RING_SLOTS_OFF;
    r->slot_mask = (uint64_t)(slots - 1) * sizeof(struct nx_slot);
    r->count = slots;
    r->bias = side == NX_RING_PRODUCER ? slots : 0;
    r->buf = (uint8_t *)base + buf_off;
    r->buf_size = buf_size;
    r->peer_generation_word = &region->constant.generation[!side];
    r->peer_generation = nx_ring_load_(r->peer_generation_word);
    r->own = nx_ring_load_(&r->own_end->index);
    /* The predecessor may have died asleep. Keep its count, or the peer could take our next
     * announcement for one it has already rung for. */
    r->sleep = nx_ring_load_(&r->own_end->sleep) & ~1u;
    nx_ring_store_(&r->own_end->sleep, r->sleep);
    r->error = 0;
    int n = nx_ring_refresh_(r, r->bias);
    return n < 0 ? n : 0;
}

/*
 * The i-th slot itself, for both sides, where eight words of copying are too many. A producer only
 * stores to it; a consumer reads each field at most once and checks what it has read, not the slot:
 * the peer may change it at any time. i < what nx_ring_space() or nx_ring_pending() returned.
 */
static inline volatile struct nx_slot *nx_ring_slot(struct nx_ring *r, uint32_t i)
{
    return (volatile struct nx_slot *)nx_ring_words_(r, r->own + i);
}

/* ------------------------------------------------------------------------------------- producer */

/* How many slots may be filled, 0 when full. Looks at shared memory only when fewer than `want`
 * are known to be free. */
static inline int nx_ring_space(struct nx_ring *r, uint32_t want)
{
    return nx_ring_usable_(r, want, r->bias);
}

/* Fill the i-th slot not yet committed; i < what nx_ring_space() returned. */
static inline void nx_ring_write(struct nx_ring *r, uint32_t i, const struct nx_slot *slot)
{
    nx_ring_copy_(nx_ring_words_(r, r->own + i), (const volatile nx_ring_word *)slot);
}

/* Publish the first n written slots. Then ask nx_ring_needs_bell(). */
static inline void nx_ring_commit(struct nx_ring *r, uint32_t n)
{
    nx_ring_publish_(r, r->own + n);
}

/* Write and publish one slot: 0, -NX_EFULL or -NX_EPEER. */
static inline int nx_ring_push(struct nx_ring *r, const struct nx_slot *slot)
{
    if (__builtin_expect(r->own == r->limit, 0)) {
        int n = nx_ring_refresh_(r, r->bias);
        if (n <= 0) {
            return n < 0 ? n : -NX_EFULL;
        }
    }
    uint32_t own = r->own;
    nx_ring_copy_(nx_ring_words_(r, own), (const volatile nx_ring_word *)slot);
    nx_ring_publish_(r, own + 1);
    return 0;
}

/* ------------------------------------------------------------------------------------- consumer */

/* How many slots are waiting, 0 when empty. Looks at shared memory only when fewer than `want` are
 * known to wait. */
static inline int nx_ring_pending(struct nx_ring *r, uint32_t want)
{
    return nx_ring_usable_(r, want, 0);
}

/* The same by a look at shared memory, whatever is known: for who is told that there is something. */
static inline int nx_ring_pending_now(struct nx_ring *r)
{
    return nx_ring_refresh_(r, 0);
}

/* Copy out the i-th waiting slot without releasing it; i < what nx_ring_pending() returned. */
static inline void nx_ring_read(const struct nx_ring *r, uint32_t i, struct nx_slot *slot)
{
    nx_ring_copy_((volatile nx_ring_word *)slot, nx_ring_words_(r, r->own + i));
}

/* Give the first n slots back. Then ask nx_ring_needs_bell(): the producer may wait for space. */
static inline void nx_ring_release(struct nx_ring *r, uint32_t n)
{
    nx_ring_publish_(r, r->own + n);
}

/* Copy out and release one slot: 0, -NX_EEMPTY or -NX_EPEER. */
static inline int nx_ring_pop(struct nx_ring *r, struct nx_slot *slot)
{
    if (r->own == r->limit) {
        int n = nx_ring_refresh_(r, 0);
        if (__builtin_expect(n <= 0, 0)) {
            return n < 0 ? n : -NX_EEMPTY;
        }
    }
    uint32_t own = r->own;
    nx_ring_copy_((volatile nx_ring_word *)slot, nx_ring_words_(r, own));
    nx_ring_publish_(r, own + 1);
    return 0;
}

/* -------------------------------------------------------------------------- sleeping and waking */

/*
 * After commit or release: must the peer be woken? When it returns true the caller owes one `send`;
 * it returns true once per announcement.
 */
static inline bool nx_ring_needs_bell(struct nx_ring *r)
{
    nx_fence_full();
    uint32_t word = nx_ring_load_(&r->peer_end->sleep);
    if (__builtin_expect((word & 1) == 0 || word == r->bell_sent, 1)) {
        return false;
    }
    r->bell_sent = word;
    return true;
}

/*
 * The wait is over, or was not needed: bells are no longer wanted. Free when none was announced. Whoever soon announces
 * again anyway may leave it out; if it was not a bell that woke it, the peer may then ring once for nothing.
 */
static inline void nx_ring_sleep_cancel(struct nx_ring *r)
{
    if ((r->sleep & 1) != 0) {
        r->sleep &= ~1u;
        nx_ring_store_(&r->own_end->sleep, r->sleep);
    }
}

/*
 * Announce sleep and look again. 0: really nothing to do, the caller may `recv`, and after it must
 * nx_ring_sleep_cancel(). Otherwise the announcement is already taken back: >0 slots usable, or
 * -NX_EPEER. A bell may come although there was no wait; every waiter takes spurious wake-ups.
 * Every wait needs a prepare of its own: a bell is rung once per announcement.
 */
static inline int nx_ring_sleep_prepare(struct nx_ring *r)
{
    if (r->error != 0) {
        return r->error;
    }
    volatile struct nx_ring_end *end = r->own_end;
    const uint32_t sleep = (r->sleep | 1) + 2; /* the next count, asleep */
    r->sleep = sleep;
    nx_ring_store_(&end->index, r->own); /* as it is; damage to the word does not last */
    nx_ring_store_(&end->sleep, sleep);
    nx_fence_full();
    if (__builtin_expect(nx_ring_load_(&r->peer_end->index) + r->bias == r->own, 1)) {
        r->limit = r->own;
        return 0;
    }
    int n = nx_ring_refresh_(r, r->bias);
    if (n != 0) {
        nx_ring_sleep_cancel(r);
    }
    return n;
}

/* Was the peer restarted since we last asked or attached? True once per change. A hint: see top. */
static inline bool nx_ring_peer_changed(struct nx_ring *r)
{
    uint32_t now = nx_ring_load_(r->peer_generation_word);
    if (__builtin_expect(now == r->peer_generation, 1)) {
        return false;
    }
    r->peer_generation = now;
    return true;
}

/* -------------------------------------------------------------------------------------- mending */

/*
 * Write anew what this side knows of the shared words, after damage: the constants and its own index;
 * and forget that the peer's index was impossible. With `both` the peer's index becomes ours, too: what
 * was under way is gone. That is for a peer that is dead, or will attach anew: it finds an empty ring.
 */
static inline void nx_ring_mend(struct nx_ring *r, bool both)
{
    volatile struct nx_ring_region *region =
        (volatile struct nx_ring_region *)((uintptr_t)r->own_end & ~(uintptr_t)(NX_RING_PAGE - 1));
    if (region == NULL) {
        return; /* it has never been attached */
    }
    r->count = (uint32_t)(r->slot_mask / sizeof(struct nx_slot)) + 1;
    region->constant.magic = NX_RING_MAGIC;
    region->constant.version = NX_RING_VERSION;
    region->constant.slots = r->count;
    region->constant.buf_off = (uint32_t)((uintptr_t)r->buf - (uintptr_t)region);
    region->constant.buf_size = r->buf_size;
    nx_ring_store_(&r->own_end->index, r->own);
    if (both) {
        nx_ring_store_(&region->end[r->own_end == &region->end[0]].index, r->own);
    }
    r->limit = r->own;
    r->error = 0;
}

/* -------------------------------------------------------------------------------- shared buffer */

/*
 * Address of `len` bytes at `off` of the shared buffer, or NULL when they are not all inside it.
 * `off` and `len` are copies (from a struct nx_slot of the caller's own). The bytes stay the peer's
 * to change.
 */
static inline void *nx_ring_buf(const struct nx_ring *r, uint32_t off, uint32_t len)
{
    if (len > r->buf_size || off > r->buf_size - len) {
        return NULL;
    }
    return r->buf + off;
}

/* ------------------------------------------------------------------------------ for the nucleus */

/* Bytes a ring with this geometry takes, before rounding up to pages; 0 when it is not allowed. */
static inline size_t nx_ring_region_size(uint32_t slots, uint32_t buf_size)
{
    if (slots < NX_RING_SLOTS_MIN || slots > NX_RING_SLOTS_MAX || (slots & (slots - 1)) != 0) {
        return 0;
    }
    uint32_t slots_end = NX_RING_SLOTS_OFF + slots * (uint32_t)sizeof(struct nx_slot);
    if (buf_size > UINT32_MAX - slots_end - NX_RING_PAGE) {
        return 0;
    }
    return (size_t)slots_end + buf_size;
}

/* Write the constants of a new ring. `base` is page aligned, zeroed, and nx_ring_region_size(). */
static inline void nx_ring_format(void *base, uint32_t slots, uint32_t buf_size)
{
    volatile struct nx_ring_region *region = base;
    region->constant.version = NX_RING_VERSION;
    region->constant.slots = slots;
    region->constant.buf_off = NX_RING_SLOTS_OFF + slots * (uint32_t)sizeof(struct nx_slot);
    region->constant.buf_size = buf_size;
    nx_fence_publish();
    region->constant.magic = NX_RING_MAGIC;
}

/* Say that `side` is now held by this generation. The nucleus then wakes the other side. */
static inline void nx_ring_set_generation(void *base, enum nx_ring_side side, uint32_t generation)
{
    volatile struct nx_ring_region *region = base;
    nx_ring_store_(&region->constant.generation[side], generation);
}

#endif
