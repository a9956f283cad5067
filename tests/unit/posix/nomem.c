/*
 * Memory runs out: every allocation of every system call fails in turn, on a whole personality.
 * test-sources: tests/unit/posix/nomem/?*.c tests/unit/posix/nomem/machine/?*.c posix/?*.c posix/[a-z]*[a-z]/?*.c membrane/tax.c
 */
#include "nomem/scenario.h"

static void try_one(void **state)
{
    assert_int_equal(scenario_try(*state), 0);
}

int main(int argc, char **argv)
{
    static const struct scenario *const lists[] = {scenarios_files, scenarios_dirs, scenarios_pipes, scenarios_events,
scenarios_sockets, scenarios_memory, scenarios_processes, scenarios_signals, scenarios_ipc, scenarios_terminals, scenarios_system};
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
    machine_boot();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
