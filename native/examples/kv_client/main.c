/* A client of the key/value service.  First everything once, with the errors; then it counts up values, reads each back, and
 * goes on until the server has had LIVES lives, of which it notices nothing but their number: kill it as often as
 * you like (`nexus kill kv`). */
#include <idl/kv.h>
#include <manifest/kv_client.h>
#include <nexus/cell.h>
#include <stdio.h>
#include <string.h>

#define LIVES 4u
#define KEYS 20u
#define PATIENCE_MS 20000

static struct nexus_client kv;
static struct kv_hello limits;

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    kv_hello_told(hello, &limits);
}

static uint64_t soon(void)
{
    return cell_now() + cell_ticks_of_ms(PATIENCE_MS);
}

static void want(int result, int e, const char *what)
{
    if (e != result) {
        cell_panic("%s: %d instead of %d", what, e, result);
    }
}

static int put(const char *key, const char *value)
{
    struct kv_put ask = {0};
    struct kv_put_answer answer;
    strlcpy(ask.key, key, sizeof(ask.key));
    memcpy(kv.pool, value, strlen(value));
    return kv_put(&kv, &ask, 0, (uint32_t)strlen(value), &answer, soon());
}

/* The value as a text of at most size - 1 characters. */
static int get(const char *key, char *value, uint32_t size)
{
    struct kv_get ask = {0};
    struct kv_get_answer answer;
    strlcpy(ask.key, key, sizeof(ask.key));
    int e = kv_get(&kv, &ask, 512, size - 1, &answer, soon());
    const uint32_t n = answer.length < size - 1 ? answer.length : size - 1;
    if (e == 0) {
        memcpy(value, kv.pool + 512, n);
        value[n] = 0;
    }
    return e;
}

static void everything_once(void)
{
    struct kv_remove gone = {.key = "b"};
    struct kv_next at = {0};
    struct kv_next_answer next;
    struct kv_put_answer answer;
    char text[8];
    want(0, put("b", "second"), "put");
    want(0, put("a", "first"), "put");
    want(0, put("b", "another"), "put again");
    want(0, get("b", text, sizeof(text)), "get");
    want(0, strcmp(text, "another"), "the value");
    want(0, kv_next(&kv, &at, &next, soon()), "the first key");
    want(0, strcmp(next.key, "a"), "the first key");
    want(-NX_ENOENT, get("c", text, sizeof(text)), "get what is not there");
    want(-NX_EINVAL, put("", "x"), "put without a key");
    const struct kv_put long_one = {.key = "long"};
    want(-NX_EINVAL, kv_put(&kv, &long_one, 0, limits.value_max + 1, &answer, soon()),
         "put too long a value");
    want(-NX_EINVAL, kv_put(&kv, &long_one, 0xfffffff0, 10, &answer, soon()),
         "put what is not in the pool");
    want(0, kv_remove(&kv, &gone, soon()), "remove");
    want(-NX_ENOENT, kv_remove(&kv, &gone, soon()), "remove again");
}

int cell_main(const struct nx_cellinfo *info)
{
    unsigned long rounds = 0;
    char key[16], value[24], text[24];
    kv.hello = on_hello;
    int e = client_open(&kv, SLOT_KV);
    if (e != 0 || kv.pool == NULL) {
        cell_panic("no key/value service: error %d", -e);
    }
    everything_once();
    cell_log("at work, %u keys at most", limits.keys_max);
    while (kv.generation < LIVES) {
        snprintf(key, sizeof(key), "key %lu", rounds % KEYS);
        if (rounds >= KEYS) { /* what was put a while ago is there */
            snprintf(value, sizeof(value), "value %lu", rounds - KEYS);
            want(0, get(key, text, sizeof(text)), "get");
            want(0, strcmp(value, text), "the value");
        }
        snprintf(value, sizeof(value), "value %lu", rounds++);
        want(0, put(key, value), "put");
    }
    cell_log("%lu values over %u lives of the server, %u strays", rounds, kv.generation, kv.strays);
    return 0;
}
