/* A key/value service (interface "kv", native/examples/common/kv.idl) whose values outlive it.
 *
 * The table is an array in the order of its keys.  Every change is saved with the nucleus (checkpoint) before it is
 * answered, so whoever was told that a value is kept finds it in the next life; a change that was not answered is asked
 * again by the client's side of the session, and to put a value twice is to put it once.
 *
 * What it does not do: it never waits, so it needs no NEXUS_LATER; and it believes nothing of what clients say: the stubs
 * end texts and check pieces of the pool, the rest is here.
 */
#include <idl/kv.h>
#include <manifest/kv.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nx/sys.h>
#include <string.h>

#define KEYS_MAX 128u
#define KEY_MAX 32u
#define VALUE_MAX 200u

struct entry {
    char key[KEY_MAX];
    uint32_t length;
    uint8_t value[VALUE_MAX];
};

/* What is saved; 30 KiB, a checkpoint may have 32. */
static struct table {
    uint64_t magic;
    uint32_t count;
    struct entry entry[KEYS_MAX];
} table;
#define MAGIC 0x6b76746162303031ul
_Static_assert(sizeof(table) <= 32768, "fits a checkpoint");

/* Where the key is, or would be: the first entry whose key is not less. */
static uint32_t place_of(const char *key)
{
    uint32_t low = 0, high = table.count;
    while (low < high) {
        const uint32_t mid = (low + high) / 2;
        if (strcmp(table.entry[mid].key, key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool is_at(uint32_t i, const char *key)
{
    return i < table.count && strcmp(table.entry[i].key, key) == 0;
}

static int save(void)
{
    long e = nx_checkpoint_save((uint64_t)&table,
                                offsetof(struct table, entry) + table.count * sizeof(struct entry));
    return e < 0 ? -NX_EIO : 0;
}

/* The last life's table, if there is one that makes sense. */
static void load(void)
{
    const long n = nx_checkpoint_load((uint64_t)&table, sizeof(table));
    bool good = n >= (long)offsetof(struct table, entry) && table.magic == MAGIC &&
                table.count <= KEYS_MAX &&
                (uint64_t)n == offsetof(struct table, entry) + table.count * sizeof(struct entry);
    for (uint32_t i = 0; good && i < table.count; i++) {
        const struct entry *e = &table.entry[i];
        good = memchr(e->key, 0, KEY_MAX) != NULL && e->length <= VALUE_MAX &&
               (i == 0 || strcmp(table.entry[i - 1].key, e->key) < 0);
    }
    if (!good) {
        memset(&table, 0, sizeof(table));
        table.magic = MAGIC;
    }
}

/* ---- the messages ---- */

static int put(void *ctx, const struct nx_slot *request, const struct kv_put *ask, uint8_t *value,
               uint32_t length, struct kv_put_answer *answer)
{
    const uint32_t i = place_of(ask->key);
    if (ask->key[0] == 0 || length > VALUE_MAX) {
        return -NX_EINVAL;
    }
    if (!is_at(i, ask->key)) {
        if (table.count == KEYS_MAX) {
            return -NX_ENOMEM;
        }
        memmove(&table.entry[i + 1], &table.entry[i], (table.count - i) * sizeof(struct entry));
        table.count++;
        memset(&table.entry[i], 0, sizeof(struct entry));
        memcpy(table.entry[i].key, ask->key, KEY_MAX);
    }
    table.entry[i].length = length;
    memcpy(table.entry[i].value, value, length);
    answer->keys = table.count;
    return save();
}

static int get(void *ctx, const struct nx_slot *request, const struct kv_get *ask, uint8_t *to,
               uint32_t room, struct kv_get_answer *answer)
{
    const uint32_t i = place_of(ask->key);
    if (!is_at(i, ask->key)) {
        return -NX_ENOENT;
    }
    const struct entry *e = &table.entry[i];
    answer->length = e->length;
    memcpy(to, e->value, room < e->length ? room : e->length);
    return 0;
}

static int remove(void *ctx, const struct nx_slot *request, const struct kv_remove *ask)
{
    const uint32_t i = place_of(ask->key);
    if (!is_at(i, ask->key)) {
        return -NX_ENOENT;
    }
    table.count--;
    memmove(&table.entry[i], &table.entry[i + 1], (table.count - i) * sizeof(struct entry));
    return save();
}

static int next(void *ctx, const struct nx_slot *request, const struct kv_next *ask,
                struct kv_next_answer *answer)
{
    uint32_t i = place_of(ask->key);
    i += is_at(i, ask->key);
    if (i == table.count) {
        return -NX_ENOENT;
    }
    memcpy(answer->key, table.entry[i].key, KEY_MAX);
    return 0;
}

/* ---- the service ---- */

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    static const struct kv_ops ops = {.put = put, .get = get, .remove = remove, .next = next};
    return kv_serve(session, request, &ops, NULL);
}

static struct service_client clients[CLIENTS_CLIENTS];
static struct service service = {.client = clients, .clients = CLIENTS_CLIENTS, .serve = serve};

int cell_main(const struct nx_cellinfo *info)
{
    struct nx_slot hello = {0};
    const struct kv_hello limits = {.keys_max = KEYS_MAX, .value_max = VALUE_MAX};
    load();
    cell_log("generation %u, %u keys", info->generation, table.count);
    kv_hello_tell(&hello, &limits);
    service_open(&service, SLOT_CLIENTS, &hello);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
