/*
 * init: process 1.
 *
 * With a file /etc/nexus/cmd (CMD mode) its content is run by /bin/sh -c, with the console as
 * controlling terminal and output passed on byte for byte. When it ends, init exits with its
 * status, 128 + number if a signal ended it. The exit of process 1 powers the machine off, and that
 * status becomes the machine's: here Nexus differs from Linux, which panics.
 *
 * Without it: a login shell on the console, for ever. SIGUSR1 and SIGUSR2 (halt, poweroff) and
 * SIGTERM (reboot), which is what BusyBox's commands send, end all processes and then the machine.
 *
 * Signals are blocked except while init sleeps in sigsuspend, so a handler need only set a flag,
 * and no signal can be lost between looking at the flags and sleeping.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CONSOLE "/dev/console"
#define CMD_FILE "/etc/nexus/cmd"

static const int handled[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
static volatile sig_atomic_t asked; /* the last signal that wants an end of the machine, or 0 */
static sigset_t awake;              /* the mask while sleeping, and that of children */

static void on_signal(int signo)
{
    if (signo != SIGCHLD) {
        asked = signo;
    }
}

static void say(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vdprintf(2, format, ap);
    va_end(ap);
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* ---- set-up -------------------------------------------------------------------------------- */

/* 0, 1 and 2 on the console, whatever init was started with. */
static void open_console(void)
{
    int fd = open(CONSOLE, O_RDWR | O_NOCTTY);

    if (fd < 0) {
        return; /* keep what the system gave us */
    }
    for (int i = 0; i < 3; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
}

static void set_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigset_t block;

    sigemptyset(&awake);
    sigemptyset(&block);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++) {
        sigaddset(&block, handled[i]);
        sigaction(handled[i], &sa, NULL);
    }
    sigprocmask(SIG_SETMASK, &block, NULL);
}

static void set_hostname(void)
{
    char name[65];
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return;
    }
    n = read(fd, name, sizeof name - 1);
    close(fd);
    if (n > 0) {
        name[n] = 0;
        name[strcspn(name, "\r\n \t")] = 0;
        if (sethostname(name, strlen(name)) < 0) {
            return; /* cosmetic; a message would end up in a command's output */
        }
    }
}

static void set_environment(void)
{
    clearenv();
    setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", 1);
    setenv("HOME", "/root", 1);
    setenv("USER", "root", 1);
    setenv("LOGNAME", "root", 1);
    setenv("SHELL", "/bin/sh", 1);
    setenv("TERM", "vt100", 1);
}

/* ---- children ------------------------------------------------------------------------------ */

/* In the child: a session of its own with the console as controlling terminal. */
static void take_console(void)
{
    struct sigaction sa = {.sa_handler = SIG_DFL};

    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++) {
        sigaction(handled[i], &sa, NULL);
    }
    sigprocmask(SIG_SETMASK, &awake, NULL);
    setsid();
    /* Opened again: a shell before this one may have left flags such as O_NONBLOCK on ours. */
    open_console();
    if (ioctl(0, TIOCSCTTY, 1) < 0) {
        say("init: " CONSOLE ": %s\n", strerror(errno));
    }
}

/* Starts a shell; returns its process id. Without memory or processes to be had it tries on. */
static pid_t start(char *const argv[])
{
    for (;;) {
        pid_t pid = fork();

        if (pid == 0) {
            take_console();
            if (chdir(getenv("HOME")) < 0 && chdir("/") < 0) {
                say("init: no root folder\n");
            }
            execv("/bin/sh", argv);
            say("init: /bin/sh: %s\n", strerror(errno));
            _exit(errno == ENOENT ? 127 : 126);
        }
        if (pid > 0) {
            return pid;
        }
        say("init: fork: %s; trying again\n", strerror(errno));
        pause_ms(1000);
    }
}

/* Buries all dead children. True and its status when `pid` was among them. */
static int reap(pid_t pid, int *status)
{
    int s, found = 0;
    pid_t dead;

    while ((dead = waitpid(-1, &s, WNOHANG)) > 0) {
        if (dead == pid) {
            *status = s;
            found = 1;
        }
    }
    return found;
}

/* Sleeps until `pid` has ended (true) or the machine's end is wanted. */
static int wait_for(pid_t pid, int *status)
{
    while (!reap(pid, status)) {
        if (asked) {
            return 0;
        }
        sigsuspend(&awake);
    }
    return 1;
}

/* ---- the end ------------------------------------------------------------------------------- */

static int all_gone(void)
{
    int s;
    pid_t dead;

    while ((dead = waitpid(-1, &s, WNOHANG)) > 0) {
    }
    return dead < 0 && errno == ECHILD;
}

static void end_all(int signo, int patience_ms)
{
    kill(-1, signo);
    if (signo == SIGTERM) {
        kill(-1, SIGCONT); /* stopped processes hear of it too */
    }
    for (int waited = 0; !all_gone() && waited < patience_ms; waited += 20) {
        pause_ms(20);
    }
}

static void end_machine(void)
{
    int again = asked == SIGTERM || asked == SIGINT;

    end_all(SIGTERM, 2000);
    end_all(SIGKILL, 1000);
    sync();
    tcdrain(2);
    reboot(again ? RB_AUTOBOOT : RB_POWER_OFF);
    say("init: reboot: %s\n", strerror(errno));
    _exit(1);
}

/* ---- CMD mode ------------------------------------------------------------------------------ */

/* The whole of a file as a string, or NULL with a reason in errno. */
static char *read_text(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    int why;

    if (!f) {
        return NULL;
    }
    /* Read up to a byte that no text contains: that is all of it. */
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = ferror(f) ? NULL : strdup("");
    }
    why = errno;
    fclose(f);
    errno = why;
    return text;
}

/* What the command prints is what the other end gets: no CR before LF, no echo of what is typed. */
static void make_transparent(void)
{
    struct termios t;

    if (tcgetattr(0, &t) == 0) {
        t.c_oflag &= ~(tcflag_t)OPOST;
        t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        tcsetattr(0, TCSANOW, &t);
    }
}

static int run_command(char *command)
{
    char *argv[] = {"sh", "-c", command, NULL};
    int status = 0;

    make_transparent();
    if (!wait_for(start(argv), &status)) {
        end_machine();
    }
    sync();
    tcdrain(1);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- interactive --------------------------------------------------------------------------- */

static void show_motd(void)
{
    char *text = read_text("/etc/motd");

    if (text) {
        say("%s", text);
        free(text);
    }
}

static void serve_shells(void)
{
    char *argv[] = {"-sh", NULL};
    struct termios sane;
    int have_sane = tcgetattr(0, &sane) == 0;

    show_motd();
    for (;;) {
        struct timespec before, after;
        int status = 0;

        clock_gettime(CLOCK_MONOTONIC, &before);
        if (!wait_for(start(argv), &status)) {
            say("\r\ninit: the machine goes down\r\n");
            end_machine();
        }
        clock_gettime(CLOCK_MONOTONIC, &after);
        /* A program may have died in the middle of a screen. */
        if (have_sane) {
            tcsetattr(0, TCSANOW, &sane);
        }
        if (after.tv_sec - before.tv_sec < 1) {
            pause_ms(500); /* a shell that cannot start must not keep the machine busy */
        }
    }
}

int main(void)
{
    char *command;

    open_console();
    set_signals();
    umask(022);
    set_hostname();
    set_environment();
    command = read_text(CMD_FILE);
    if (command) {
        int code = run_command(command);

        free(command);
        return code;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        say("init: " CMD_FILE ": %s\n", strerror(errno));
    }
    serve_shells();
}
