/* The first cell of the web-log analyser: gives out the lines of a file (interface "logfile").
 *
 * A native cell has no files; this one looks into the boot bundle, which it may read, for the archive with the user's tree and
 * in that for the file.  It copies lines into the pool of who asks, and knows nothing of what they mean: any number of
 * readers, each with its own place, and no state to lose when it is killed.
 */
#include <idl/logfile.h>
#include <manifest/weblog_source.h>
#include <nexus/bundle.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nx/sys.h>
#include <string.h>

#define FILE_NAME "var/log/access.log"

static const char *text;
static size_t text_size;

static void find_file(void)
{
    struct bundle b;
    struct bundle_part part;
    size_t size;
    const void *bytes = cell_map(SLOT_ARCHIVE, NX_PROT_R, &size, NULL);
    if (bytes == NULL || !bundle_open(&b, bytes, size)) {
        cell_panic("no bundle");
    }
    if (bundle_find(&b, "extra", NX_BUNDLE_ARCHIVE, &part)) {
        text = (const char *)bundle_file(&b, &part, FILE_NAME, &text_size);
    }
    if (text == NULL) {
        cell_log_at(NX_LOG_WARNING, "there is no " FILE_NAME ": an empty file");
        text = "";
        text_size = 0;
    }
}

/* Whole lines of text[from ..], at most `room` bytes. */
static size_t whole_lines(size_t from, size_t room)
{
    size_t n = text_size - from < room ? text_size - from : room;
    if (from + n == text_size) {
        return n; /* the last line may have no end */
    }
    const char *end = memrchr(text + from, '\n', n);
    return end != NULL ? (size_t)(end + 1 - (text + from)) : 0;
}

static void tell(void)
{
    cell_log("%lu ticks of run time so far", (unsigned long)nx_meta_cell(NX_SELF, NX_CELL_RUNTIME));
}

static int lines(void *ctx, const struct nx_slot *request, const struct logfile_lines *ask,
                 uint8_t *to, uint32_t room, struct logfile_lines_answer *answer)
{
    answer->next = ask->from;
    if (ask->from >= text_size) {
        tell();
        return 0;
    }
    const size_t n = whole_lines(ask->from, room);
    memcpy(to, text + ask->from, n);
    answer->length = (uint32_t)n;
    answer->next = ask->from + n;
    return 0;
}

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    static const struct logfile_ops ops = {.lines = lines};
    return logfile_serve(session, request, &ops, NULL);
}

static struct service_client clients[CLIENTS_CLIENTS];
static struct service service = {
    .client = clients, .clients = CLIENTS_CLIENTS, .programs = true, .serve = serve};

int cell_main(const struct nx_cellinfo *info)
{
    struct nx_slot hello = {0};
    find_file();
    logfile_hello_tell(&hello, &(struct logfile_hello){.size = text_size});
    service_open(&service, SLOT_CLIENTS, &hello);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
