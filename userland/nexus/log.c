/*
 * nexus log: the log of the system.
 *
 * The stream of logd, /Bus/log, when there is one: all there was since boot, as far as it is kept.
 * With FROM, or without such a stream, what the nucleus keeps, asked of the supervisor: its lines have
 * numbers.  -f goes on with what is added.
 */
#include "nexus.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM "/Bus/log"
#define LOOK_US 200000 /* between two looks for more */

static int wrong_usage(void)
{
    fputs("Usage: nexus log [-f] [FROM]\n", stderr);
    return USAGE;
}

/* Print the lines (quiet: do not), and tell the number behind the last one's. */
static long long print(const char *answer, long long from, int quiet)
{
    for (const char *line = answer; *line;) {
        const char *end = strchr(line, '\n');
        size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
        from = strtoll(line, NULL, 10) + 1;
        if (!quiet)
            fwrite(line, 1, n, stdout);
        line += n;
    }
    return from;
}

/* What the nucleus keeps.  seen: all there is now is known already. */
static int nucleus_log(long long from, int follow, int seen)
{
    for (;;) {
        char *answer = bus_get("log %lld", from);
        if (!answer)
            return FAILED;
        from = print(answer, from, seen);
        seen = 0;
        free(answer);
        if (!follow)
            return DONE;
        if (fflush(stdout) != 0)
            return FAILED;
        usleep(LOOK_US);
    }
}

/* Copy the stream.  DONE: to its end - one that is followed has none, unless there is no logd. */
static int stream_log(int fd, int follow)
{
    char piece[4096];

    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n == 0 || (n < 0 && errno == EAGAIN))
            return DONE;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "nexus: %s: %s\n", STREAM, strerror(errno));
            return FAILED;
        }
        if (fwrite(piece, 1, (size_t)n, stdout) != (size_t)n || (follow && fflush(stdout) != 0))
            return FAILED;
    }
}

int log_main(int argc, char **argv)
{
    int follow = 0, c;
    long long from = 0;

    while ((c = getopt(argc, argv, "f")) != -1) {
        if (c != 'f')
            return wrong_usage();
        follow = 1;
    }
    if (argc - optind > 1 || (optind < argc && (from = number_arg(argv[optind], LLONG_MAX)) < 0))
        return wrong_usage();
    int fd = optind < argc ? -1 : open(STREAM, O_RDONLY | O_CLOEXEC | (follow ? 0 : O_NONBLOCK));
    if (fd < 0)
        return nucleus_log(from, follow, 0);
    int status = stream_log(fd, follow);
    close(fd);
    return status == DONE && follow ? nucleus_log(0, 1, 1) : status;
}
