/* See lineage.h. */
#include "lineage.h"

#include <string.h>

#define LINEAGES \
    64u /* more names than that, and the newest ones' generations are the supervisor's word */

static struct {
    char name[32];
    uint32_t generation;
} lineages[LINEAGES];

static uint32_t next_generation(const char *name, uint32_t wanted)
{
    for (unsigned i = 0; i < LINEAGES; i++) {
        if (lineages[i].name[0] == 0) {
            memcpy(lineages[i].name, name, sizeof(lineages[i].name));
        }
        if (strcmp(lineages[i].name, name) == 0) {
            if (wanted <= lineages[i].generation && lineages[i].generation != UINT32_MAX) {
                wanted = lineages[i].generation + 1;
            }
            lineages[i].generation = wanted;
            return wanted;
        }
    }
    return wanted;
}

void lineage_join(struct cell *c, const struct cell *maker, uint32_t generation)
{
    c->generation = generation;
    if (maker == NULL) {
        return;
    }
    if (maker == supervisor) {
        c->generation = next_generation(c->name, generation);
    } else {
        memcpy(c->line, maker->line[0] != 0 ? maker->line : maker->name, sizeof(c->line));
    }
}

bool lineage_same(const char *name, const char *line, const struct cell *c)
{
    return strcmp(name, c->name) == 0 && strcmp(line, c->line) == 0;
}
