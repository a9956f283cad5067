/*
 * Memory runs out: every allocation of every system call fails in turn, on a whole personality.
 * test-sources: tests/unit/posix/nomem/?*.c tests/unit/posix/nomem/machine/?*.c posix/?*.c posix/[a-z]*[a-z]/?*.c membrane/tax.c
 */
#include "nomem/scenario.h"

#include <stdio.h>

static void try_one(void **state)
{
    assert_int_equal(scenario_try(*state), 0);
}

/* Calls that no scenario makes. */
static const struct {
    unsigned nr;
    const char *why;
} without[] = {
    {__NR_reboot, "ends the machine; takes nothing before"},
    {__NR_restart_syscall, "only goes on with a sleep"},
};

static void every_call_is_made(void **state)
{
    static const struct {
        unsigned nr;
        const char *name;
    } calls[] = {
#define CALL(name, flags) {__NR_##name, #name},
#include "calls.def"
#undef CALL
    };
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bool fine = calls_made[calls[i].nr];
        for (unsigned j = 0; j < sizeof(without) / sizeof(without[0]); j++) {
            if (without[j].nr == calls[i].nr) {
                assert_false(fine);
                fine = true;
            }
        }
        if (!fine) {
            print_error("no scenario makes the call %s\n", calls[i].name);
        }
        *(unsigned *)*state += !fine;
    }
    assert_int_equal(*(unsigned *)*state, 0);
}

int main(int argc, char **argv)
{
    static const struct scenario *const lists[] = {
        scenarios_files,   scenarios_dirs,      scenarios_pipes,     scenarios_events,
        scenarios_sockets, scenarios_memory,    scenarios_processes, scenarios_signals,
        scenarios_ipc,     scenarios_terminals, scenarios_system};
    static struct CMUnitTest tests[128];
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const struct scenario *s = lists[i]; s->name != NULL; s++) {
            if (argc < 2 || strstr(s->name, argv[1]) != NULL) {
                tests[n++] =
                    (struct CMUnitTest){s->name, try_one, NULL, NULL, (void *)(uintptr_t)s};
            }
        }
    }
    if (argc < 2) {
        static unsigned missing;
        tests[n++] =
            (struct CMUnitTest){"every_call_is_made", every_call_is_made, NULL, NULL, &missing};
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    machine_boot();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
