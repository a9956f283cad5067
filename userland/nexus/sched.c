/*
 * nexus sched: who ran when, on each hart.
 *
 * The supervisor's commands: `record MS` has the nucleus record, `switches HART` tells what it has, a line a switch:
 *      span US
 *      US CELL GENERATION FIBER TIER WHY       CELL is - where the hart is idle
 * from which it runs until the next line's time, or the span's end.
 */
#include "nexus.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_MOST 10000
#define COLUMNS_MOST 1000
#define CELLS 52
#define HARTS 64
#define IDLE (-1)
#define LOST (-2)

struct run {
    long from, to; /* microseconds */
    int cell;
};

struct hart {
    struct run *run;
    int runs;
    long span, used[CELLS];
};

static char names[CELLS][40];
static int name_count;
static struct hart hart[HARTS];

static int wrong_usage(void)
{
    fputs("Usage: nexus sched [--svg] [-t MS] [-w COLUMNS]\n", stderr);
    return USAGE;
}

/* Which cell; the last stands for all there is no letter for. */
static int cell_number(const char *name)
{
    if (strcmp(name, "-") == 0)
        return IDLE;
    for (int i = 0; i < name_count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    if (name_count == CELLS)
        return CELLS - 1;
    snprintf(names[name_count], sizeof(names[0]), "%s", name);
    return name_count++;
}

static int add(struct hart *h, long from, int cell)
{
    if (h->runs > 0)
        h->run[h->runs - 1].to = from;
    struct run *more = realloc(h->run, (size_t)(h->runs + 1) * sizeof(*more));
    if (!more)
        return -1;
    h->run = more;
    h->run[h->runs++] = (struct run){from, h->span, cell};
    return 0;
}

static int parse(const char *text, struct hart *h)
{
    char cell[40];
    long at;

    if (sscanf(text, "span %ld", &h->span) != 1)
        return -1;
    while ((text = strchr(text, '\n')) && *++text) {
        if (sscanf(text, "%ld %39s", &at, cell) != 2)
            return -1;
        if (h->runs == 0 && at > 0 && strstr(text, " begins") == NULL && add(h, 0, LOST) < 0)
            return -1;
        if (at > h->span)
            at = h->span;
        if (add(h, at, cell_number(cell)) < 0)
            return -1;
    }
    for (int i = 0; i < h->runs; i++) {
        if (h->run[i].cell >= 0)
            h->used[h->run[i].cell] += h->run[i].to - h->run[i].from;
    }
    return 0;
}

static char letter(int cell)
{
    return cell == IDLE   ? '.'
           : cell == LOST ? '?'
                          : (char)(cell < 26 ? 'A' + cell : 'a' + cell - 26);
}

/* Who ran longest from..to: runs are in order, so it goes on from *next. */
static int longest(const struct hart *h, int *next, long from, long to)
{
    long time[CELLS + 2] = {0}, best = 0;
    int who = LOST;

    for (int i = *next; i < h->runs && h->run[i].from < to; i++) {
        long a = h->run[i].from > from ? h->run[i].from : from;
        long b = h->run[i].to < to ? h->run[i].to : to;
        if (b > a)
            time[h->run[i].cell + 2] += b - a;
        *next = i;
    }
    for (int c = 0; c < CELLS + 2; c++) {
        if (time[c] > best) {
            best = time[c];
            who = c - 2;
        }
    }
    return who;
}

static void print_text(int harts, int columns)
{
    for (int i = 0; i < harts; i++) {
        int next = 0;
        printf("%-3d ", i);
        for (int c = 0; c < columns; c++)
            putchar(letter(longest(&hart[i], &next, hart[i].span * c / columns,
                                   hart[i].span * (c + 1) / columns)));
        putchar('\n');
    }
    printf("%-3s 0%*.1f ms\n\n", "", columns - 1, (double)hart[0].span / 1000);
    for (int c = 0; c < name_count; c++) {
        printf("%c %-20s", letter(c), c == CELLS - 1 ? "(others)" : names[c]);
        for (int i = 0; i < harts; i++)
            printf(" %5.1f%%",
                   hart[i].span ? 100.0 * (double)hart[i].used[c] / (double)hart[i].span : 0);
        putchar('\n');
    }
}

/* ---- the picture ---- */
#define WIDE 1000
#define HIGH 24
#define LEFT 60

static void print_name(const char *name)
{
    for (; *name; name++) {
        if (*name == '<' || *name == '>' || *name == '&')
            printf("&#%d;", *name);
        else
            putchar(*name);
    }
}

static void print_colour(int cell)
{
    printf("hsl(%d,%d%%,%d%%)", cell * 137 % 360, 60 + cell % 2 * 20, 45 + cell % 3 * 8);
}

static void print_svg(int harts)
{
    const int legend = 20 + harts * (HIGH + 6) + 30;

    printf(
        "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        LEFT + WIDE + 20, legend + 18 * name_count + 10);
    for (int i = 0; i < harts; i++) {
        const struct hart *h = &hart[i];
        const int y = 20 + i * (HIGH + 6);
        printf(
            "<text x=\"8\" y=\"%d\">hart %d</text>\n<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#eee\"/>\n",
            y + 16, i, LEFT, y, WIDE, HIGH);
        for (int k = 0; k < h->runs && h->span; k++) {
            const struct run *r = &h->run[k];
            if (r->cell < 0 || r->to <= r->from)
                continue;
            printf("<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"",
                   LEFT + (double)r->from * WIDE / (double)h->span, y,
                   (double)(r->to - r->from) * WIDE / (double)h->span, HIGH);
            print_colour(r->cell);
            printf("\"/>\n");
        }
    }
    printf(
        "<text x=\"%d\" y=\"%d\">0</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f ms</text>\n",
        LEFT, legend - 14, LEFT + WIDE, legend - 14, (double)hart[0].span / 1000);
    for (int c = 0; c < name_count; c++) {
        printf("<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"", LEFT, legend + 18 * c);
        print_colour(c);
        printf("\"/><text x=\"%d\" y=\"%d\">", LEFT + 18, legend + 18 * c + 11);
        print_name(c == CELLS - 1 ? "(others)" : names[c]);
        for (int i = 0; i < harts; i++)
            printf(" %.1f%%",
                   hart[i].span ? 100.0 * (double)hart[i].used[c] / (double)hart[i].span : 0);
        printf("</text>\n");
    }
    printf("</svg>\n");
}

static int number_of_harts(void)
{
    int n = 0;
    char *text = bus_get("top");

    if (text && sscanf(text, "machine %d", &n) != 1)
        n = 0;
    free(text);
    return n < HARTS ? n : HARTS;
}

int sched_main(int argc, char **argv)
{
    static const struct option options[] = {{"svg", no_argument, NULL, 's'}, {0}};
    long long ms = 1000, columns = 72;
    int svg = 0, option, harts, result = DONE;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "t:w:", options, NULL)) != -1) {
        if (option == 's')
            svg = 1;
        else if (option == 't')
            ms = number_arg(optarg, MS_MOST);
        else if (option == 'w')
            columns = number_arg(optarg, COLUMNS_MOST);
        else
            return wrong_usage();
    }
    if (optind != argc || ms <= 0 || columns <= 0)
        return wrong_usage();
    char *text = bus_get("record %lld", ms);
    if (!text)
        return FAILED;
    free(text);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    harts = number_of_harts();
    for (int i = 0; i < harts && result == DONE; i++) {
        text = bus_get("switches %d", i);
        if (!text || parse(text, &hart[i]) < 0)
            result = FAILED;
        free(text);
    }
    free(bus_get("record 0"));
    if (result != DONE || harts == 0) {
        fputs("nexus: no timeline\n", stderr);
        return FAILED;
    }
    if (svg)
        print_svg(harts);
    else
        print_text(harts, (int)columns);
    return result;
}
