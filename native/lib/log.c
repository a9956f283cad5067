/* The cell's lines in the nucleus' log.  See nexus/cell.h. */
#include <nexus/cell.h>
#include <nx/sys.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX 256u /* what the nucleus takes in one call */
#define TEXT_MAX 1024

static void write_line(const char *text, size_t n)
{
    do {
        size_t part = n < LINE_MAX ? n : LINE_MAX;
        nx_meta_log((uint64_t)text, part);
        text += part;
        n -= part;
    } while (n > 0);
}

void cell_vlog(const char *fmt, va_list ap)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof(text), fmt, ap);
    const char *line = text;
    do {
        const char *end = strchrnul(line, '\n');
        write_line(line, (size_t)(end - line));
        line = *end != 0 ? end + 1 : end;
    } while (*line != 0);
}

void cell_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(fmt, ap);
    va_end(ap);
}
