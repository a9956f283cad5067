/* getrandom(2), one call: arguments are the flags by letter (n NONBLOCK, r RANDOM, i INSECURE, - none)
 * and the number of bytes.  Says how many bytes came, or the name of the error.
 *
 * For tests/system/services.py, which knows what the machine's randomness is worth at that moment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#ifndef GRND_INSECURE
#define GRND_INSECURE 4
#endif

int main(int argc, char **argv)
{
    static char buf[4096];
    unsigned flags = 0;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 16;
    if (argc < 2 || n > sizeof(buf)) {
        fprintf(stderr, "usage: getrandom FLAGS [BYTES]\n");
        return 2;
    }
    flags |= strchr(argv[1], 'n') ? GRND_NONBLOCK : 0;
    flags |= strchr(argv[1], 'r') ? GRND_RANDOM : 0;
    flags |= strchr(argv[1], 'i') ? GRND_INSECURE : 0;
    ssize_t got = getrandom(buf, n, flags);
    if (got < 0) {
        printf("%s\n", errno == EAGAIN ? "EAGAIN" : errno == EINVAL ? "EINVAL" : strerror(errno));
        return 1;
    }
    printf("%zd\n", got);
    return 0;
}
