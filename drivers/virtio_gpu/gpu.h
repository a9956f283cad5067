/* A virtio graphics device (virtio 1.2, 5.7), its first screen in two dimensions: a session's pool as the
 * frame buffer.
 *
 *     pool --TRANSFER_TO_HOST_2D--> resource of the host --RESOURCE_FLUSH--> screen
 *
 * One command is at the device at a time; what a request takes is a list of commands (gpu.c), the bring-up
 * is such a list, too.  HELLO is said when the screen shows the pool.
 */
#ifndef GPU_H
#define GPU_H

#include "driver.h"
#include "virtq.h"

#include <nexus/display.h>

#define GPU_DEPTH 16u /* requests of the client; power of two */

enum gpu_job { GPU_IDLE, GPU_START, GPU_LOOK, GPU_FLUSH, GPU_MODE, GPU_JOBS };

struct gpu {
    struct driver *driver;
    struct virtq queue;
    struct nexus_display_hello config, next; /* shown; what a MODE asks for */
    uint32_t resource;                       /* shown: 1 or 2; a MODE takes the other */
    uint32_t host_width, host_height;        /* what the host would like */
    bool up, look_due, resize_due;
    /* The job at work: */
    enum gpu_job job;
    unsigned step;
    struct nx_slot request;
    uint32_t x, y, width, height; /* of a FLUSH, clipped */
    /* The command and its answer, the device's too. */
    volatile uint8_t *command, *answer;
    uint64_t command_phys, answer_phys;
};

/* Bring the device up; HELLO follows from gpu_service.  driver: registers, memory and one open session. */
int gpu_start(struct gpu *g, struct driver *driver);
int gpu_service(void *gpu, bool config);

#endif
