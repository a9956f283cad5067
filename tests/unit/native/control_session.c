/*
 * control_session.c - the supervisor's own service over a real session, with a client that does as it
 * likes: any request, any bytes in the pool, any damage to the rings.  Nothing is believed, everything is
 * answered, and the worst that comes of it is that the client answers for it.
 *
 * test-sources: native/supervisor/control.c native/supervisor/command.c native/supervisor/answer.c
 * test-sources: native/supervisor/plan.c native/supervisor/image.c native/lib/bundle.c
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
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

#include <nexus/cell.h>
#include <nexus/control.h>
#include <nx_base.h>
#include <nexus/session.h>
#include <sys/mman.h>
#include <unistd.h>

#include "panic.h"

#include "../../../native/supervisor/complaint.h"
#include "../../../native/supervisor/control.h"
#include "../../../native/supervisor/link.h"
#include "../../../native/supervisor/store.h"

/* ---- the nucleus: slots 4 to 6 are the server's end, 60 to 62 the client's ---- */

#define WINDOW (1ul << 32)
#define POOL 65536u
#define SLOTS 16u
#define CLIENT 60u

uintptr_t cell_host_window;
static int file[3]; /* to the server, to the client, pool */

static int file_of(uint64_t slot)
{
    return file[(slot >= CLIENT ? slot - CLIENT : slot - SLOT_CONTROL) % 3];
}

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    if (op == NX_MAP_UNMAP) {
        return munmap((void *)va, len);
    }
    void *at = mmap((void *)va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                    file_of(slot_prot & 0xff), 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    if (op == NX_META_SIZE) {
        return file_of(slot) == file[2] ? (long)POOL : 4096;
    }
    return -NX_EPERM;
}

static long call_nothing(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    return 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map,
             [NX_CALL_META] = call_meta,
             [NX_CALL_SEND] = call_nothing,
             [NX_CALL_GRANT] = call_nothing},
};
const struct nx_systable *nx_host_table = &table;

void cell_log(const char *fmt, ...)
{
}

/* ---- the rest of the supervisor ---- */

static struct service self = {.manifest = {.name = "supervisor"}, .slot = NX_SELF};
static struct service other = {.manifest = {.name = "other"}, .generation = 4};
static unsigned killed, restarted, swapped, kept, blamed;
static bool blame_works = true;

struct service *service_find(const char *name)
{
    return strcmp(name, "other") == 0 ? &other : strcmp(name, "supervisor") == 0 ? &self : NULL;
}

bool service_kill(struct service *s, uint64_t code, bool blame)
{
    assert_ptr_equal(s, &other);
    killed++;
    return true;
}

const char *service_restart(struct service *s)
{
    assert_ptr_equal(s, &other);
    restarted++;
    return NULL;
}

long service_swap(struct service *s, const struct nx_manifest *m, int image, uint64_t offset,
                  uint64_t size)
{
    assert_ptr_equal(s, &other);
    swapped++;
    return 0;
}

int store_image(uint64_t pages, void **at)
{
    kept++;
    *at = mmap(NULL, pages * NX_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0);
    return 1;
}

void store_drop(int place)
{
    assert_int_equal(place, 1);
    kept--;
}

void link_give(const struct service *s, const struct nx_want *w)
{
}

bool link_ends(const struct service *s, unsigned slot, struct service **server,
               struct service **client)
{
    assert_ptr_equal(s, &self);
    assert_int_equal(slot, SLOT_CONTROL);
    *server = &self;
    *client = &other;
    return true;
}

static unsigned complaints;

int complaint_hear(const struct service *client, const uint8_t *name, size_t size, bool silent)
{
    assert_int_equal(size, 7);
    assert_memory_equal(name, "block.0", size);
    assert_true(silent);
    assert_ptr_equal(client, &other); /* who has the channel, whatever the request says */
    complaints++;
    return -NX_EBUSY;
}

static void tell(struct answer *a)
{
    for (unsigned i = 0; i < 10000; i++) { /* more than fits anywhere */
        answer_add(a, "line %u\n", i);
    }
}

void show_ps(struct answer *a)
{
    tell(a);
}
void show_top(struct answer *a)
{
    tell(a);
}
void show_cores(struct answer *a)
{
    tell(a);
}
void run_record(const struct command *c, struct answer *a)
{
    tell(a);
}
void show_switches(const struct command *c, struct answer *a)
{
    tell(a);
}
void show_services(struct answer *a)
{
    tell(a);
}
void show_beb(const struct command *c, struct answer *a)
{
    tell(a);
}
void show_log(const struct command *c, struct answer *a)
{
    tell(a);
}
void show_pledge(const struct service *s, struct answer *a)
{
    tell(a);
}

