/*
 * The screen, input devices and the hardware's random numbers as files, over devices that are played here.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 * test-sources: posix/dev/evdev.c posix/dev/evdev_file.c posix/dev/fb.c posix/dev/hwrng.c
 */
#include "host/host.h"

#include <linux/fb.h>
#include <linux/input.h>
#include <poll.h>

#include "dev/dev.h"
#include "dev/evdev.h"
#include "include/ptime.h"

/* ---- the screen ---- */

#define WIDTH 64u
#define HEIGHT 48u
#define STRIDE 256u
#define MEMORY (8 * MB_PAGE)

static struct mb_display screen = {
    .width = WIDTH, .height = HEIGHT, .stride = STRIDE, .size = MEMORY};
static uint32_t flushed[4];
static unsigned flushes;
static void (*mode_done)(int err);
static bool mapped;

int mb_display_config(struct mb_display *out)
{
    *out = screen;
    return 0;
}

void mb_display_flush(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    const uint32_t now[4] = {x, y, width, height};
    memcpy(flushed, now, sizeof(now));
    flushes++;
}

int mb_display_mode(uint32_t width, uint32_t height, void (*done)(int err))
{
    screen.width = width;
    screen.height = height;
    screen.stride = width * 4;
    mode_done = done;
    return 0;
}

bool mm_ops_mapped(const struct file_ops *ops)
{
    return mapped;
}

uint64_t time_ticks_after(uint64_t ns)
{
    return mb_ticks() + ns;
}

static void tick(void)
{
    struct ktimer *t = host_timers;
    assert_non_null(t);
    ktimer_cancel(t);
    t->fn(t);
}

static void expect_flush(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    const uint32_t want[4] = {x, y, w, h};
    assert_int_equal(flushes, 1);
    assert_memory_equal(flushed, want, sizeof(want));
    flushes = 0;
}

static void fb_data(void **state)
{
    long fd = t_open("/dev/fb0", O_RDWR, 0);
    assert_true(fd >= 0);
    uint8_t *buf = host_room(20000);
    memset(buf, 0x77, 20000);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 8, 3 * STRIDE + 40), 8);
    expect_flush(10, 3, 2, 1);
    assert_int_equal(screen.pixels[3 * STRIDE + 40], 0x77);
    assert_int_equal(screen.pixels[3 * STRIDE + 48], 0);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 3, 5 * STRIDE + 3),
                     3); /* two pixels in part */
    expect_flush(0, 5, 2, 1);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), STRIDE + 1, STRIDE), STRIDE + 1);
    expect_flush(0, 1, WIDTH, 2);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 20000, 0), STRIDE * HEIGHT);
    expect_flush(0, 0, WIDTH, HEIGHT);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(buf), 1, STRIDE * HEIGHT), -ENOSPC);
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, HOST_BAD, 1, 0), -EFAULT);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 20000, 256), STRIDE * HEIGHT - 256);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 1, STRIDE * HEIGHT), 0);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_END), STRIDE * HEIGHT);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, (uint64_t)-1, SEEK_SET), -EINVAL);
    assert_int_equal(flushes, 0);
    assert_ok(t_close(fd));
}

static void fb_mapping(void **state)
{
    long fd = t_open("/dev/fb0", O_RDWR, 0);
    struct file *f = fd_get((int)fd);
    int err = 0;
    assert_null(host_timers); /* nothing ticks */
    mapped = true;
    assert_ptr_equal(f->ops->page(f, MB_PAGE, PAGE_WRITE, &err), screen.pixels + MB_PAGE);
    assert_null(f->ops->page(f, MEMORY, PAGE_WRITE, &err));
    assert_int_equal(err, -EFAULT);
    for (int i = 0; i < 3; i++) {
        tick();
        expect_flush(0, 0, WIDTH, HEIGHT);
    }
    mapped = false;
    tick(); /* once more */
    expect_flush(0, 0, WIDTH, HEIGHT);
    assert_null(host_timers);
    file_unref(f);
    assert_ok(t_close(fd));
}

