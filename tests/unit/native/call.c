/*
 * call.c - calls that wait (nexus/call.h) and servers of several clients (nexus/service.h), by the stubs of an
 * interface, against other sides that vanish, answer late, twice, or what nobody asked, and break their ring.
 *
 * test-sources: native/lib/map.c native/lib/wait.c native/lib/channel.c native/lib/client.c native/lib/server.c
 * test-sources: native/lib/call.c native/lib/service.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <idl/log.h>
#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nexus/service.h>
#include <sys/mman.h>
#include <unistd.h>

#include "panic.h"

/* ---- the nucleus: slot 1 is the ring to the server, 2 the one from it, 3 the pool ---- */

#define WINDOW (1ul << 30)
#define FIRST 1u
#define POOL 8192
#define SLOTS 8u

uintptr_t cell_host_window;
static int file[4];
static void (*meanwhile)(
    void); /* what the other side does while we sleep; NULL: the deadline passes */

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    void *at = mmap((void *)va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                    file[slot_prot & 0xff], 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    if (op == NX_META_SIZE) {
        return slot == 1 || slot == 2 ? 4096 : slot == 3 ? POOL : -NX_EBADF;
    }
    return -NX_EPERM;
}

static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    return 0;
}

static long call_recv(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    if (meanwhile == NULL) {
        return -NX_ETIME;
    }
    meanwhile();
    return 2;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map,
             [NX_CALL_META] = call_meta,
             [NX_CALL_SEND] = call_send,
             [NX_CALL_RECV] = call_recv},
};
const struct nx_systable *nx_host_table = &table;

/* ---- the end of a cell ---- */

static jmp_buf end;
static uint64_t end_code;

_Noreturn void cell_exit(uint64_t code)
{
    end_code = code;
    longjmp(end, 1);
}

_Noreturn void cell_no_channel(unsigned slot, const char *what, int e)
{
    cell_exit(NEXUS_EXIT_RINGS | slot);
}

void cell_log_at(unsigned level, const char *fmt, ...)
{
}

/* ---- the two sides ---- */

#define ONCE 77

static struct nexus_client client;
static struct service_client served[2];
static uint64_t log_end;
static unsigned carried_out;

static int on_read(void *ctx, const struct nx_slot *request, const struct nexus_stl_read *ask,
                   uint8_t *buf, uint32_t len, struct nexus_stl_read_answer *answer)
{
    carried_out++;
    memset(buf, 'x', len);
    *answer = (struct nexus_stl_read_answer){.length = len, .next = ask->from + 1, .end = log_end};
    return 0;
}

static int on_follow(void *ctx, const struct nx_slot *request, const struct nexus_stl_follow *ask,
                     struct nexus_stl_follow_answer *answer)
{
    answer->end = log_end;
    return log_end != ask->from ? 0 : NEXUS_LATER;
}

static struct nexus_stl_ops ops;

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    return nexus_stl_serve(session, request, &ops, NULL);
}

static struct service service = {.client = served, .clients = 2, .serve = serve};

static void work(void)
{
    service_work(&service);
}

static void server_start(void)
{
    memset(served, 0, sizeof(served));
    assert_int_equal(service_open(&service, FIRST, NULL), 1);
}

static int setup(void **state)
{
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, WINDOW, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    for (unsigned i = 1; i < 4; i++) {
        file[i] = memfd_create("memory", 0);
        assert_int_equal(ftruncate(file[i], POOL), 0);
        if (i < 3) {
            void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[i], 0);
            nx_ring_format(at, SLOTS, 0);
            munmap(at, 4096);
        }
    }
    ops = (struct nexus_stl_ops){.read = on_read, .follow = on_follow};
    log_end = 10;
    carried_out = 0;
    server_start();
    assert_int_equal(client_open(&client, FIRST), 0);
    meanwhile = work;
    return 0;
}

static int teardown(void **state)
{
    for (unsigned i = 1; i < 4; i++) {
        close(file[i]);
    }
    return 0;
}

