/* See command.h. */
#include "command.h"

#include <nx_base.h>
#include <string.h>

const char command_help[] =
    "ps                 cells: what they are and do\n"
    "top                the machine and its cells in figures\n"
    "cores              harts: how fast they are, and of what class\n"
    "record MS          record the switches of all harts for so long; 0: forget them\n"
    "switches HART      what was recorded of a hart\n"
    "services           interfaces: who serves and who uses them\n"
    "beb [N]            the newest N entries of the Boot Error Buffer\n"
    "log [FROM]         the log, from line number FROM on\n"
    "pledge CELL        the classes of calls it may make\n"
    "kill CELL          end it; its restart policy decides\n"
    "restart CELL       end it and start it, whatever its policy\n"
    "swap CELL IMAGE    go on from another image of the boot bundle, or,\n"
    "                   with IMAGE -, from the bytes after this line\n";

enum words { NONE, NUMBER, CELL, CELL_IMAGE };

static const struct {
    const char *name;
    enum words words;
} commands[COMMANDS] = {
    [COMMAND_HELP] = {"help", NONE},         [COMMAND_PS] = {"ps", NONE},
    [COMMAND_TOP] = {"top", NONE},           [COMMAND_CORES] = {"cores", NONE},
    [COMMAND_RECORD] = {"record", NUMBER},   [COMMAND_SWITCHES] = {"switches", NUMBER},
    [COMMAND_SERVICES] = {"services", NONE}, [COMMAND_BEB] = {"beb", NUMBER},
    [COMMAND_LOG] = {"log", NUMBER},         [COMMAND_PLEDGE] = {"pledge", CELL},
    [COMMAND_KILL] = {"kill", CELL},         [COMMAND_RESTART] = {"restart", CELL},
    [COMMAND_SWAP] = {"swap", CELL_IMAGE},
};

struct reader {
    const char *at, *end;
};

/* The next word into `to`: its length, 0 when there is none, -1 when it does not fit. */
static int next_word(struct reader *r, char *to, size_t size)
{
    size_t n = 0;
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) {
        r->at++;
    }
    for (; r->at < r->end && *r->at != ' ' && *r->at != '\t'; r->at++) {
        if (n + 1 == size) {
            return -1;
        }
        to[n++] = *r->at;
    }
    to[n] = 0;
    return (int)n;
}

static bool read_number(const char *text, uint64_t *out)
{
    uint64_t v = 0;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9' || nx_mul_overflow(v, 10ul, &v) ||
            nx_add_overflow(v, (uint64_t)(*text - '0'), &v)) {
            return false;
        }
    }
    *out = v;
    return true;
}

static const char *parse_words(struct reader *r, enum words words, struct command *out)
{
    char number[24];
    int n;
    switch (words) {
    case NUMBER:
        n = next_word(r, number, sizeof(number));
        out->has_number = n > 0;
        return n < 0 || (n > 0 && !read_number(number, &out->number)) ? "a number is wanted" : NULL;
    case CELL:
    case CELL_IMAGE:
        n = next_word(r, out->cell, sizeof(out->cell));
        if (n <= 0) {
            return n == 0 ? "which cell?" : "no cell has such a long name";
        }
        n = words == CELL_IMAGE ? next_word(r, out->image, sizeof(out->image)) : 1;
        return n > 0 ? NULL : n == 0 ? "which image?" : "no image has such a long name";
    default:
        return NULL;
    }
}

const char *command_parse(const char *line, size_t n, struct command *out)
{
    struct reader r = {line, line + n};
    char word[16];
    *out = (struct command){.kind = COMMANDS};
    if (memchr(line, 0, n) != NULL) {
        return "a command is text";
    }
    if (next_word(&r, word, sizeof(word)) == 0) {
        return "which command?";
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i].name) == 0) {
            out->kind = (enum command_kind)i;
            const char *wrong = parse_words(&r, commands[i].words, out);
            return wrong != NULL || next_word(&r, word, sizeof(word)) == 0 ? wrong
                                                                           : "too many words";
        }
    }
    return "no such command";
}