static void answer_mode(void *arg)
{
    while (mode_done == NULL) {
        host_settle();
    }
    void (*done)(int err) = mode_done;
    mode_done = NULL;
    done((int)(intptr_t)arg);
}

static void fb_modes(void **state)
{
    long fd = t_open("/dev/fb0", O_RDWR, 0);
    struct fb_var_screeninfo *v = host_room(sizeof(*v));
    struct fb_fix_screeninfo *fix = host_room(sizeof(*fix));
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOGET_VSCREENINFO, A(v)));
    assert_int_equal(v->xres, WIDTH);
    assert_int_equal(v->yres_virtual, HEIGHT);
    assert_int_equal(v->bits_per_pixel, 32);
    assert_int_equal(v->red.offset, 16);
    assert_int_equal(v->blue.offset, 0);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOGET_FSCREENINFO, A(fix)));
    assert_int_equal(fix->line_length, STRIDE);
    assert_int_equal(fix->smem_len, MEMORY);
    assert_int_equal(fix->visual, FB_VISUAL_TRUECOLOR);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOPAN_DISPLAY, A(v)));
    expect_flush(0, 0, WIDTH, HEIGHT);
    v->yoffset = 1;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOPAN_DISPLAY, A(v)), -EINVAL);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOBLANK, 1));
    assert_int_equal(CALL_(pwrite64, (uint64_t)fd, A(v), 8, 0), 8);
    assert_int_equal(flushes, 0);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOBLANK, 0));
    expect_flush(0, 0, WIDTH, HEIGHT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOBLANK, 9), -EINVAL);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOGET_VSCREENINFO, HOST_BAD), -EFAULT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, 0x46ff, A(v)), -ENOTTY);

    v->xres = 100000;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)), -EINVAL);
    v->xres = 128; /* 128 x 64 x 4 is all the memory */
    v->yres = 65;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)), -EINVAL);
    v->yres = 64;
    v->bits_per_pixel = 16;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)), -EINVAL);
    v->bits_per_pixel = 32;
    v->activate = FB_ACTIVATE_TEST;
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)));
    assert_int_equal(screen.width, WIDTH);
    v->activate = FB_ACTIVATE_NOW;
    struct host_thread *t = host_run(true, answer_mode, (void *)0);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)));
    host_join(t);
    assert_ok(CALL_(ioctl, (uint64_t)fd, FBIOGET_VSCREENINFO, A(v)));
    assert_int_equal(v->xres, 128);
    t = host_run(true, answer_mode, (void *)(intptr_t)-EINVAL);
    v->xres = 32;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, FBIOPUT_VSCREENINFO, A(v)), -EINVAL);
    host_join(t);
    assert_ok(t_close(fd));

    /* The driver comes again with its own size: the one that was set is asked for. */
    screen.width = WIDTH;
    screen.height = HEIGHT;
    screen.stride = STRIDE;
    fb_again(0);
    assert_non_null(mode_done);
    assert_int_equal(screen.width, 128);
    answer_mode((void *)0);
    expect_flush(0, 0, 128, 64);
    flushes = 0;
}

/* ---- input ---- */

static void (*input_done)(unsigned input, const void *answer, size_t n);
void (*mb_input_hook)(unsigned input, const struct mb_input_event *e, unsigned n);
static struct mb_input_event lamp;
static uint8_t asked[2];

int mb_input_config(unsigned input, struct mb_input_config *out)
{
    *out = (struct mb_input_config){.bus = 6, .vendor = 0x627, .product = 1, .name = "keys"};
    return 0;
}

int mb_input_ask(unsigned input, uint8_t select, uint8_t subselect,
                 void (*done)(unsigned input, const void *answer, size_t n))
{
    asked[0] = select;
    asked[1] = subselect;
    input_done = done;
    return 0;
}

