/*
 * complaint.c - whose word ends which server: only a client's about a server of its own that has had its
 * chance, whatever the request looks like.
 *
 * test-sources: native/supervisor/complaint.c native/supervisor/restart.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../native/supervisor/complaint.h"
#include "../../../native/supervisor/link.h"

#include <nexus/cell.h>
#include <nexus/complaint.h>
#include <nexus/control.h>
#include <nexus/exit.h>
#include <nx/sys.h>
#include <nx_base.h>

static struct service posix = {.manifest = {.name = "posix"}, .slot = 1, .state = SERVICE_RUNNING};
static struct service disk, supervisor = {.slot = NX_SELF, .state = SERVICE_RUNNING};
static uint64_t now;
static unsigned killed;
static bool kill_works, doubted;

uint64_t service_now_ms(void)
{
    return now;
}

struct service *link_server(const struct service *client, const char *what)
{
    assert_ptr_equal(client, &posix);
    return strcmp(what, "block.0") == 0 ? &disk : strcmp(what, "control") == 0 ? &supervisor : NULL;
}

bool service_kill(struct service *s, uint64_t code, bool blamed)
{
    assert_ptr_equal(s, &disk);
    assert_int_equal(code, doubted ? NEXUS_KILL_DOUBTED : NEXUS_KILL_SILENT);
    assert_int_equal(blamed, !doubted);
    assert_ptr_equal(s->accuser, &posix);
    killed++;
    if (kill_works) { /* and its next life begins */
        s->born_ms = now;
    }
    return kill_works;
}

/* ---- native clients: what stands in their rings, and the event ---- */

static unsigned looks, granted;
static bool word; /* one of posix about the disk */
static uint64_t ticks;

bool link_words(link_told told)
{
    looks++;
    word = word && told(&posix, &disk, !doubted) == -NX_EBUSY;
    return word;
}

uint64_t cell_now(void)
{
    return ticks;
}

uint64_t cell_ticks_of_ms(uint64_t ms)
{
    return ms;
}

void cell_log(const char *fmt, ...)
{
}

static long call_make(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    assert_int_equal(op, NX_MAKE_EVENT);
    return 0;
}

static long call_grant(uint64_t op, uint64_t cell, uint64_t src, uint64_t dst, uint64_t rights,
                       uint64_t a5)
{
    assert_int_equal(op, NX_GRANT_COPY);
    assert_int_equal(cell, posix.slot);
    assert_int_equal(dst, NEXUS_COMPLAINT_SLOT);
    assert_int_equal(rights, NX_R_SEND);
    granted++;
    return 0;
}

static const struct nx_systable table = {
    .call = {[NX_CALL_MAKE] = call_make, [NX_CALL_GRANT] = call_grant}};
const struct nx_systable *nx_host_table = &table;

static int setup(void **state)
{
    disk = (struct service){.slot = 2, .state = SERVICE_RUNNING};
    now = 10000;
    killed = 0;
    doubted = false;
    kill_works = true;
    return 0;
}

static int hear(const char *what)
{
    return complaint_hear(&posix, (const uint8_t *)what, strlen(what), !doubted);
}

static void a_silent_server_ends(void **state)
{
    assert_int_equal(hear("block.0"), 0);
    assert_int_equal(killed, 1);
}

static void errors_are_nobodys_fault(void **state)
{
    doubted = true;
    assert_int_equal(hear("block.0"), 0);
    assert_int_equal(killed, 1);
    assert_int_equal(hear("block.0"), -NX_EBUSY);
    assert_int_equal(hear("control"), -NX_EPERM);
    assert_int_equal(killed, 1);
}

static void one_that_takes_long_to_end_is_heard_of_later(void **state)
{
    kill_works = false;
    assert_int_equal(hear("block.0"), 0);
    assert_int_equal(killed, 1);
}

static void others_are_left_alone(void **state)
{
    assert_int_equal(hear("block.1"), -NX_ENOENT);
    assert_int_equal(hear("block"), -NX_ENOENT);
    assert_int_equal(hear("control"), -NX_EPERM);
    assert_int_equal(killed, 0);
}

