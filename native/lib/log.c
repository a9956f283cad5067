/* The cell's lines in the nucleus' log.  See nexus/cell.h. */
#include <nexus/cell.h>
#include <nx/sys.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024

static void write_line(unsigned level, const char *text, size_t n)
{
    do {
        size_t part = n < NX_LOG_TEXT ? n : NX_LOG_TEXT;
        nx_meta_log((uint64_t)text, part, level);
        text += part;
        n -= part;
    } while (n > 0);
}

void cell_vlog(unsigned level, const char *fmt, va_list ap)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof(text), fmt, ap);
    const char *line = text;
    do {
        const char *end = strchrnul(line, '\n');
        write_line(level, line, (size_t)(end - line));
        line = *end != 0 ? end + 1 : end;
    } while (*line != 0);
}

void cell_log(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(NX_LOG_INFO, fmt, ap);
    va_end(ap);
}

void cell_log_at(unsigned level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cell_vlog(level, fmt, ap);
    va_end(ap);
}
