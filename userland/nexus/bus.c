/* Talking to the supervisor through /Bus/supervisor: one write is one command, reads are its answer. */
#include "nexus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUS "/Bus/supervisor"
#define FIRST 4096u

static void complain(const char *what)
{
    fprintf(stderr, "nexus: %s: %s\n", what, strerror(errno));
}

/* All there is to read. */
static char *read_all(int fd)
{
    size_t size = FIRST, n = 0;
    char *text = malloc(size);

    while (text) {
        ssize_t got = read(fd, text + n, size - n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            if (got == 0) {
                text[n] = 0;
                return text;
            }
            break;
        }
        n += (size_t)got;
        if (size - n < FIRST / 2) {
            char *more = realloc(text, size *= 2);
            if (!more)
                break;
            text = more;
        }
    }
    complain(BUS);
    free(text);
    return NULL;
}

char *bus_ask(const char *command, size_t n)
{
    int fd = open(BUS, O_RDWR | O_CLOEXEC);
    char *answer = NULL;
    ssize_t put;

    if (fd < 0) {
        complain(BUS);
        return NULL;
    }
    do {
        put = write(fd, command, n);
    } while (put < 0 && errno == EINTR);
    if (put == (ssize_t)n)
        answer = read_all(fd);
    else if (put < 0 && errno == EFBIG)
        fprintf(stderr, "nexus: %zu bytes are more than the supervisor takes\n", n);
    else
        complain(BUS);
    close(fd);
    return answer;
}

char *bus_get(const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(line)) {
        fprintf(stderr, "nexus: too long a command\n");
        return NULL;
    }
    char *answer = bus_ask(line, (size_t)n);
    if (answer && strncmp(answer, "error: ", 7) == 0) {
        fprintf(stderr, "nexus: %s", answer + 7);
        free(answer);
        return NULL;
    }
    return answer;
}

char *file_read(const char *path, size_t head, size_t *size)
{
    struct stat st;
    char *data = NULL;
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0 || !(data = malloc(head + (size_t)st.st_size + 1))) {
        complain(path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    while (n < (size_t)st.st_size) {
        ssize_t got = read(fd, data + head + n, (size_t)st.st_size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (n < (size_t)st.st_size) {
        complain(path);
        free(data);
        return NULL;
    }
    *size = n;
    return data;
}

long long number_arg(const char *text, long long most)
{
    char *end;

    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end || end == text || v < 0 || v > most) {
        fprintf(stderr, "nexus: %s: not a number from 0 to %lld\n", text, most);
        return -1;
    }
    return v;
}
