/*
 * nexus top: what the cells use, a screen every few seconds.
 *
 * The supervisor's figures (command `top`), one record a line:
 *      machine HARTS UPTIME-US IDLE-US PAGES FREE-PAGES
 *      cell NAME GENERATION STATE TIER PAGES QUOTA FIBERS RUN-US ENERGY-USED ENERGY RESTARTS
 * Shares are of the time since the screen before; of the first screen, since boot.
 */
#include "nexus.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CELLS 64

typedef unsigned long long count;

struct cell {
    char name[40], state[16], tier[16];
    unsigned generation, restarts;
    count pages, quota, fibers, run;
    count spent, energy; /* units: in this life; may be used in a second, 0: no limit */
    count used, now;     /* microseconds, units since the screen before */
};

struct sample {
    count harts, uptime, idle, pages, free;
    struct cell cell[CELLS];
    int n;
};

static int wrong_usage(void)
{
    fputs("Usage: nexus top [-n TIMES] [-d SECONDS]\n", stderr);
    return USAGE;
}

static int parse(const char *text, struct sample *s)
{
    memset(s, 0, sizeof(*s));
    while (*text) {
        struct cell *c = &s->cell[s->n];
        if (sscanf(text, "machine %llu %llu %llu %llu %llu", &s->harts, &s->uptime, &s->idle,
                   &s->pages, &s->free) != 5 &&
            s->n < CELLS &&
            sscanf(text, "cell %39s %u %15s %15s %llu %llu %llu %llu %llu %llu %u", c->name,
                   &c->generation, c->state, c->tier, &c->pages, &c->quota, &c->fibers, &c->run,
                   &c->spent, &c->energy, &c->restarts) == 11)
            s->n++;
        const char *end = strchr(text, '\n');
        text = end ? end + 1 : text + strlen(text);
    }
    return s->harts ? 0 : -1;
}

/* What each has used since the sample before: another generation began at nothing. */
static void compare(struct sample *now, const struct sample *before)
{
    for (int i = 0; i < now->n; i++) {
        struct cell *c = &now->cell[i];
        c->used = c->run;
        c->now = c->spent;
        for (int k = 0; k < before->n; k++) {
            const struct cell *b = &before->cell[k];
            if (strcmp(b->name, c->name) == 0 && b->generation == c->generation &&
                b->run <= c->run && b->spent <= c->spent) {
                c->used = c->run - b->run;
                c->now = c->spent - b->spent;
            }
        }
    }
}

static int by_use(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->used != y->used)
        return x->used < y->used ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Tenths of a percent. */
static count share(count part, count whole)
{
    return whole ? part * 1000 / whole : 0;
}

static void print_energy(const struct cell *c, count span)
{
    char text[48];
    int n = snprintf(text, sizeof(text), "%llu", span ? c->now * 1000000 / span : 0);
    if (c->energy)
        snprintf(text + n, sizeof(text) - (size_t)n, "/%llu", c->energy);
    printf(" %15s", text);
}

static void print(struct sample *s, const struct sample *before)
{
    count span = s->uptime - before->uptime;
    count idle = share(s->idle - before->idle, span * s->harts);

    compare(s, before);
    qsort(s->cell, (size_t)s->n, sizeof(s->cell[0]), by_use);
    printf("up %llu.%llu s, %llu harts, idle %llu.%llu %%, %llu of %llu pages free\n\n",
           s->uptime / 1000000, s->uptime / 100000 % 10, s->harts, idle / 10, idle % 10, s->free,
           s->pages);
    printf("%-16s %4s %-10s %-7s %6s %7s %7s %6s %10s %15s %8s\n", "CELL", "GEN", "STATE", "TIER",
           "CPU%", "PAGES", "QUOTA", "FIBERS", "TIME", "ENERGY", "RESTARTS");
    for (int i = 0; i < s->n; i++) {
        const struct cell *c = &s->cell[i];
        count cpu = share(c->used, span);
        printf("%-16s %4u %-10s %-7s %4llu.%llu %7llu %7llu %6llu %6llu.%03llu", c->name,
               c->generation, c->state, c->tier, cpu / 10, cpu % 10, c->pages, c->quota, c->fibers,
               c->run / 1000000, c->run / 1000 % 1000);
        print_energy(c, span);
        printf(" %8u\n", c->restarts);
    }
}

int top_main(int argc, char **argv)
{
    static struct sample before, now;
    long long times = 0, seconds = 2;
    int c, screen = isatty(1);

    while ((c = getopt(argc, argv, "n:d:")) != -1) {
        long long *to = c == 'n' ? &times : &seconds;
        if ((c != 'n' && c != 'd') || (*to = number_arg(optarg, INT_MAX / 2)) < 0)
            return wrong_usage();
    }
    if (optind < argc)
        return wrong_usage();
    for (long long i = 0; times == 0 || i < times; i++) {
        if (i > 0)
            sleep((unsigned)seconds);
        char *answer = bus_get("top");
        if (!answer)
            return FAILED;
        int bad = parse(answer, &now);
        free(answer);
        if (bad) {
            fputs("nexus: the answer is not understood\n", stderr);
            return FAILED;
        }
        fputs(screen && times != 1 ? "\033[H\033[J" : i > 0 ? "\n" : "", stdout);
        struct sample shown = now;
        print(&shown, &before);
        if (fflush(stdout) != 0)
            return FAILED;
        before = now;
    }
    return DONE;
}