static void who_is_not_there_is_not_ended(void **state)
{
    static const int want[] = {[SERVICE_DOWN] = -NX_ENOENT,
                               [SERVICE_RUNNING] = 0,
                               [SERVICE_WAITING] = -NX_EBUSY,
                               [SERVICE_QUARANTINE] = -NX_ENOENT,
                               [SERVICE_ABSENT] = -NX_ENOENT};
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        disk.state = (enum service_state)i;
        disk.born_ms = 0;
        assert_int_equal(hear("block.0"), want[i]);
    }
    assert_int_equal(killed, 1);
}

/* Who complains all the time ends no life before it had its chance. */
static void a_life_has_its_chance(void **state)
{
    unsigned heard = 0;
    for (uint64_t end = now + 10000; now < end; now += 10) {
        int e = hear("block.0");
        assert_true(e == 0 || e == -NX_EBUSY);
        heard += e == 0;
    }
    assert_int_equal(killed, heard);
    assert_int_equal(heard, 10000 / NEXUS_CONTROL_FAIR_MS);
}

static void what_is_no_name_is_refused(void **state)
{
    static const size_t bad[] = {0, 32, 33, 48};
    uint8_t name[48];
    memset(name, 'x', sizeof(name));
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(complaint_hear(&posix, name, bad[i], true), -NX_EINVAL);
    }
    assert_int_equal(complaint_hear(&posix, name, 31, true), -NX_ENOENT);
    memcpy(name, "block.0", 8);
    assert_int_equal(complaint_hear(&posix, name, 8, true), -NX_EINVAL); /* a NUL inside */
    assert_int_equal(complaint_hear(&posix, name, 7, true), 0);
    assert_int_equal(killed, 1);
}

static void a_native_client_is_heard_when_it_rings(void **state)
{
    uint64_t deadline = NX_NEVER;
    complaint_init();
    complaint_give(&posix);
    assert_int_equal(granted, 1);
    ticks = 1000;
    const uint64_t watch = complaint_watch(&deadline);
    assert_true(watch != 0 && (watch & (watch - 1)) == 0);
    assert_int_equal(looks, 0);
    word = true;
    complaint_heard(__builtin_ctzl(watch) + 1);
    assert_true(complaint_watch(&deadline) != 0 && looks == 0);
    complaint_heard(__builtin_ctzl(watch));
    complaint_watch(&deadline);
    assert_int_equal(looks, 1);
    assert_int_equal(killed, 1);
    /* Who rings all the time is not heard oftener than anybody needs. */
    complaint_heard(__builtin_ctzl(watch));
    ticks += NEXUS_COMPLAINT_MS - 1;
    assert_int_equal(complaint_watch(&deadline), 0);
    assert_int_equal(deadline, 1000 + NEXUS_COMPLAINT_MS);
    assert_int_equal(looks, 1);
    ticks++;
    assert_int_equal(complaint_watch(&deadline), watch);
    assert_int_equal(looks, 2);
    assert_int_equal(killed, 1);
    /* One about a young life waits until that is old enough. */
    ticks += NEXUS_COMPLAINT_MS;
    word = true;
    complaint_heard(__builtin_ctzl(watch));
    assert_int_equal(complaint_watch(&deadline), 0);
    assert_int_equal(killed, 1);
    ticks += NEXUS_COMPLAINT_MS;
    now += NEXUS_CONTROL_FAIR_MS;
    assert_int_equal(complaint_watch(&deadline), watch);
    assert_int_equal(killed, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_silent_server_ends),          TEST(one_that_takes_long_to_end_is_heard_of_later),
        TEST(errors_are_nobodys_fault),      TEST(others_are_left_alone),
        TEST(who_is_not_there_is_not_ended), TEST(a_life_has_its_chance),
        TEST(what_is_no_name_is_refused),    TEST(a_native_client_is_heard_when_it_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
