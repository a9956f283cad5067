/*
 * How long a whole command takes, from fork to wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nxbench.h"

int time_command(char **argv)
{
    unsigned long long start = now();
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        if (null >= 0) {
            dup2(null, STDOUT_FILENO);
            close(null);
            execvp(argv[0], argv);
        }
        fprintf(stderr, "nxbench: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fprintf(stderr, "nxbench: %s\n", strerror(errno));
        return 127;
    }
    start = now() - start;
    if (status == 0) {
        printf("command\t%llu\n", start);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
