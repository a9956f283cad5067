/*
 * nexus: the cells of the system, and what can be done with them.
 *
 *      nexus COMMAND [ARGS]        `nexus --help` lists the commands
 *
 * The supervisor does the work, and what it answers is shown; docs/supervisor.md of the system's sources
 * has the columns. Exit status: 0 done, 1 refused or failed (a message says why), 2 wrong usage.
 */
#include "nexus.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name, *args, *what, *more;
    int (*main)(int argc, char **argv); /* argv[0] is the command's name */
};

static int tell_main(int argc, char **argv);
static int beb_main(int argc, char **argv);
static int cell_main(int argc, char **argv);
static int swap_main(int argc, char **argv);

static const struct command commands[] = {
    {"ps", "", "show the cells",
     "Columns: name, generation (1: its first life), state, tier, placement, restarts, pages in\n"
     "use, energy used (microseconds of a hart), fibers, seconds it ran, and a note.\n"
     "States: running; waiting (it died too often, and will start again); quarantine (it died\n"
     "again and again, and stays dead until `nexus restart`); absent (it cannot be: see the\n"
     "note); down (it ended, and is not to start again).\n",
     tell_main},
    {"top", "[-n TIMES] [-d SECONDS]", "show what the cells use, again and again",
     "  -n TIMES     end after so many screens\n"
     "  -d SECONDS   time between two of them (2)\n"
     "Columns: name, generation, state, tier, share of a hart since the screen before, pages in\n"
     "use, pages it may use, fibers, seconds it ran, energy (microseconds of a hart it uses in a\n"
     "second / may use; -: no limit), restarts.\n",
     top_main},
    {"cores", "", "show how fast the harts are, and of what class",
     "Columns: hart, class (apex, forge, mill, ember: by its share of the fastest one's speed), speed (rounds\n"
     "of a fixed piece of work in a millisecond), share, seconds it was idle, how long it was measured at\n"
     "boot.  Of several idle harts a fiber gets the one whose class suits its tier.\n",
     tell_main},
    {"sched", "[--svg] [-t MS] [-w COLUMNS]", "show who ran when, on each hart",
     "  --svg        as a picture (SVG) instead of text\n"
     "  -t MS        record for so long, at most 10000 (1000: a second)\n"
     "  -w COLUMNS   columns of the text (72)\n"
     "A line a hart, from the left to the right; a column has the letter of the cell that ran longest in it,\n"
     "a dot if the hart was idle.  Below: letter, cell, share of the time of each hart.  What was\n"
     "recorded and is gone again, for many switches, is left blank (?).\n",
     sched_main},
    {"services", "", "show the interfaces, who serves and who uses them", "", tell_main},
    {"log", "[-f] [FROM]", "show what cells logged",
     "  -f           go on with what is added, until interrupted\n"
     "Without FROM: the stream /Bus/log, as far as it is kept: [seconds since boot],\n"
     "cell.generation, # and the cell's own count of lines (! and a number: an entry of the Boot\n"
     "Error Buffer), text.  With FROM, or when there is no such stream: what the nucleus keeps, from\n"
     "line number FROM on: number, seconds since boot, cell.generation: text.\n",
     log_main},
    {"beb", "[N]", "show the newest N entries of the Boot Error Buffer (20)",
     "Columns: number, seconds since boot, hart, kind, cell.generation, fiber, two arguments.\n",
     beb_main},
    {"pledge", "CELL", "show what classes of calls a cell may make",
     "In brackets: what its manifest allows and it has given up since.\n", cell_main},
    {"kill", "CELL", "end a cell; whether it starts again its manifest says", "", cell_main},
    {"restart", "CELL", "end a cell and start it, whatever became of it",
     "This also ends a quarantine.\n", cell_main},
    {"swap", "CELL IMAGE", "let a cell go on from another image",
     "IMAGE is a file if it has a slash in it, else a cell image of the boot bundle.  It must have\n"
     "the cell's name, and serve and use the same.\n",
     swap_main},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
    fputs(
        "Usage: nexus COMMAND [ARGS]\n\nThe cells of the system, and what can be done with them.\n\n",
        to);
    for (size_t i = 0; i < COMMANDS; i++) {
        char how[48];
        snprintf(how, sizeof(how), "%s %s", commands[i].name, commands[i].args);
        fprintf(to, "  %-28s %s\n", how, commands[i].what);
    }
    fputs("\n`nexus COMMAND --help` tells more.  Exit status: 0 done, 1 refused or failed, 2 wrong "
          "usage.\n",
          to);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int wrong_usage(const char *name)
{
    fprintf(stderr, "Usage: nexus %s %s\n", name, find(name)->args);
    return USAGE;
}

static int show(char *answer)
{
    if (!answer)
        return FAILED;
    fputs(answer, stdout);
    free(answer);
    return DONE;
}

static int tell_main(int argc, char **argv)
{
    return argc == 1 ? show(bus_get("%s", argv[0])) : wrong_usage(argv[0]);
}

static int beb_main(int argc, char **argv)
{
    if (argc == 1)
        return show(bus_get("beb"));
    long long n = argc == 2 ? number_arg(argv[1], LLONG_MAX) : -1;
    return n < 0 ? wrong_usage(argv[0]) : show(bus_get("beb %lld", n));
}

/* The supervisor takes words apart at spaces: an argument must be one. */
static int one_word(const char *text)
{
    return *text && !text[strcspn(text, " \t\n")];
}

static int cell_main(int argc, char **argv)
{
    if (argc != 2 || !one_word(argv[1]))
        return wrong_usage(argv[0]);
    return show(bus_get("%s %s", argv[0], argv[1]));
}

static int swap_file(const char *cell, const char *path)
{
    char line[128];
    size_t n;
    int head = snprintf(line, sizeof(line), "swap %s -\n", cell);

    if (head < 0 || (size_t)head >= sizeof(line)) {
        fprintf(stderr, "nexus: no cell has such a long name\n");
        return FAILED;
    }
    char *command = file_read(path, (size_t)head, &n);
    if (!command)
        return FAILED;
    memcpy(command, line, (size_t)head);
    char *answer = bus_ask(command, (size_t)head + n);
    free(command);
    if (answer && strncmp(answer, "error: ", 7) == 0) {
        fprintf(stderr, "nexus: %s", answer + 7);
        free(answer);
        return FAILED;
    }
    return show(answer);
}

static int swap_main(int argc, char **argv)
{
    if (argc != 3 || !one_word(argv[1]) || !*argv[2])
        return wrong_usage(argv[0]);
    if (strchr(argv[2], '/'))
        return swap_file(argv[1], argv[2]);
    return one_word(argv[2]) && strcmp(argv[2], "-") != 0
               ? show(bus_get("swap %s %s", argv[1], argv[2]))
               : wrong_usage(argv[0]);
}

static int is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return USAGE;
    }
    if (is_help(argv[1])) {
        usage(stdout);
        return DONE;
    }
    const struct command *c = find(argv[1]);
    if (!c) {
        fprintf(stderr, "nexus: no command %s; see nexus --help\n", argv[1]);
        return USAGE;
    }
    for (int i = 2; i < argc; i++) {
        if (is_help(argv[i])) {
            printf("Usage: nexus %s %s\n\n%s.\n%s%s", c->name, c->args, c->what,
                   *c->more ? "\n" : "", c->more);
            return DONE;
        }
    }
    return c->main(argc - 1, argv + 1);
}
