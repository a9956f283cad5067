/* See control.h.  The client is the personality, and hostile like any peer: a command is copied before
 * it is read, and an image before it is looked at. */
#include "control.h"
#include "complaint.h"
#include "image.h"
#include "link.h"
#include "plan.h"
#include "store.h"

#include <nexus/cell.h>
#include <nexus/control.h>
#include <nexus/exit.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS 8u       /* at a time */
#define ANSWER_ROOM 256u  /* a request has at least this much */
#define IMAGE_PAGES 4096u /* what fits one memory of scattered pages */

static struct service *self;
static const struct bundle *bundle;
static struct nexus_server server;
static struct nx_slot backlog[REQUESTS];
static bool works;

/* ---- commands ---- */

static struct service *find(const struct command *c, struct answer *a)
{
    struct service *s = service_find(c->cell);
    if (s == NULL) {
        answer_error(a, "there is no cell %s", c->cell);
    }
    return s;
}

/* One that may be ended. */
static struct service *find_other(const struct command *c, struct answer *a)
{
    struct service *s = find(c, a);
    if (s != NULL && s == self) {
        answer_error(a, "nothing goes on without the %s", s->manifest.name);
        return NULL;
    }
    return s;
}

static void run_kill(const struct command *c, struct answer *a)
{
    struct service *s = find_other(c, a);
    if (s == NULL) {
        return;
    }
    if (s->state != SERVICE_RUNNING) {
        answer_error(a, "%s does not run", s->manifest.name);
        return;
    }
    const unsigned generation = s->generation;
    if (!service_kill(s, NEXUS_KILL_ASKED, false)) {
        answer_error(a, "%s takes long to end", s->manifest.name);
        return;
    }
    answer_add(a, "%s generation %u killed\n", s->manifest.name, generation);
}

static void run_restart(const struct command *c, struct answer *a)
{
    struct service *s = find_other(c, a);
    if (s == NULL) {
        return;
    }
    const char *wrong = service_restart(s);
    if (wrong != NULL) {
        answer_error(a, "%s: %s", s->manifest.name, wrong);
        return;
    }
    answer_add(a, "%s generation %u runs\n", s->manifest.name, s->generation);
}

/* An image for a swap: where it is, and its manifest. */
struct found {
    int place; /* in the store, or SERVICE_BUNDLE */
    uint64_t offset, size;
    struct nx_manifest manifest;
};

static const char *find_part(const char *name, struct found *f)
{
    struct bundle_part part;
    for (uint32_t i = 0; i < bundle->count; i++) {
        if (bundle_part(bundle, i, &part) && part.kind == NX_BUNDLE_CELL &&
            strcmp(part.name, name) == 0) {
            f->place = SERVICE_BUNDLE;
            f->offset = part.offset;
            f->size = part.size;
            return image_manifest(bundle->base + part.offset, part.size, &f->manifest) == 0
                       ? NULL
                       : "the image is malformed";
        }
    }
    return "the boot bundle has no such image";
}

static const char *keep_image(const void *data, size_t n, struct found *f)
{
    void *copy = NULL;
    const uint64_t pages = ALIGN_UP(n, NX_PAGE_SIZE) / NX_PAGE_SIZE;
    if (n == 0 || pages > IMAGE_PAGES) {
        return n == 0 ? "no image follows" : "the image is too large";
    }
    f->place = store_image(pages, &copy);
    if (f->place < 0) {
        return "no memory for the image";
    }
    memcpy(copy, data, n);
    f->offset = 0;
    f->size = n;
    bool good = image_manifest(copy, n, &f->manifest) == 0;
    nx_map_unmap(0, (uint64_t)copy, pages * NX_PAGE_SIZE);
    if (!good) {
        store_drop(f->place);
        return "the image is malformed";
    }
    return NULL;
}

static const char *swap(struct service *s, const struct found *f)
{
    struct nx_manifest m = f->manifest;
    if (s->instance != 0 && !plan_instance(&f->manifest, s->instance - 1, &m)) {
        return "the image has another name";
    }
    const char *wrong = plan_swap(&s->manifest, &m);
    if (wrong != NULL) {
        return wrong;
    }
    long e = service_swap(s, &m, f->place, f->offset, f->size);
    return e == 0            ? NULL
           : e == -NX_EIMAGE ? "the image is malformed"
           : e == -NX_EPERM  ? "the image wants more than the supervisor has"
           : e == -NX_ETIME  ? "the old life takes long to end"
                             : "the image does not start";
}