void mb_input_status(unsigned input, const struct mb_input_event *e)
{
    lamp = *e;
}

/* The device: keys 30 and 31, one lamp, an axis from -5 to 100. */
static void input_device(void *arg)
{
    volatile bool *stop = arg;
    while (!*stop) {
        if (input_done == NULL) {
            host_settle();
            continue;
        }
        uint8_t answer[24] = {0};
        size_t n = 0;
        if (asked[0] == 0x11 && asked[1] == EV_KEY) {
            answer[3] = 0xc0;
            n = 4;
        } else if (asked[0] == 0x11 && asked[1] == EV_LED) {
            answer[0] = 1 << LED_CAPSL;
            n = 1;
        } else if (asked[0] == 0x11 && asked[1] == EV_ABS) {
            answer[0] = 1;
            n = 1;
        } else if (asked[0] == 0x12) {
            const int32_t v[5] = {-5, 100, 1, 2, 3};
            memcpy(answer, v, sizeof(v));
            n = sizeof(v);
        }
        void (*done)(unsigned input, const void *answer, size_t n) = input_done;
        input_done = NULL;
        done(0, answer, n);
    }
}

static void come(unsigned type, unsigned code, uint32_t value)
{
    const struct mb_input_event e = {(uint16_t)type, (uint16_t)code, value};
    mb_input_hook(0, &e, 1);
}

static void sync_(void)
{
    come(EV_SYN, SYN_REPORT, 0);
}

static long get(long fd, struct ev_record *r, unsigned n)
{
    long got = CALL_(read, (uint64_t)fd, A(r), n * sizeof(*r));
    return got < 0 ? got : got / (long)sizeof(*r);
}

static void is(const struct ev_record *r, unsigned type, unsigned code, int32_t value)
{
    assert_int_equal(r->type, type);
    assert_int_equal(r->code, code);
    assert_int_equal(r->value, value);
}

static void ev_events(void **state)
{
    struct ev_record *r = host_room(200 * sizeof(*r));
    struct abi_pollfd *p = host_room(sizeof(*p));
    long fd = t_open("/dev/input/event0", O_RDWR | O_NONBLOCK, 0);
    assert_true(fd >= 0);
    *p = (struct abi_pollfd){.fd = (int)fd, .events = POLLIN};
    assert_int_equal(get(fd, r, 1), -EAGAIN);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(r), 23), -EINVAL);
    come(EV_KEY, 30, 1);
    assert_int_equal(get(fd, r, 10), -EAGAIN); /* not a whole report */
    struct ktimespec *zero = host_room(sizeof(*zero));
    *zero = (struct ktimespec){0};
    assert_int_equal(CALL_(ppoll, A(p), 1, A(zero), 0, 8), 0);
    sync_();
    assert_int_equal(CALL_(ppoll, A(p), 1, A(zero), 0, 8), 1);
    assert_int_equal(get(fd, r, 10), 2);
    is(r, EV_KEY, 30, 1);
    is(r + 1, EV_SYN, SYN_REPORT, 0);
    assert_true(r->sec > 1700000000);
    come(EV_KEY, 30, 1); /* no news */
    come(EV_KEY, 40, 1); /* it has no such key */
    come(EV_KEY, 9999, 1);
    come(99, 1, 1);
    sync_(); /* an empty report */
    assert_int_equal(get(fd, r, 10), -EAGAIN);
    come(EV_ABS, 0, 50);
    come(EV_KEY, 30, 2); /* a repeat */
    sync_();
    assert_int_equal(get(fd, r, 1), 1); /* part of what there is */
    is(r, EV_ABS, 0, 50);
    assert_int_equal(get(fd, r, 10), 2);
    is(r, EV_KEY, 30, 2);
    evdev_again(0); /* the driver died: the key is let go */
    assert_int_equal(get(fd, r, 10), 2);
    is(r, EV_KEY, 30, 0);
    assert_ok(t_close(fd));
}

