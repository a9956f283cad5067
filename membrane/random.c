/* Random numbers for programs: a ChaCha20 generator with fast key erasure (nx_rng.h), seeded by rngd.
 *
 * Before the seed is there - or when there is no hardware source - it runs on what differs from start to
 * start: the time counter and the jitter of instructions against it, the boot arguments.  Good enough for
 * hash seeds and address layout, not for keys; mb_random_seeded() tells which it is, and only those who
 * do not care (/dev/urandom, GRND_INSECURE, AT_RANDOM) get numbers from it then.
 *
 * The boot arguments can settle it without a device: `nexus.seed=TEXT` counts as a seed (for runs that are
 * to be repeated, and for boot loaders that know one); `nexus.rng=jitter` says that the jitter is trusted.
 *
 * docs/random.md has the whole of it.
 */
#include "service.h"

#include <nexus/entropy.h>
#include <nx_chacha20.h>
#include <nx_rng.h>
#include <string.h>

#define SEED 48u                    /* bytes asked of rngd at a time */
#define RESEED_BYTES (1024u * 1024) /* given out */
#define RESEED_NS (300ul * 1000000000)
#define BOOT_WAIT_NS (5ul * 1000000000)

void (*mb_random_hook)(void);

static struct nx_rng rng;
static struct nexus_client rngd;
static struct nexus_request ask;
static bool have_rngd, asked, seeded;
static bool source = true; /* rngd has one, or has not spoken yet */
static uint64_t given, seeded_at;

/* What the machine does differently each time, as far as we can see. */
static void jitter(uint32_t nonce[3])
{
    uint64_t time = mb_arch_time(), instret = mb_arch_instret();
    nonce[0] = (uint32_t)time;
    nonce[1] = (uint32_t)(time >> 32) ^ (uint32_t)(instret >> 32);
    nonce[2] = (uint32_t)instret;
}

static void set_seeded(const char *by)
{
    if (!seeded) {
        mb_log("random numbers are seeded by %s", by);
    }
    seeded = true;
    if (mb_random_hook) {
        mb_random_hook();
    }
}

/* ---- rngd ---- */

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    uint8_t bytes[SEED];
    asked = false;
    given = 0;
    seeded_at = mb_arch_time();
    if (result != 0 || reply == NULL || reply->word32[1] != sizeof(bytes)) {
        mb_log_at(NX_LOG_ERR, "rngd gives no random numbers: %d", -result);
        return;
    }
    memcpy(bytes, rngd.pool + r->slot.buf_off, sizeof(bytes));
    nx_wipe(rngd.pool + r->slot.buf_off, sizeof(bytes));
    nx_rng_mix(&rng, bytes, sizeof(bytes));
    nx_wipe(bytes, sizeof(bytes));
    set_seeded("rngd");
}

static void greeted(struct nexus_client *c, const struct nx_slot *hello)
{
    source = (hello->word32[0] & NEXUS_RANDOM_SOURCE) != 0;
}

static void ask_rngd(void)
{
    if (have_rngd && !asked) {
        ask = (struct nexus_request){.slot = {.type = NEXUS_ENTROPY_READ, .buf_len = SEED},
                                     .done = answered};
        asked = client_submit(&rngd, &ask) == 0;
    }
}

static void lost(struct nexus_client *c)
{
    have_rngd = false;
    mb_log_at(NX_LOG_ERR, "rngd broke the protocol of its ring: it is not asked any more");
}

/* ---- giving ---- */

void mb_random(void *buf, size_t n)
{
    uint32_t nonce[3];
    jitter(nonce);
    nx_rng_bytes(&rng, buf, n, nonce);
    given += n;
    if (given >= RESEED_BYTES || mb_arch_time() - seeded_at >= mb_ns_to_ticks(RESEED_NS)) {
        ask_rngd();
    }
}

void mb_random_mix(const void *bytes, size_t n)
{
    nx_rng_mix(&rng, bytes, n);
}

bool mb_random_seeded(void)
{
    return seeded;
}

/* ---- the start ---- */

static void seed_poorly(const struct nx_cellinfo *info)
{
    uint32_t nonce[3];
    nx_rng_init(&rng);
    nx_rng_mix(&rng, info, sizeof(*info)); /* boot arguments and all */
    for (unsigned i = 0; i < 64; i++) {
        jitter(nonce);
        nx_rng_mix(&rng, nonce, sizeof(nonce));
    }
    seeded_at = mb_arch_time();
}

/* Process 1 is not to start on poor numbers when good ones are under way. */
static void wait_for_rngd(void)
{
    const uint64_t deadline = mb_arch_time() + mb_ns_to_ticks(BOOT_WAIT_NS);
    ask_rngd();
    while (have_rngd && asked && !seeded && source && mb_arch_time() < deadline) {
        if (client_poll(&rngd) != 0) {
            lost(&rngd);
        } else if (!seeded && source && client_sleep_prepare(&rngd) == 0) {
            nx_recv_wait(client_watch(&rngd), deadline);
            client_awake(&rngd);
        }
    }
}

void mb_random_init(const struct nx_cellinfo *info)
{
    seed_poorly(info);
    if (strstr(info->bootargs, "nexus.seed=") != NULL) {
        set_seeded("the boot argument nexus.seed");
    } else if (strstr(info->bootargs, "nexus.rng=jitter") != NULL) {
        set_seeded("jitter, as the boot argument nexus.rng wants");
    }
    rngd.hello = greeted;
    have_rngd = client_open(&rngd, MB_SLOT_RANDOM) == 0 && rngd.pool_size >= SEED;
    wait_for_rngd();
    if (have_rngd) {
        mb_service_add(&rngd, lost);
    }
    if (!seeded) {
        mb_log_at(NX_LOG_WARNING, "no good random numbers%s: getrandom and /dev/random wait",
                  have_rngd && source ? " yet" : ", there is no hardware source");
    }
}
