/* The web-log analyser as a POSIX program with its I/O on rings: weblog_rings
 *
 * It is a Linux program as before - main, musl, stdout - but its lines come from the cell weblog_source (/Bus/ring.0) and its
 * records go to the cell weblog_tally (/Bus/ring.1), through memory it shares with them.  Between two chunks of 64 KiB
 * it makes no system call but those that wake a cell and wait for it.
 */
#include "weblog.h"

#include <idl/logfile.h>
#include <idl/tally.h>
#include <nexus/ring.h>

#define PATIENCE_MS 20000

static struct nexus_bus source, tally;

/* The records of these lines to the tally, a pool full at a time: 0 or an error. */
static int pass_on(const char *text, size_t n)
{
    struct weblog_record *records = (struct weblog_record *)tally.pool;
    const size_t most = tally.pool_size / sizeof(*records);
    int e = 0;
    while (n > 0 && e == 0) {
        size_t used;
        const size_t count = weblog_lines(text, n, records, most, &used);
        struct nx_slot m = {.type = TALLY_ADD, .buf_len = (uint32_t)(count * sizeof(*records))};
        e = bus_call(&tally, &m, PATIENCE_MS);
        text += used;
        n -= used;
    }
    return e;
}

static int analyse(void)
{
    struct logfile_lines ask = {0};
    struct logfile_lines_answer lines;
    struct nx_slot clear = {.type = TALLY_CLEAR};
    int e = bus_call(&tally, &clear, PATIENCE_MS);
    while (e == 0) {
        struct nx_slot m = {.type = LOGFILE_LINES, .buf_len = (uint32_t)source.pool_size};
        logfile_lines_ask_(&m, &ask);
        e = bus_call(&source, &m, PATIENCE_MS);
        logfile_lines_answered(&m, &lines);
        if (e != 0 || lines.length == 0) {
            break;
        }
        if (lines.length > source.pool_size) {
            return -NX_EPEER; /* more than we have room for: the source lies */
        }
        ask.from = lines.next;
        e = pass_on((const char *)source.pool, lines.length);
    }
    return e;
}

static int tell(void)
{
    struct nx_slot m = {.type = TALLY_REPORT, .buf_len = (uint32_t)tally.pool_size};
    struct tally_report_answer report;
    int e = bus_call(&tally, &m, PATIENCE_MS);
    tally_report_answered(&m, &report);
    if (e == 0 && report.length <= tally.pool_size) {
        fwrite(tally.pool, 1, report.length, stdout);
    }
    return e;
}

int main(void)
{
    if (bus_open(&source, "/Bus/ring.0") != 0) {
        perror("weblog_rings: /Bus/ring.0");
        return 1;
    }
    if (bus_open(&tally, "/Bus/ring.1") != 0) {
        perror("weblog_rings: /Bus/ring.1");
        return 1;
    }
    int e = analyse();
    e = e == 0 ? tell() : e;
    bus_close(&source);
    bus_close(&tally);
    if (e != 0) {
        fprintf(stderr, "weblog_rings: error %d\n", -e);
    }
    return e != 0;
}