static void run_swap(const struct command *c, const void *data, size_t n, struct answer *a)
{
    struct found f = {.place = SERVICE_BUNDLE};
    struct service *s = find_other(c, a);
    if (s == NULL) {
        return;
    }
    if (s->state == SERVICE_ABSENT) {
        answer_error(a, "%s: %s", s->manifest.name, s->missing);
        return;
    }
    const char *wrong =
        strcmp(c->image, "-") == 0 ? keep_image(data, n, &f) : find_part(c->image, &f);
    if (wrong == NULL) {
        wrong = swap(s, &f);
        if (wrong != NULL && f.place != SERVICE_BUNDLE) {
            store_drop(f.place);
        }
    }
    if (wrong != NULL) {
        answer_error(a, "%s: %s", s->manifest.name, wrong);
        return;
    }
    answer_add(a, "%s generation %u runs from the new image\n", s->manifest.name, s->generation);
}

void command_run(const struct command *c, const void *data, size_t n, struct answer *a)
{
    const struct service *s;
    switch (c->kind) {
    case COMMAND_PS:
        show_ps(a);
        break;
    case COMMAND_TOP:
        show_top(a);
        break;
    case COMMAND_CORES:
        show_cores(a);
        break;
    case COMMAND_RECORD:
        run_record(c, a);
        break;
    case COMMAND_SWITCHES:
        show_switches(c, a);
        break;
    case COMMAND_SERVICES:
        show_services(a);
        break;
    case COMMAND_BEB:
        show_beb(c, a);
        break;
    case COMMAND_LOG:
        show_log(c, a);
        break;
    case COMMAND_PLEDGE:
        s = find(c, a);
        if (s != NULL) {
            show_pledge(s, a);
        }
        break;
    case COMMAND_KILL:
        run_kill(c, a);
        break;
    case COMMAND_RESTART:
        run_restart(c, a);
        break;
    case COMMAND_SWAP:
        run_swap(c, data, n, a);
        break;
    default:
        answer_add(a, "%s", command_help);
    }
}

/* ---- the session ---- */

/* The command lies in the pool; so will the answer, in its place. */
static int on_command(void *ctx, const struct nx_slot *request,
                      const struct nexus_control_command *ask, uint8_t *buf, uint32_t room,
                      struct nexus_control_command_answer *answer)
{
    char line[COMMAND_LINE_MAX];
    char *text = (char *)buf;
    struct command c;
    const uint32_t len = ask->length;
    if (room < ANSWER_ROOM || len > room) {
        return -NX_EINVAL;
    }
    struct answer a = {.at = text, .size = room};
    size_t n = NX_MIN(len, (uint32_t)sizeof(line));
    memcpy(line, text, n);
    const char *end = memchr(line, '\n', n);
    size_t after = len;
    if (end != NULL) {
        n = (size_t)(end - line);
        after = n + 1;
    }
    const char *wrong =
        end == NULL && len > sizeof(line) ? "too long a line" : command_parse(line, n, &c);
    if (wrong != NULL) {
        answer_error(&a, "%s; try: help", wrong);
    } else {
        command_run(&c, text + after, len - after, &a);
    }
    answer->length = (uint32_t)a.len;
    return 0;
}

static int hear(const uint8_t *name, uint32_t size, bool silent)
{
    struct service *by, *client;
    return link_ends(self, SLOT_CONTROL, &by, &client) ? complaint_hear(client, name, size, silent)
                                                       : -NX_ENOENT;
}

static int on_complain(void *ctx, const struct nx_slot *request, const uint8_t *name, uint32_t size)
{
    return hear(name, size, true);
}

static int on_doubt(void *ctx, const struct nx_slot *request, const uint8_t *name, uint32_t size)
{
    return hear(name, size, false);
}

static void open_session(void)
{
    const struct nx_want *w = self->manifest.want;
    link_give(self, w);
    works = server_open(&server, SLOT_CONTROL, 0, backlog, REQUESTS) == 0 &&
            server_hello(&server, NULL) == 0;
    if (!works) {
        cell_log("no control");
    }
}

void control_init(struct service *self_, const struct bundle *b)
{
    self = self_;
    bundle = b;
    open_session();
}

void control_renewed(void)
{
    for (unsigned i = 0; i < 3; i++) {
        nx_grant_drop(SLOT_CONTROL + i);
    }
    open_session();
}

/* The client broke the protocol of its ring: it answers for it, and the channel is made anew. */
static void break_off(void)
{
    works = false;
    if (service_blame_client(self, SLOT_CONTROL)) {
        control_renewed();
    }
}

uint64_t control_prepare(bool *busy)
{
    if (!works) {
        return 0;
    }
    int n = server_sleep_prepare(&server);
    *busy |= n != 0;
    return server_watch(&server);
}

void control_serve(void)
{
    static const struct nexus_control_ops ops = {
        .command = on_command, .complain = on_complain, .doubt = on_doubt};
    struct nx_slot request;
    int n = 0;
    if (!works) {
        return;
    }
    server_awake(&server);
    for (unsigned i = 0; i < REQUESTS && n >= 0; i++) {
        n = server_take(&server, &request);
        if (n <= 0) {
            break;
        }
        n = nexus_control_serve(&server, &request, &ops, NULL);
    }
    if (n < 0 || server_flush(&server) < 0) {
        break_off();
    }
}