static int read_one(struct nexus_stl_read_answer *a)
{
    const struct nexus_stl_read ask = {.from = 5};
    return nexus_stl_read(&client, &ask, 100, 50, a, 0);
}

static void read_right(void)
{
    struct nexus_stl_read_answer a;
    assert_int_equal(read_one(&a), 0);
    assert_int_equal(a.result, 0);
    assert_int_equal(a.length, 50);
    assert_int_equal(a.next, 6);
    assert_int_equal(a.end, log_end);
    assert_int_equal(client.outstanding, 0);
}

/* ---- tests ---- */

static void answered(void **state)
{
    read_right();
    assert_int_equal(client.pool[100], 'x');
    assert_int_equal(client.pool[149], 'x');
    assert_int_equal(client.pool[150], 0);
    assert_int_equal(client.strays, 0);
}

static void errors(void **state)
{
    const struct nexus_stl_read ask = {.from = 5};
    struct nexus_stl_read_answer a;
    assert_int_equal(nexus_stl_read(&client, &ask, POOL - 49, 50, &a, 0), -NX_EINVAL);
    assert_int_equal(a.result, -NX_EINVAL);
    assert_int_equal(nexus_stl_read(&client, &ask, UINT32_MAX, 2, &a, 0), -NX_EINVAL);
    assert_int_equal(carried_out, 0);
    ops.read = NULL;
    assert_int_equal(read_one(&a), -NX_ENOSYS);
    struct nexus_call call = {.request.slot.type = 99};
    assert_int_equal(client_call(&client, &call, 0), -NX_ENOSYS);
    assert_true(call.answered);
}

/* The server does not answer in time; when it does, nobody is there, and the next call is not confused. */
static void late(void **state)
{
    struct nexus_stl_read_answer a;
    read_right();
    meanwhile = NULL;
    assert_int_equal(read_one(&a), -NX_ETIME);
    assert_int_equal(a.result, -NX_ETIME);
    assert_int_equal(client.outstanding, 0);
    meanwhile = work;
    read_right();
    assert_int_equal(client.strays, 1);
    assert_int_equal(carried_out, 3);
}

/* Before the first HELLO nothing is sent; what was given up is not sent later. */
static void given_up_unsent(void **state)
{
    struct nexus_stl_read_answer a;
    struct nexus_request other = {.slot.type = 99};
    meanwhile = NULL;
    assert_int_equal(read_one(&a), -NX_ETIME);
    assert_int_equal(read_one(&a), -NX_ETIME);
    assert_false(client_cancel(&client, &other));
    assert_null(client.waiting);
    meanwhile = work;
    read_right();
    assert_int_equal(carried_out, 1);
    assert_int_equal(client.strays, 0);
}

static void push_reply(const struct nx_slot *reply)
{
    assert_int_equal(nx_ring_push(&served[0].session.ch.out, reply), 0);
}

/* The server's answer comes again, and once more with a cookie nobody has. */
static void work_twice(void)
{
    const uint32_t own = served[0].session.ch.out.own;
    service_work(&service);
    if (served[0].session.ch.out.own != own) {
        static struct nx_slot reply;
        nx_ring_read(&served[0].session.ch.out, SLOTS - 1, &reply);
        push_reply(&reply);
        reply.cookie += 1u << 8;
        push_reply(&reply);
    }
}

static void twice(void **state)
{
    read_right(); /* HELLO is through */
    meanwhile = work_twice;
    read_right();
    meanwhile = work;
    read_right();
    assert_int_equal(client.strays, 2);
}

/* An answer to another question, with the right cookie. */
static void work_wrong(void)
{
    struct nx_slot request;
    if (server_take(&served[0].session, &request) == 1) {
        static struct nx_slot reply;
        reply = (struct nx_slot){
            .type = NEXUS_STL_FOLLOW, .flags = NX_SLOT_REPLY, .cookie = request.cookie};
        push_reply(&reply);
        reply.type = request.type;
        reply.flags = 0; /* no reply at all, but an event */
        push_reply(&reply);
        reply.cookie--;
        reply.flags = NX_SLOT_REPLY;
        push_reply(&reply);
    } else {
        meanwhile = NULL;
    }
}

