/* Let `make run CMD=...` exit with the status of CMD.
 *
 * GNU make exits with 2 whatever status a recipe failed with. This file is an object make loads into
 * itself for that one goal: the recipe leaves the status in build/run/status.<pid of make>, and when
 * make ends it ends with that. Where a make cannot load objects, its own 2 stays.
 */
#include <gnumake.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int plugin_is_GPL_compatible;
int makestatus_gmk_setup(void);

static void leave(void)
{
    char path[64];
    snprintf(path, sizeof path, "build/run/status.%d", (int)getpid());
    FILE *file = fopen(path, "r");
    if (!file) {
        return;
    }
    int status = 0;
    int found = fscanf(file, "%d", &status);
    fclose(file);
    unlink(path);
    if (found == 1) {
        fflush(NULL);
        _exit(status);
    }
}

int makestatus_gmk_setup(void)
{
    atexit(leave);
    return 1;
}