static void ev_overflow(void **state)
{
    struct ev_record *r = host_room(200 * sizeof(*r));
    long slow = t_open("/dev/input/event0", O_RDONLY | O_NONBLOCK, 0);
    long quick = t_open("/dev/input/event0", O_RDONLY | O_NONBLOCK, 0);
    for (int i = 0; i < 64; i++) {
        come(EV_ABS, 0, (uint32_t)i + 1000);
        sync_();
        assert_int_equal(get(quick, r, 10), 2);
    }
    assert_int_equal(get(slow, r, 200), 128); /* just full */
    for (int i = 0; i < 64; i++) {
        come(EV_ABS, 0, (uint32_t)i + 2000);
        sync_();
    }
    come(EV_ABS, 0, 5);
    assert_int_equal(get(slow, r, 200), -EAGAIN);
    sync_();
    assert_int_equal(get(slow, r, 200), 3);
    is(r, EV_SYN, SYN_DROPPED, 0);
    is(r + 1, EV_ABS, 0, 5);
    is(r + 2, EV_SYN, SYN_REPORT, 0);
    assert_ok(t_close(slow));
    assert_ok(t_close(quick));
}

static void ev_ioctls(void **state)
{
    long fd = t_open("/dev/input/event0", O_RDWR | O_NONBLOCK, 0);
    long other = t_open("/dev/input/event0", O_RDWR | O_NONBLOCK, 0);
    uint8_t *b = host_room(256);
    uint32_t *w = host_room(8);
    struct ev_record *r = host_room(10 * sizeof(*r));
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGVERSION, A(w)));
    assert_int_equal(*w, 0x10001);
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGID, A(b)));
    assert_memory_equal(b, "\x06\0\x27\x06\x01\0\0\0", 8);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGNAME(100), A(b)), 5);
    assert_string_equal((char *)b, "keys");
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGNAME(3), A(b)), 3);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGUNIQ(10), A(b)), -ENOENT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGBIT(0, 256), A(b)), 8);
    assert_int_equal(b[0], 1 << EV_SYN | 1 << EV_KEY | 1 << EV_ABS);
    assert_int_equal(b[2], 1 << (EV_LED - 16));
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGBIT(EV_KEY, 256), A(b)), 96);
    assert_int_equal(b[3], 0xc0);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGBIT(EV_KEY, 2), A(b)), 2);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGBIT(0x1f, 256), A(b)), -EINVAL);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGPROP(8), A(b)), 8);
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGABS(0), A(b)));
    struct ev_abs abs;
    memcpy(&abs, b, sizeof(abs));
    assert_int_equal(abs.minimum, -5);
    assert_int_equal(abs.maximum, 100);
    assert_int_equal(abs.resolution, 3);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGABS(1), A(b)), -EINVAL);
    come(EV_KEY, 31, 1);
    sync_();
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGKEY(96), A(b)), 96);
    assert_int_equal(b[3], 0x80);
    assert_int_equal(get(fd, r, 10), 2);
    assert_int_equal(get(other, r, 10), 2);

    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGRAB, 1));
    assert_int_equal(CALL_(ioctl, (uint64_t)other, EVIOCGRAB, 1), -EBUSY);
    assert_int_equal(CALL_(ioctl, (uint64_t)other, EVIOCGRAB, 0), -EINVAL);
    come(EV_KEY, 31, 0);
    sync_();
    assert_int_equal(get(fd, r, 10), 2);
    assert_int_equal(get(other, r, 10), -EAGAIN);
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGRAB, 0));

    *w = 1; /* CLOCK_MONOTONIC */
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCSCLOCKID, A(w)));
    *w = 55;
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCSCLOCKID, A(w)), -EINVAL);
    *r = (struct ev_record){.type = EV_LED, .code = LED_CAPSL, .value = 1};
    assert_int_equal(CALL_(write, (uint64_t)other, A(r), sizeof(*r)), sizeof(*r));
    assert_int_equal(lamp.type, EV_LED);
    assert_int_equal(lamp.code, LED_CAPSL);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGLED(8), A(b)), 8);
    assert_int_equal(b[0], 1 << LED_CAPSL);
    sync_();
    assert_int_equal(get(fd, r, 10), 2);
    is(r, EV_LED, LED_CAPSL, 1);
    assert_true(r->sec < 1700000000);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, EVIOCGVERSION, HOST_BAD), -EFAULT);
    assert_int_equal(CALL_(ioctl, (uint64_t)fd, 0x5401, A(b)), -EINVAL);
    assert_ok(CALL_(ioctl, (uint64_t)fd, EVIOCGRAB, 1)); /* and closed: it is free again */
    assert_ok(t_close(fd));
    assert_ok(CALL_(ioctl, (uint64_t)other, EVIOCGRAB, 1));
    assert_ok(t_close(other));
}

