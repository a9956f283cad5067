/* See script.h; the rules are those of Linux' binfmt_script. */
#include "exec/script.h"

#include <asm/errno.h>
#include <stdbool.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the line ends, or 0 when the interpreter's name may be cut off at the end of the buffer. */
static size_t line_end(const char *head, size_t n)
{
    size_t i = 2;
    for (; i < n && head[i] != '\n' && head[i] != '\0'; i++) {
    }
    if (i < n || n < SCRIPT_HEAD) {
        return i;
    }
    size_t at = 2;
    while (at < n && is_blank(head[at])) {
        at++;
    }
    while (at < n && !is_blank(head[at])) {
        at++;
    }
    return at < n ? n : 0; /* only the argument may be cut */
}

int script_parse(char *head, size_t n, char **interp, char **arg)
{
    if (n < 2 || head[0] != '#' || head[1] != '!') {
        return -ENOEXEC;
    }
    size_t end = line_end(head, n), at = 2;
    while (end > at && is_blank(head[end - 1])) {
        end--;
    }
    while (at < end && is_blank(head[at])) {
        at++;
    }
    if (at >= end) {
        return -ENOEXEC;
    }
    head[end] = '\0';
    *interp = head + at;
    while (at < end && !is_blank(head[at])) {
        at++;
    }
    if (at == end) {
        *arg = NULL;
        return 0;
    }
    head[at++] = '\0';
    while (at < end && is_blank(head[at])) {
        at++;
    }
    *arg = head + at; /* not empty: the line does not end in blanks */
    return 0;
}
