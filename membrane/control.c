/* The client side of the supervisor's service (nexus/control.h): one command at a time, in the channel's
 * pool, which is all its own.
 *
 * A fiber of its own waits for the answers.  Without the channel there is no such fiber, and every command
 * is refused. */
#include "mb_int.h"

#include <nexus/control.h>
#include <nexus/exit.h>
#include <nexus/session.h>

static struct nexus_client client;
static bool works;
static struct nexus_request request;
static void (*answered)(long n); /* NULL: nothing is asked */

static void request_done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    void (*done)(long n) = answered;
    long n = reply != NULL && result == 0 ? (long)reply->word32[1] : mb_errno(result);
    if (n == 0 && result != 0) {
        n = -EIO;
    }
    answered = NULL;
    done(n <= (long)client.pool_size ? n : -EIO);
}

static void serve(void *arg)
{
    for (;;) {
        int n;
        mb_lock();
        client_awake(&client);
        do {
            n = client_poll(&client);
        } while (n == 0 && (n = client_sleep_prepare(&client)) > 0);
        mb_unlock();
        if (n < 0) {
            cell_exit(NEXUS_EXIT_PEER | MB_SLOT_CONTROL);
        }
        (void)nx_recv_wait(client_watch(&client), NX_NEVER);
    }
}

void mb_control_init(void)
{
    int e = client_open(&client, MB_SLOT_CONTROL);
    mb_lock();
    works = e == 0 && client.pool != NULL && mb_fiber_start(serve, NULL) != NULL;
    mb_unlock();
    if (!works) {
        mb_log("no way to talk to the supervisor: error %d", e);
    }
}

void *mb_control_room(size_t *size)
{
    *size = client.pool_size;
    return works ? client.pool : NULL;
}

int mb_control_run(size_t n, void (*done)(long n))
{
    if (!works || answered != NULL || n > client.pool_size) {
        return !works ? -EIO : answered != NULL ? -EBUSY : -EFBIG;
    }
    request = (struct nexus_request){.slot = {.type = NEXUS_CONTROL_COMMAND,
                                              .buf_len = (uint32_t)client.pool_size,
                                              .word32 = {(uint32_t)n}},
                                     .done = request_done};
    answered = done;
    int e = client_submit(&client, &request);
    if (e != 0) {
        answered = NULL;
    }
    return mb_errno(e);
}
