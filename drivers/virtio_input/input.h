/* A virtio input device (virtio 1.2, 5.8) between a session and its two queues.
 *
 * Events are gathered to reports (up to SYN_REPORT) and wait in `fifo` for room in the ring.  A report
 * that does not fit is dropped as a whole; the next that does is preceded by SYN_DROPPED.
 */
#ifndef INPUT_H
#define INPUT_H

#include "driver.h"
#include "virtq.h"

#include <nexus/input.h>

#define INPUT_DEPTH 64u   /* event buffers at the device */
#define INPUT_STATUSES 8u /* requests of the client; power of two */
#define INPUT_FIFO 256u   /* events; power of two */
#define INPUT_REPORT 64u  /* events of a report at most: a longer one is dropped */

struct input {
    struct driver *driver;
    struct virtq events, statuses;
    volatile struct nexus_input_event *event, *status; /* by slot, the device's too */
    uint64_t event_phys, status_phys;
    struct nx_slot request[INPUT_STATUSES]; /* by slot of `statuses` */
    struct nexus_input_event report[INPUT_REPORT];
    unsigned report_n;
    bool spoilt;  /* the report being gathered is too long */
    bool dropped; /* SYN_DROPPED is due */
    struct nexus_input_event fifo[INPUT_FIFO];
    uint32_t head, tail;
};

/* Bring the device up and say HELLO.  driver: registers, memory and one open session. */
int input_start(struct input *in, struct driver *driver);
int input_service(void *input, bool config);

#endif