/* ---- the client ---- */

static struct nexus_client client;
static struct nexus_request request;
static bool answered;
static int result;
static uint32_t length;

static void open_all(void);
static void close_all(void);

bool service_blame_client(struct service *s, unsigned slot)
{
    assert_ptr_equal(s, &self);
    assert_int_equal(slot, SLOT_CONTROL);
    blamed++;
    close_all(); /* new rings */
    open_all();
    return blame_works;
}

static void open_all(void)
{
    for (unsigned i = 0; i < 3; i++) {
        file[i] = memfd_create("memory", 0);
        assert_int_equal(ftruncate(file[i], i < 2 ? 4096 : POOL), 0);
        if (i < 2) {
            void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[i], 0);
            nx_ring_format(at, SLOTS, 0);
            munmap(at, 4096);
        }
    }
}

static void close_all(void)
{
    for (unsigned i = 0; i < 3; i++) {
        close(file[i]);
    }
}

static int setup(void **state)
{
    static struct bundle none;
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, WINDOW, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    killed = restarted = swapped = kept = blamed = 0;
    other.state = SERVICE_RUNNING;
    open_all();
    control_init(&self, &none);
    client = (struct nexus_client){0};
    assert_int_equal(client_open(&client, CLIENT), 0);
    for (unsigned i = 0; i < 3; i++) {
        bool busy = false;
        (void)control_prepare(&busy);
        control_serve();
        assert_int_equal(client_poll(&client), 0);
    }
    return 0;
}

static int teardown(void **state)
{
    close_all();
    return 0;
}

static void done(struct nexus_request *r, int how, const struct nx_slot *reply)
{
    answered = true;
    result = how;
    length = reply != NULL ? reply->word32[1] : 0;
}

static void ask_slot(const struct nx_slot *slot)
{
    request = (struct nexus_request){.slot = *slot, .done = done};
    answered = false;
    assert_int_equal(client_submit(&client, &request), 0);
    for (unsigned i = 0; i < 4 && !answered; i++) {
        control_serve();
        assert_int_equal(client_poll(&client), 0);
    }
    assert_true(answered);
}

/* Ask with these figures; the pool holds what it holds. */
static void ask_raw(uint16_t type, uint32_t off, uint32_t room, uint32_t len)
{
    const struct nx_slot slot = {.type = type, .buf_off = off, .buf_len = room, .word32 = {len}};
    ask_slot(&slot);
    assert_true(result != 0 || length <= room);
}

static const char *ask(const char *text, size_t n)
{
    memcpy(client.pool, text, n);
    ask_raw(NEXUS_CONTROL_COMMAND, 0, POOL, (uint32_t)n);
    assert_int_equal(result, 0);
    assert_true(length < POOL);
    client.pool[length] = 0;
    return (const char *)client.pool;
}

static bool says(const char *command, const char *word)
{
    return strstr(ask(command, strlen(command)), word) != NULL;
}

/* ---- tests ---- */

static void commands_are_carried_out(void **state)
{
    assert_true(says("ps", "line 0\n"));
    assert_true(says("ps\n", "line 0\n"));
    assert_true(says("kill other", "other generation 4 killed\n"));
    assert_int_equal(killed, 1);
    assert_true(says("restart other\nwhatever follows", "runs\n"));
    assert_int_equal(restarted, 1);
    assert_true(says("help", "swap CELL IMAGE"));
    other.state = SERVICE_QUARANTINE;
    assert_true(says("kill other", "error: other does not run\n"));
    other.state = SERVICE_ABSENT;
    assert_true(says("swap other -\nxx", "error: "));
}

static void refusals_are_answers(void **state)
{
    assert_true(says("", "error: "));
    assert_true(says("\n", "error: "));
    assert_true(says("no", "error: "));
    assert_true(says("kill nobody", "error: there is no cell nobody\n"));
    assert_true(says("kill supervisor", "error: nothing goes on"));
    assert_true(says("restart supervisor", "error: nothing goes on"));
    assert_true(says("swap supervisor -\nx", "error: nothing goes on"));
    assert_true(says("swap other nothing", "error: other: the boot bundle has no such image\n"));
    assert_true(says("swap other -", "error: other: no image follows\n"));
    assert_true(says("swap other -\n", "error: other: no image follows\n"));
    assert_true(says("swap other -\nthis is no image", "error: other: the image is malformed\n"));
    assert_int_equal(kept, 0);
    assert_int_equal(killed + restarted + swapped, 0);
}

