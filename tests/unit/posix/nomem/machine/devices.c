/* The rest of the membrane: what a machine has beside memory, as little of it as there can be. */
#include "machine.h"

#include <devices.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- log and random numbers ---- */

void mb_log(const char *fmt, ...)
{
    va_list ap;
    if (getenv("NOMEM_LOG") == NULL) {
        return;
    }
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

void mb_log_at(unsigned level, const char *fmt, ...)
{
}

bool mb_log_read(uint64_t *number, struct nx_log *out)
{
    return false;
}

void (*mb_random_hook)(void);
void mb_random(void *buf, size_t n)
{
    static uint64_t x = 88172645463325252ull;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ((uint8_t *)buf)[i] = (uint8_t)x;
    }
}

bool mb_random_seeded(void)
{
    return true;
}

void mb_random_mix(const void *bytes, size_t n)
{
}

void (*mb_stl_hook)(uint64_t end);
bool mb_stl_present(void)
{
    return true;
}

int mb_stl_ask(uint64_t from, mb_stl_done *done)
{
    return -EIO;
}

void mb_stl_follow(uint64_t from)
{
}

/* ---- terminals ---- */

void (*mb_console_input_hook)(const void *buf, size_t n);
void (*mb_console_writable_hook)(void);
void (*mb_hvc_input_hook)(const void *buf, size_t n);
void (*mb_hvc_writable_hook)(void);

size_t mb_console_write(const void *buf, size_t n)
{
    return n;
}

bool mb_hvc_present(void)
{
    return true;
}

size_t mb_hvc_write(const void *buf, size_t n)
{
    return n;
}

/* ---- the machine ---- */

const void *mb_archive(unsigned index, size_t *size)
{
    return index == 0 ? image_archive(size) : NULL;
}

const char *mb_bootargs(void)
{
    return "quiet";
}

unsigned mb_harts(void)
{
    return 2;
}

unsigned mb_hart(void)
{
    return 1;
}

uint64_t mb_stat(unsigned nx_stat)
{
    return nx_stat;
}

uint64_t mb_cell_value(unsigned nx_cell_value)
{
    return nx_cell_value;
}

bool mb_beb_read(uint64_t *number, struct nx_beb *out)
{
    return false;
}

void mb_power_off(int status)
{
    abort();
}

void mb_reset(void)
{
    abort();
}

void mb_crash(void)
{
    abort();
}

/* The supervisor answers each command with itself. */
static char control[4096];
void *mb_control_room(size_t *size)
{
    *size = sizeof(control);
    return control;
}

static void (*control_done)(long n);
static long control_n;
static void control_answer(void *arg)
{
    control_done(control_n);
}

int mb_control_run(size_t n, void (*done)(long n))
{
    control_done = done;
    control_n = (long)n;
    bool paused = fail_paused;
    fail_paused = true;
    mb_fiber_start(control_answer, NULL);
    fail_paused = paused;
    return 0;
}

/* ---- devices: a disk and keys; the driver is a fiber ---- */

#define SECTORS 256u
static uint8_t disk[SECTORS * 512];
static uint8_t pool[64 * MB_PAGE] __attribute__((aligned(4096)));
static bool here;

void (*mb_device_hook)(enum mb_device kind, unsigned index, bool again);
void (*mb_input_hook)(unsigned input, const struct mb_input_event *e, unsigned n);

unsigned mb_devices_pending(void)
{
    return 0;
}

int mb_block_config(unsigned index, struct mb_block_config *out)
{
    *out = (struct mb_block_config){
        .sectors = SECTORS, .block_size = 512, .max_request = 65536, .cached = true};
    return index == 0 && here ? 0 : -ENODEV;
}

uint8_t *mb_block_pool(unsigned index, size_t *size)
{
    *size = sizeof(pool);
    return index == 0 && here ? pool : NULL;
}

static struct mb_block_request *requests[MB_BLOCK_REQUESTS];
static unsigned asked, answered;
static void driver(void *arg)
{
    bool paused = fail_paused;
    while (answered != asked) {
        struct mb_block_request *r = requests[answered++ % MB_BLOCK_REQUESTS];
        uint8_t *at = disk + r->sector * 512;
        if (r->op == MB_BLOCK_READ) {
            memcpy(pool + r->off, at, r->len);
        } else if (r->op == MB_BLOCK_WRITE) {
            memcpy(at, pool + r->off, r->len);
        }
        r->done(r, 0);
    }
    fail_paused = paused;
}

int mb_block_submit(unsigned index, struct mb_block_request *r)
{
    bool paused = fail_paused, idle = asked == answered;
    requests[asked++ % MB_BLOCK_REQUESTS] = r;
    fail_paused = true;
    if (idle) {
        mb_fiber_start(driver, NULL);
    }
    fail_paused = paused;
    return 0;
}

int mb_entropy_ask(size_t n, void (*done)(const void *bytes, size_t n, int err))
{
    return -ENODEV;
}

static uint8_t pixels[4 * MB_PAGE] __attribute__((aligned(4096)));
int mb_display_config(struct mb_display *out)
{
    *out = (struct mb_display){
        .width = 64, .height = 64, .stride = 256, .pixels = pixels, .size = sizeof(pixels)};
    return here ? 0 : -ENODEV;
}

void mb_display_flush(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
}

int mb_display_mode(uint32_t width, uint32_t height, void (*done)(int err))
{
    return -EBUSY;
}

int mb_input_config(unsigned input, struct mb_input_config *out)
{
    *out = (struct mb_input_config){.bus = 6, .name = "keys"};
    return input == 0 && here ? 0 : -ENODEV;
}

static void (*input_done)(unsigned input, const void *answer, size_t n);
static void input_answer(void *arg)
{
    input_done(0, "", 0);
}

int mb_input_ask(unsigned input, uint8_t select, uint8_t subselect,
                 void (*done)(unsigned input, const void *answer, size_t n))
{
    input_done = done;
    return mb_fiber_start(input_answer, NULL) == NULL ? -EIO : 0;
}

void mb_input_status(unsigned input, const struct mb_input_event *e)
{
}

void devices_come(void)
{
    here = true;
    mb_device_hook(MB_DEV_BLOCK, 0, false);
    mb_device_hook(MB_DEV_DISPLAY, 0, false);
    mb_device_hook(MB_DEV_INPUT, 0, false);
}