static void to_another_cookie(void **state)
{
    struct nexus_stl_read_answer a;
    read_right();
    meanwhile = work_wrong;
    assert_int_equal(read_one(&a), -NX_ETIME);
    assert_int_equal(client.strays, 2);
    assert_int_equal(client.outstanding, 0);
}

/* The server takes the request and dies; its next life answers. */
static unsigned deaths;

static void work_dies(void)
{
    struct nx_slot request;
    if (deaths == 0 && server_take(&served[0].session, &request) == 1) {
        deaths++;
        server_start();
    }
    service_work(&service);
}

static void dies_and_comes_again(void **state)
{
    struct nexus_call once = {.request.slot.type = ONCE};
    read_right();
    deaths = 0;
    meanwhile = work_dies;
    read_right();
    assert_int_equal(deaths, 1);
    deaths = 0;
    assert_int_equal(client_call(&client, &once, 0), -NX_EPEER);
    assert_false(once.answered);
    assert_int_equal(deaths, 1);
}

/* The client vanishes while its request is kept: the next client gets nothing of it. */
static void client_vanishes(void **state)
{
    const struct nexus_stl_follow ask = {.from = 10};
    struct nexus_request r;
    struct nexus_stl_follow_answer a;
    read_right();
    nexus_stl_follow_request(&r, &ask);
    assert_int_equal(client_submit(&client, &r), 0);
    work();
    assert_int_equal(served[0].kept_count, 1);
    memset(&client, 0, sizeof(client));
    assert_int_equal(client_open(&client, FIRST), 0);
    read_right();
    assert_int_equal(served[0].kept_count, 0);
    assert_int_equal(served[0].session.taken, 0);
    log_end = 11;
    assert_int_equal(nexus_stl_follow(&client, &ask, &a, 0), 0);
    assert_int_equal(a.end, 11);
    assert_int_equal(client.strays, 0);
}

static void news(void)
{
    service_work(&service);
    log_end++;
}

static void kept(void **state)
{
    const struct nexus_stl_follow ask = {.from = 10};
    struct nexus_stl_follow_answer a;
    read_right();
    meanwhile = news;
    assert_int_equal(nexus_stl_follow(&client, &ask, &a, 0), 0);
    assert_true(a.end > 10);
}

static volatile struct nx_ring_end *end_of(int slot, enum nx_ring_side side)
{
    struct nx_ring_region *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[slot], 0);
    return &at->end[side];
}

/* A client breaks its ring: this server has its supervisor make the channel anew. */
static void client_breaks_the_ring(void **state)
{
    read_right();
    end_of(1, NX_RING_PRODUCER)->index += 1000;
    end_code = 0;
    if (setjmp(end) == 0) {
        service_work(&service);
        fail();
    }
    assert_int_equal(end_code, NEXUS_EXIT_PEER | FIRST);
}

/* The server breaks it while a call waits: the caller hears that nobody answers, and its next life works. */
static void work_breaks(void)
{
    end_of(2, NX_RING_PRODUCER)->index += 1000;
    meanwhile = NULL;
}

static void server_breaks_the_ring(void **state)
{
    struct nexus_stl_read_answer a;
    read_right();
    meanwhile = work_breaks;
    assert_int_equal(read_one(&a), -NX_ETIME);
    for (int i = 0; i < 40; i++) { /* until the client has given up and emptied the ring */
        meanwhile = NULL;
        assert_int_equal(read_one(&a), -NX_ETIME);
    }
    server_start();
    meanwhile = work;
    read_right();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answered),
        TEST(errors),
        TEST(late),
        TEST(given_up_unsent),
        TEST(twice),
        TEST(to_another_cookie),
        TEST(dies_and_comes_again),
        TEST(client_vanishes),
        TEST(kept),
        TEST(client_breaks_the_ring),
        TEST(server_breaks_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