static void long_lines_are_refused(void **state)
{
    char line[4096];
    memset(line, ' ', sizeof(line));
    memcpy(line, "ps", 2);
    assert_memory_equal(ask(line, COMMAND_LINE_MAX), "line 0", 6);
    assert_memory_equal(ask(line, COMMAND_LINE_MAX + 1), "error: ", 7);
    line[COMMAND_LINE_MAX - 1] = '\n';
    assert_memory_equal(ask(line, sizeof(line)), "line 0", 6);
}

static void the_figures_of_a_request_are_checked(void **state)
{
    static const uint32_t edge[] = {0,         1,          255,        256,
                                    4096,      POOL - 256, POOL - 1,   POOL,
                                    POOL + 1,  0x7fffffff, 0x80000000, UINT32_MAX - 255,
                                    UINT32_MAX};
    const unsigned n = sizeof(edge) / sizeof(edge[0]);
    memcpy(client.pool, "ps\n", 3);
    for (unsigned off = 0; off < n; off++) {
        for (unsigned room = 0; room < n; room++) {
            for (unsigned len = 0; len < n; len++) {
                ask_raw(NEXUS_CONTROL_COMMAND, edge[off], edge[room], edge[len]);
                bool good = (uint64_t)edge[off] + edge[room] <= POOL && edge[room] >= 256 &&
                            edge[len] <= edge[room];
                assert_int_equal(result, good ? 0 : -NX_EINVAL);
            }
        }
    }
    ask_raw(7, 0, POOL, 2);
    assert_int_equal(result, -NX_ENOSYS);
}

static void complain(const char *name, uint32_t size, uint16_t flags)
{
    struct nexus_request r;
    nexus_control_complain_request(&r, name, 7);
    r.slot.flags = flags;
    r.slot.buf_len = size;
    ask_slot(&r.slot);
}

static void complaints_are_heard(void **state)
{
    static const uint32_t bad[] = {0, 49, 1000, 0x80000000, UINT32_MAX};
    complaints = 0;
    complain("block.0", 7, NX_SLOT_INLINE);
    assert_int_equal(result, -NX_EBUSY);
    assert_int_equal(complaints, 1);
    complain("block.0", 7, 0);
    assert_int_equal(result, -NX_EINVAL);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        complain("block.0", bad[i], NX_SLOT_INLINE);
        assert_int_equal(result, -NX_EINVAL);
    }
    assert_int_equal(complaints, 1);
}

static uint64_t seed = 88172645463325252ul;
static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void any_request_is_answered(void **state)
{
    static const char *const start[] = {"swap other -\n", "kill other",  "beb ",
                                        "log 1",          "swap other ", ""};
    for (unsigned i = 0; i < 3000; i++) {
        const char *text = start[any() % 6];
        uint32_t off = (uint32_t)(any() % (POOL + 100)), room = (uint32_t)(any() % POOL);
        for (unsigned b = 0; b < 300; b++) {
            client.pool[any() % POOL] = (uint8_t)any();
        }
        if (off + strlen(text) <= POOL) {
            memcpy(client.pool + off, text, strlen(text));
        }
        ask_raw(any() % 16 == 0 ? (uint16_t)(any() & 0x7fff) : NEXUS_CONTROL_COMMAND, off, room,
                (uint32_t)(any() % (room + 2)));
    }
    assert_int_equal(kept, 0);
    assert_int_equal(swapped, 0);
}

/* The client's side of a ring, as it pleases. */
static void break_ring(unsigned which, unsigned index_of, uint32_t value)
{
    struct nx_ring_region *r = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[which], 0);
    r->end[index_of].index += value;
    munmap(r, 4096);
}

static void a_broken_ring_is_the_clients_fault(void **state)
{
    for (unsigned round = 0; round < 20; round++) {
        const unsigned before = blamed;
        if (round % 2 == 0) {
            break_ring(0, NX_RING_PRODUCER, SLOTS + 1 + round);
        } else {
            break_ring(1, NX_RING_CONSUMER, 1 + round);
            bool busy = false;
            (void)control_prepare(&busy);
        }
        control_serve();
        assert_true(blamed == before + 1 || round % 2 != 0);
        if (blamed == before) { /* seen when something is to be sent */
            teardown(NULL);
            setup(NULL);
            continue;
        }
        /* a new client, a new channel */
        client = (struct nexus_client){0};
        assert_int_equal(client_open(&client, CLIENT), 0);
        for (unsigned i = 0; i < 3; i++) {
            control_serve();
            assert_int_equal(client_poll(&client), 0);
        }
        assert_true(says("ps", "line 0\n"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_are_carried_out),
        TEST(refusals_are_answers),
        TEST(long_lines_are_refused),
        TEST(the_figures_of_a_request_are_checked),
        TEST(complaints_are_heard),
        TEST(any_request_is_answered),
        TEST(a_broken_ring_is_the_clients_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
