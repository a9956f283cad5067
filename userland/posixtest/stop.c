/*
 * Stopping and continuing processes.
 */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static void spin(void)
{
    for (;;) {
        sleep_ms(1000);
    }
}

static void end(pid_t pid)
{
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
}

static void stop_and_continue(void)
{
    static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    pid_t pid;
    int status;

    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        CHILD(pid)
        {
            spin();
        }
        wait_state(pid, 'S');
        OK(kill(pid, stops[i]));
        EQ(waitpid(pid, &status, WUNTRACED), pid);
        CHECK(WIFSTOPPED(status));
        EQ(WSTOPSIG(status), stops[i]);
        wait_state(pid, 'T');
        EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* told once */
        OK(kill(pid, SIGCONT));
        EQ(waitpid(pid, &status, WCONTINUED), pid);
        CHECK(WIFCONTINUED(status));
        wait_state(pid, 'S');
        EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
        end(pid);
    }
}

static void not_told_unless_asked(void)
{
    pid_t pid;
    int status;

    CHILD(pid)
    {
        spin();
    }
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    EQ(waitpid(pid, &status, WNOHANG), 0);
    OK(kill(pid, SIGCONT));
    EQ(waitpid(pid, &status, WNOHANG), 0);
    end(pid);
}

static void stopped_does_not_run(void)
{
    int p[2];
    char c;
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        EQ(read(p[0], &c, 1), 1);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    EQ(write(p[1], "x", 1), 1);
    sleep_ms(50);
    wait_state(pid, 'T');
    OK(kill(pid, SIGCONT));
    wait_ok(pid); /* its read goes on where it was */
}

static void sleep_is_resumed(void)
{
    pid_t pid;

    CHILD(pid)
    {
        struct timespec t = {0, 300000000};
        int64_t start = now_ms();

        /* No handler ran, so nothing was interrupted. */
        OK(nanosleep(&t, NULL));
        CHECK(now_ms() - start >= 300);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    OK(kill(pid, SIGCONT));
    wait_ok(pid);
}

static void kill_while_stopped(void)
{
    pid_t pid;

    CHILD(pid)
    {
        spin();
    }
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    OK(kill(pid, SIGTERM)); /* waits for the continuation */
    sleep_ms(30);
    EQ(waitpid(pid, NULL, WNOHANG), 0);
    OK(kill(pid, SIGCONT));
    wait_killed(pid, SIGTERM);
    CHILD(pid)
    {
        spin();
    }
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    end(pid); /* SIGKILL does not wait */
}

static void continue_forgets_stops(void)
{
    pid_t pid;

    CHILD(pid)
    {
        sig_block(SIGTSTP);
        OK(kill(getpid(), SIGTSTP));
        OK(kill(getpid(), SIGCONT)); /* takes the pending stop away */
        sig_unblock(SIGTSTP);
    }
    wait_ok(pid);
}

static void continue_while_blocked(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGCONT, count_signal, 0, 0);
        sig_block(SIGCONT);
        OK(kill(getpid(), SIGSTOP));
        EQ(caught, 0); /* going on is not subject to the mask, the handler is */
        sig_unblock(SIGCONT);
        EQ(caught, 1);
    }
    wait_state(pid, 'T');
    OK(kill(pid, SIGCONT));
    wait_ok(pid);
}

static void handled_stop(void)
{
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGTSTP, count_signal, 0, 0);
        OK(kill(getpid(), SIGTSTP));
        EQ(caught, 1);
    }
    wait_ok(pid);
}

static volatile siginfo_t info;

static void note_info(int signo, siginfo_t *si, void *context)
{
    (void)context;
    count_signal(signo);
    info = *si;
}

static void parent_hears(void)
{
    pid_t pid;

    handle(SIGCHLD, note_info, SA_SIGINFO, 0);
    CHILD(pid)
    {
        spin();
    }
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    sleep_ms(10);
    EQ(caught, 1);
    EQ(info.si_code, CLD_STOPPED);
    EQ(info.si_status, SIGSTOP);
    OK(kill(pid, SIGCONT));
    sleep_ms(30);
    EQ(caught, 2);
    EQ(info.si_code, CLD_CONTINUED);
    handle(SIGCHLD, note_info, SA_SIGINFO | SA_NOCLDSTOP, 0);
    OK(kill(pid, SIGSTOP));
    wait_state(pid, 'T');
    sleep_ms(10);
    EQ(caught, 2);
    OK(kill(pid, SIGKILL));
    wait_killed(pid, SIGKILL);
    EQ(caught, 3);
}

static void waitid_events(void)
{
    siginfo_t si;
    pid_t pid;

    CHILD(pid)
    {
        spin();
    }
    OK(kill(pid, SIGSTOP));
    OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOWAIT));
    EQ(si.si_code, CLD_STOPPED);
    OK(waitid(P_PID, (id_t)pid, &si, WSTOPPED));
    EQ(si.si_status, SIGSTOP);
    OK(kill(pid, SIGCONT));
    OK(waitid(P_PID, (id_t)pid, &si, WCONTINUED));
    EQ(si.si_code, CLD_CONTINUED);
    EQ(si.si_status, SIGCONT);
    end(pid);
}

const struct test stop_tests[] = {
    {"stop_and_continue", stop_and_continue},
    {"not_told_unless_asked", not_told_unless_asked},
    {"stopped_does_not_run", stopped_does_not_run},
    {"sleep_is_resumed", sleep_is_resumed},
    {"kill_while_stopped", kill_while_stopped},
    {"continue_forgets_stops", continue_forgets_stops},
    {"continue_while_blocked", continue_while_blocked},
    {"handled_stop", handled_stop},
    {"parent_hears", parent_hears},
    {"waitid_events", waitid_events},
    {0},
};
