/*
 * strand.c - strands (nexus/strand.h) over turns this file makes: who runs when, who sleeps for whom, calls of several
 * over one client, and ends.
 *
 * test-sources: native/lib/strand.c native/lib/strand_stack.c native/lib/wait.c native/lib/map.c
 * test-sources: native/lib/channel.c native/lib/client.c native/lib/server.c native/lib/call.c native/lib/time.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nexus/call.h>
#include <nexus/cell.h>
#include <nexus/fiber.h>
#include <nexus/strand.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- the machine: turns ---- */

#define STACK (256ul << 10) /* what ASan needs */

_Thread_local struct strand *strand_host_running;
static ucontext_t contexts[32];
static unsigned context_count;

static ucontext_t *context(void)
{
    assert_true(context_count < 32);
    return &contexts[context_count++];
}

static void first_turn(struct strand *s)
{
    ucontext_t *c = context();
    getcontext(c);
    c->uc_stack.ss_sp = (uint8_t *)s->sp - STACK / 2;
    c->uc_stack.ss_size = STACK / 2;
    c->uc_link = NULL;
    makecontext(c, (void (*)(void))s->pc, 0);
    s->fp = c;
}

void strand_turn_(struct strand *from, struct strand *to)
{
    if (to->fp == NULL) {
        first_turn(to);
    }
    if (from->fp == NULL) {
        from->fp = context();
    }
    strand_host_running = to;
    swapcontext(from->fp, to->fp);
}

/* ---- the nucleus: what has fired is in `pending`; slot 1 is the ring to a server, 2 the one from it ---- */

#define WINDOW (1ul << 30)
#define FIRST 1u

uintptr_t cell_host_window;
static uint64_t pending, now;
static unsigned sleeps, looks;
static long refused; /* what recv answers instead */
static int file[4];
static void (*meanwhile)(uint64_t mask);

static long call_map(uint64_t op, uint64_t space, uint64_t va, uint64_t len, uint64_t slot_prot,
                     uint64_t off)
{
    const bool anon = op == NX_MAP_ANON;
    void *at = mmap((void *)va, len, PROT_READ | PROT_WRITE,
                    MAP_FIXED | (anon ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED),
                    anon ? -1 : file[slot_prot & 0xff], 0);
    return at == (void *)va ? 0 : -NX_ENOMEM;
}

static long call_meta(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    return op == NX_META_MACHINE ? 1000 : slot == 1 || slot == 2 ? 4096 : -NX_EBADF;
}

/* What the server rings is heard, when it rings: it does so for who has announced sleep only. */
static long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    pending |= slot == 2 ? 1ul << 2 : 0;
    return 0;
}

static long call_recv(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4,
                      uint64_t a5)
{
    if (refused != 0) {
        return refused;
    }
    looks += deadline == 0;
    if (deadline != 0 && (pending & mask) == 0) {
        sleeps++;
        if (meanwhile != NULL) {
            meanwhile(mask);
        }
    }
    const uint64_t fired = pending & mask;
    if (fired != 0) {
        pending &= ~(fired & -fired);
        return __builtin_ctzl(fired);
    }
    if (deadline == NX_NEVER) {
        return NX_KICKED;
    }
    now = deadline > now ? deadline : now;
    return -NX_ETIME;
}

static long call_tick(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    return op == NX_TICK_NOW ? (long)now : 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAP] = call_map,
             [NX_CALL_META] = call_meta,
             [NX_CALL_SEND] = call_send,
             [NX_CALL_RECV] = call_recv,
             [NX_CALL_TICK] = call_tick},
};
const struct nx_systable *nx_host_table = &table;

void fiber_lock(struct fiber_lock *l)
{
}

void fiber_unlock(struct fiber_lock *l)
{
}

static jmp_buf panicked;

_Noreturn void cell_panic(const char *fmt, ...)
{
    longjmp(panicked, 1);
}

/* ---- what they do ---- */

static char trace[256];

static void note(const char *what)
{
    strncat(trace, what, sizeof(trace) - strlen(trace) - 1);
}