static void ev_reader(void *arg)
{
    host_me->result = get(*(long *)arg, host_room(1024), 10);
}

static void ev_sleeps(void **state)
{
    long fd = t_open("/dev/input/event0", O_RDONLY, 0);
    unsigned since = host_parks;
    struct host_thread *t = host_run(true, ev_reader, &fd);
    host_wait_parked(since);
    come(EV_KEY, 30, 1);
    sync_();
    assert_int_equal(host_join(t), 2);
    since = host_parks;
    t = host_run(true, ev_reader, &fd);
    host_wait_parked(since);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTSYS);
    come(EV_KEY, 30, 0);
    sync_();
    assert_ok(t_close(fd));
}

/* ---- random numbers ---- */

static void (*rng_done)(const void *bytes, size_t n, int err);
static size_t rng_want;

int mb_entropy_ask(size_t n, void (*done)(const void *bytes, size_t n, int err))
{
    assert_null(rng_done);
    rng_want = n;
    rng_done = done;
    return 0;
}

static void rng_answer(size_t n, int err)
{
    uint8_t bytes[MB_ENTROPY_MAX];
    void (*done)(const void *bytes, size_t n, int err) = rng_done;
    memset(bytes, 0x42, sizeof(bytes));
    rng_done = NULL;
    done(bytes, n, err);
}

static void rng_device(void *arg)
{
    for (int left = (int)(intptr_t)arg; left > 0; left--) {
        while (rng_done == NULL) {
            host_settle();
        }
        rng_answer(rng_want < 100 ? rng_want : 100, 0);
    }
}

static void hwrng(void **state)
{
    uint8_t *b = host_room(1000);
    assert_int_equal(t_open("/dev/hwrng", O_RDWR, 0), -EINVAL);
    long fd = t_open("/dev/hwrng", O_RDONLY, 0);
    struct host_thread *t = host_run(true, rng_device, (void *)3);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(b), 250), 250);
    host_join(t);
    assert_int_equal(b[249], 0x42);
    assert_ok(t_close(fd));
    fd = t_open("/dev/hwrng", O_RDONLY | O_NONBLOCK, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(b), 250), -EAGAIN);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(b), 250), -EAGAIN); /* asked once */
    rng_answer(60, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(b), 50), 50);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(b), 50), 10);
    rng_answer(0, -EIO);
    assert_ok(t_close(fd));
}

static int begin(void **state)
{
    static bool stop;
    if (host_begin(state) != 0) {
        return -1;
    }
    screen.pixels = aligned_alloc(MB_PAGE, MEMORY);
    memset(screen.pixels, 0, MEMORY);
    fb_attach(0);
    struct host_thread *t = host_run(true, input_device, &stop);
    evdev_attach(0);
    stop = true;
    host_join(t);
    hwrng_attach(0);
    return 0;
}

static int end(void **state)
{
    free(screen.pixels);
    return host_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(fb_data),     T(fb_mapping), T(fb_modes),  T(ev_events),
        T(ev_overflow), T(ev_ioctls),  T(ev_sleeps), T(hwrng),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
