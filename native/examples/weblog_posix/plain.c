/* The web-log analyser as a plain POSIX program: weblog_plain < FILE
 *
 * Two processes and a pipe of text between them, as one would write `parse | tally`: the child parses lines of its
 * standard input and prints "STATUS BYTES PATH", the parent counts those and prints what they come to.
 */
#include "weblog.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child: lines to records.  Each is passed on when it is there: a log is often watched while it grows. */
static int parser(FILE *out)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    struct weblog_record r;
    setvbuf(out, NULL, _IOLBF, BUFSIZ);
    while ((n = getline(&line, &size, stdin)) > 0) {
        n -= line[n - 1] == '\n';
        if (weblog_parse(line, (size_t)n, &r)) {
            fprintf(out, "%u %llu %s\n", r.status, (unsigned long long)r.bytes, r.path);
        }
    }
    free(line);
    return ferror(stdin) || fflush(out) != 0;
}

/* The parent: records to what they come to. */
static int tally(FILE *in)
{
    static struct weblog_tally t;
    static char line[256], text[1024];
    struct weblog_record r = {0};
    while (fgets(line, sizeof(line), in) != NULL) {
        char *at;
        line[strcspn(line, "\n")] = 0;
        r.status = (uint32_t)strtoul(line, &at, 10);
        r.bytes = strtoull(at, &at, 10);
        snprintf(r.path, sizeof(r.path), "%s", *at == ' ' ? at + 1 : at);
        weblog_add(&t, &r);
    }
    weblog_report(&t, text, sizeof(text));
    fputs(text, stdout);
    return ferror(in) || fflush(stdout) != 0;
}

int main(void)
{
    int ends[2], status;
    if (pipe(ends) != 0) {
        perror("weblog_plain: pipe");
        return 1;
    }
    const pid_t child = fork();
    if (child < 0) {
        perror("weblog_plain: fork");
        return 1;
    }
    if (child == 0) {
        close(ends[0]);
        FILE *out = fdopen(ends[1], "w");
        return out == NULL || parser(out);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    if (in == NULL || tally(in) != 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "weblog_plain: failed\n");
        return 1;
    }
    return 0;
}