static int setup(void **state)
{
    if (cell_host_window == 0) {
        cell_host_window = (uintptr_t)mmap(NULL, WINDOW, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    trace[0] = 0;
    pending = 0;
    now = 100;
    context_count = sleeps = looks = 0;
    refused = 0;
    meanwhile = NULL;
    assert_null(strand_self());
    return 0;
}

static void names_itself_thrice(void *arg)
{
    for (int i = 0; i < 3; i++) {
        note(arg);
        strand_yield();
    }
}

static void they_take_turns_in_the_order_they_were_made(void **state)
{
    struct strand a, b;
    assert_int_equal(strand_start(&a, names_itself_thrice, (void *)(uintptr_t) "a", NULL, STACK),
                     0);
    assert_int_equal(strand_start(&b, names_itself_thrice, (void *)(uintptr_t) "b", NULL, STACK),
                     0);
    assert_string_equal(trace, "");
    names_itself_thrice((void *)(uintptr_t) "m");
    assert_int_equal(strand_join(&a), 0);
    assert_int_equal(strand_join(&b), 0);
    assert_string_equal(trace, "mabmabmab");
    assert_int_equal(sleeps + looks, 0);
    assert_null(strand_self());
}

static struct strand *other;

static void hands_over(void *arg)
{
    note(arg);
    note(strand_switch(other) == 0 ? "+" : "-");
    note(arg);
}

static void a_switch_goes_past_the_round(void **state)
{
    struct strand a, b, c;
    strand_start(&a, names_itself_thrice, (void *)(uintptr_t) "a", NULL, STACK);
    strand_start(&b, hands_over, (void *)(uintptr_t) "b", NULL, STACK);
    strand_start(&c, names_itself_thrice, (void *)(uintptr_t) "c", NULL, STACK);
    other = strand_self();
    assert_int_equal(strand_switch(&b), 0);
    assert_string_equal(trace, "b");
    strand_join(&b);
    assert_string_equal(trace, "ba+bca");
    assert_int_equal(strand_switch(&b), -NX_EINVAL);
    strand_join(&c);
    strand_join(&a);
    assert_int_equal(strand_switch(&c), -NX_EINVAL);
}

static void waits_for(void *arg)
{
    const long r = strand_recv((uintptr_t)arg, NX_NEVER);
    char text[16];
    snprintf(text, sizeof(text), "%ld ", r);
    note(text);
}

static void fires_5(uint64_t mask)
{
    assert_int_equal(mask, 1 << 3 | 1 << 5);
    pending = 1 << 5;
    meanwhile = NULL;
}

static void one_sleep_is_for_all(void **state)
{
    struct strand a, b;
    strand_start(&a, waits_for, (void *)(1ul << 3), NULL, STACK);
    strand_start(&b, waits_for, (void *)(1ul << 5), NULL, STACK);
    meanwhile = fires_5;
    strand_join(&b);
    assert_string_equal(trace, "5 ");
    assert_int_equal(sleeps, 1);
    pending = 1 << 3;
    strand_join(&a);
    assert_string_equal(trace, "5 3 ");
    assert_int_equal(sleeps, 1);
}

static void who_shares_a_slot_goes_on_too(void **state)
{
    struct strand a, b, c;
    strand_start(&a, waits_for, (void *)(1ul << 3), NULL, STACK);
    strand_start(&b, waits_for, (void *)(1ul << 3 | 1ul << 7), NULL, STACK);
    strand_start(&c, waits_for, (void *)(1ul << 7), NULL, STACK);
    pending = 1 << 3;
    strand_join(&a);
    strand_join(&b);
    strand_join(&c);
    assert_string_equal(trace, "3 3 64 ");
}

static void a_deadline_is_its_own(void **state)
{
    struct strand a, b;
    strand_start(&a, waits_for, (void *)(1ul << 3), NULL, STACK);
    strand_start(&b, waits_for, (void *)(1ul << 5), NULL, STACK);
    assert_int_equal(strand_recv(1ul << 7, 150), -NX_ETIME);
    assert_int_equal(now, 150);
    assert_string_equal(trace, "");
    cell_sleep_ms(7);
    assert_int_equal(now, 157);
    assert_int_equal(strand_recv(1ul << 9, 0), -NX_ETIME);
    pending = 1 << 9 | 1 << 3;
    assert_int_equal(strand_recv(1ul << 9, 0), 9);
    strand_join(&a);
    pending = 1 << 5;
    strand_join(&b);
    assert_string_equal(trace, "3 5 ");
}

static void a_wake_up_comes_now_or_at_the_next_wait(void **state)
{
    struct strand a;
    strand_start(&a, waits_for, (void *)0, NULL, STACK);
    assert_int_equal(strand_wake(&a), 0);
    strand_join(&a);
    strand_start(&a, waits_for, (void *)(1ul << 3), NULL, STACK);
    strand_yield();
    assert_string_equal(trace, "64 ");
    assert_int_equal(strand_wake(&a), 0);
    strand_join(&a);
    assert_string_equal(trace, "64 64 ");
    assert_int_equal(strand_wake(&a), -NX_EINVAL);
}

static bool stop;

static void runs(void *arg)
{
    while (!stop) {
        strand_yield();
    }
}

/* Who waits is not forgotten while others run all the time. */
static void who_runs_looks_for_who_waits(void **state)
{
    struct strand a, b, c;
    stop = false;
    strand_start(&a, runs, NULL, NULL, STACK);
    strand_start(&b, runs, NULL, NULL, STACK);
    strand_start(&c, waits_for, (void *)(1ul << 3), NULL, STACK);
    strand_yield();
    pending = 1 << 3;
    for (unsigned i = 0; i < STRAND_TURNS + 2; i++) {
        strand_yield();
    }
    assert_string_equal(trace, "3 ");
    assert_int_equal(sleeps, 0);
    stop = true;
    strand_join(&a);
    strand_join(&b);
    strand_join(&c);
}

static unsigned low, high;

static void counts_low(void *arg)
{
    while (!stop) {
        low += strand_recv(1ul << 2, NX_NEVER) == 2;
        pending |= 1ul << 2;
    }
}

static void counts_high(void *arg)
{
    high += strand_recv(1ul << 9, NX_NEVER) == 9;
    stop = true;
}

/* A slot that always fires does not hide a higher one. */
static void a_busy_slot_hides_nobody(void **state)
{
    struct strand a, b;
    stop = false;
    low = high = 0;
    pending = 1 << 2 | 1 << 9;
    strand_start(&a, counts_low, NULL, NULL, STACK);
    strand_start(&b, counts_high, NULL, NULL, STACK);
    strand_join(&b);
    strand_join(&a);
    assert_int_equal(high, 1);
    assert_true(low > 1 && low < 20);
}

static void an_error_of_recv_is_for_all(void **state)
{
    struct strand a;
    strand_start(&a, waits_for, (void *)(1ul << 3), NULL, STACK);
    refused = -NX_EPERM;
    assert_int_equal(strand_recv(0, NX_NEVER), -NX_EPERM);
    strand_join(&a);
    assert_string_equal(trace, "-1 ");
}

static void without_strands_all_is_the_fibers(void **state)
{
    pending = 1 << 4;
    assert_int_equal(strand_recv(1ul << 4, NX_NEVER), 4);
    strand_yield();
    struct strand a;
    assert_int_equal(strand_start(&a, runs, NULL, trace, STRAND_STACK_MIN - 1), -NX_EINVAL);
    assert_null(strand_self());
    memset(&a, 0, sizeof(a));
    assert_int_equal(strand_join(&a), -NX_EINVAL);
    assert_int_equal(strand_switch(&a), -NX_EINVAL);
    if (setjmp(panicked) == 0) {
        strand_exit();
    }
}

static void joins_arg(void *arg)
{
    note(strand_join(strand_self()) == -NX_EINVAL ? "self " : "");
    note(strand_join(arg) == 0 ? "joined " : "not ");
    strand_exit();
    note("never");
}

static void a_strand_is_joined_once(void **state)
{
    static uint8_t stack[STACK];
    struct strand a, b;
    strand_start(&a, waits_for, (void *)(1ul << 3), stack, sizeof(stack));
    strand_start(&b, joins_arg, &a, NULL, STACK);
    strand_yield();
    assert_string_equal(trace, "self ");
    assert_int_equal(strand_join(&a), -NX_EINVAL);
    pending = 1 << 3;
    strand_join(&b);
    assert_string_equal(trace, "self 3 joined ");
}

static void overflows(void *arg)
{
    memset(arg, 0, 16);
    strand_yield();
}

static void an_overflow_ends_the_cell(void **state)
{
    static uint8_t stack[STACK];
    struct strand a;
    strand_start(&a, overflows, stack, stack, sizeof(stack));
    struct strand *me = strand_self();
    if (setjmp(panicked) == 0) {
        strand_yield();
        fail();
    }
    *a.mark = &a; /* and it was not so bad: it runs, on no stack of its own */
    strand_host_running = me;
    memset(&a, 0, sizeof(a));
    free(me->set);
    strand_host_running = NULL;
}

/* A stack that is given back is the next one's. */
static void stacks_are_used_again(void **state)
{
    struct strand a;
    void *first = NULL;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(
            strand_start(&a, names_itself_thrice, (void *)(uintptr_t) "x", NULL, STACK), 0);
        assert_true(first == NULL || first == a.stack);
        first = a.stack;
        strand_join(&a);
    }
}

/* ---- calls ---- */

static struct nexus_client client;
static struct nexus_server server;
static struct nx_slot backlog[8];
static unsigned most; /* requests that were under way together */

static void serves(uint64_t mask)
{
    struct nx_slot request[8];
    unsigned n = 0;
    while (n < 8 && server_take(&server, &request[n]) == 1) {
        n++;
    }
    most = n > most ? n : most;
    while (n > 0) { /* the last one first */
        struct nx_slot reply = {.word[1] = request[n - 1].word[0] * 2};
        assert_int_equal(server_reply(&server, &request[--n], 0, &reply), 0);
    }
    assert_int_equal(server_flush(&server), 0);
}

static void calls(void *arg)
{
    for (uint64_t i = 1; i < 5; i++) {
        struct nexus_call call = {.request.slot = {.type = 7, .word[0] = i * (uintptr_t)arg}};
        assert_int_equal(client_call(&client, &call, 1000), 0);
        assert_int_equal(call.reply.word[1], 2 * i * (uintptr_t)arg);
    }
    note("done ");
}

static void several_call_over_one_client(void **state)
{
    struct strand a, b, c;
    for (unsigned i = 1; i < 3; i++) {
        file[i] = memfd_create("ring", 0);
        assert_int_equal(ftruncate(file[i], 4096), 0);
        void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file[i], 0);
        nx_ring_format(at, 8, 0);
        munmap(at, 4096);
    }
    assert_int_equal(client_open(&client, FIRST), 0);
    assert_int_equal(server_open(&server, FIRST, 0, backlog, 8), 0);
    assert_int_equal(server_hello(&server, NULL), 0);
    meanwhile = serves;
    most = 0;
    strand_start(&a, calls, (void *)1, NULL, STACK);
    strand_start(&b, calls, (void *)10, NULL, STACK);
    strand_start(&c, calls, (void *)100, NULL, STACK);
    strand_join(&c);
    strand_join(&b);
    strand_join(&a);
    assert_string_equal(trace, "done done done ");
    assert_int_equal(most, 3);
    assert_int_equal(client.outstanding, 0);
    close(file[1]);
    close(file[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(they_take_turns_in_the_order_they_were_made, setup),
        cmocka_unit_test_setup(a_switch_goes_past_the_round, setup),
        cmocka_unit_test_setup(one_sleep_is_for_all, setup),
        cmocka_unit_test_setup(who_shares_a_slot_goes_on_too, setup),
        cmocka_unit_test_setup(a_deadline_is_its_own, setup),
        cmocka_unit_test_setup(a_wake_up_comes_now_or_at_the_next_wait, setup),
        cmocka_unit_test_setup(who_runs_looks_for_who_waits, setup),
        cmocka_unit_test_setup(a_busy_slot_hides_nobody, setup),
        cmocka_unit_test_setup(an_error_of_recv_is_for_all, setup),
        cmocka_unit_test_setup(without_strands_all_is_the_fibers, setup),
        cmocka_unit_test_setup(a_strand_is_joined_once, setup),
        cmocka_unit_test_setup(an_overflow_ends_the_cell, setup),
        cmocka_unit_test_setup(stacks_are_used_again, setup),
        cmocka_unit_test_setup(several_call_over_one_client, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
