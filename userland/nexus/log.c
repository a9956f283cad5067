/* nexus log: what the nucleus keeps of the log; with -f what is added as well. */
#include "nexus.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_US 200000 /* between two looks for more */

static int wrong_usage(void)
{
    fputs("Usage: nexus log [-f] [FROM]\n", stderr);
    return USAGE;
}

/* Print the lines, and tell the number behind the last one's. */
static long long print(const char *answer, long long from)
{
    for (const char *line = answer; *line;) {
        const char *end = strchr(line, '\n');
        size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
        from = strtoll(line, NULL, 10) + 1;
        fwrite(line, 1, n, stdout);
        line += n;
    }
    return from;
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
    for (;;) {
        char *answer = bus_get("log %lld", from);
        if (!answer)
            return FAILED;
        from = print(answer, from);
        free(answer);
        if (!follow)
            return DONE;
        if (fflush(stdout) != 0)
            return FAILED;
        usleep(LOOK_US);
    }
}
