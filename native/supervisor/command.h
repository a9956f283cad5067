/* The commands of the interface "control", as text: docs/supervisor.md has what each does and answers.
 *
 * A command is a line; what follows its end is data (an image).  Nothing here acts. */
#ifndef SUPERVISOR_COMMAND_H
#define SUPERVISOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_kind {
    COMMAND_HELP,
    COMMAND_PS,
    COMMAND_TOP,
    COMMAND_CORES,
    COMMAND_RECORD,
    COMMAND_SWITCHES,
    COMMAND_SERVICES,
    COMMAND_BEB,
    COMMAND_LOG,
    COMMAND_PLEDGE,
    COMMAND_KILL,
    COMMAND_RESTART,
    COMMAND_SWAP,
    COMMANDS
};

#define COMMAND_LINE_MAX 128u

struct command {
    enum command_kind kind;
    bool has_number;
    uint64_t number;
    char cell[32];
    char image[40];
};

/* NULL and the command, or what is wrong with it. */
const char *command_parse(const char *line, size_t n, struct command *out);

/* One line for each command: how it is written, what it does. */
extern const char command_help[];

#endif
