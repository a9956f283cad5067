/* /dev/fb0: the screen as memory.
 *
 * What is written is shown at once.  What programs change through a mapping nobody sees: so while the
 * screen is mapped by anybody all of it is shown 30 times a second, and once more after the last
 * mapping has gone; otherwise nothing ticks.  32 bits a pixel, no panning: the picture is the screen.
 */
#include <asm/errno.h>
#include <devices.h>
#include <linux/fb.h>
#include <string.h>

#include "dev/dev.h"
#include "fs/inode.h"
#include "include/mm.h"
#include "include/ptime.h"

#define MAJOR_FB 29
#define FRAME_NS (1000000000ul / 30)
#define SIDE_MAX 16384u

static struct {
    struct mb_display d;
    struct waitq mode_set;
    bool setting, blank;
    int mode_err;
    struct ktimer frame;
} fb;

static const struct file_ops ops;

static uint64_t picture_bytes(void)
{
    return (uint64_t)fb.d.stride * fb.d.height;
}

/* ---- showing ---- */

static void show_all(void)
{
    if (!fb.blank) {
        mb_display_flush(0, 0, fb.d.width, fb.d.height);
    }
}

/* Bytes [from, to) of the memory changed: the lines they lie in; within one line, the pixels. */
static void show_bytes(uint64_t from, uint64_t to)
{
    if (fb.blank || from >= to || from >= picture_bytes()) {
        return;
    }
    to = to < picture_bytes() ? to : picture_bytes();
    uint32_t first = (uint32_t)(from / fb.d.stride), last = (uint32_t)((to - 1) / fb.d.stride);
    uint32_t x = 0, end = fb.d.width;
    if (first == last) {
        x = (uint32_t)(from % fb.d.stride / 4);
        end = (uint32_t)((to - 1) % fb.d.stride / 4 + 1);
        end = end < fb.d.width ? end : fb.d.width;
    }
    if (x < end) {
        mb_display_flush(x, first, end - x, last - first + 1);
    }
}

static void frame(struct ktimer *t)
{
    show_all();
    if (mm_ops_mapped(&ops)) {
        ktimer_set(t, time_ticks_after(FRAME_NS));
    }
}

/* ---- reading and writing ---- */

static long fb_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    uint64_t at = (uint64_t)*pos;
    if (at >= picture_bytes()) {
        return 0;
    }
    size_t n = b->len < picture_bytes() - at ? b->len : (size_t)(picture_bytes() - at);
    size_t before = b->len;
    int err = iobuf_put(b, fb.d.pixels + at, n);
    n = before - b->len;
    *pos += (int64_t)n;
    return n > 0 ? (long)n : err;
}

static long fb_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    uint64_t at = (uint64_t)*pos;
    if (b->len == 0) {
        return 0;
    }
    if (at >= picture_bytes()) {
        return at > picture_bytes() ? -EFBIG : -ENOSPC;
    }
    size_t n = b->len < picture_bytes() - at ? b->len : (size_t)(picture_bytes() - at);
    size_t before = b->len;
    int err = iobuf_get(b, fb.d.pixels + at, n);
    n = before - b->len;
    *pos += (int64_t)n;
    show_bytes(at, at + n);
    return n > 0 ? (long)n : err;
}

static int64_t fb_lseek(struct file *f, int64_t off, int whence)
{
    int64_t base = whence == SEEK_CUR ? f->pos : whence == SEEK_END ? (int64_t)picture_bytes() : 0;
    if ((whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) ||
        __builtin_add_overflow(base, off, &off) || off < 0) {
        return -EINVAL;
    }
    return f->pos = off;
}

static unsigned fb_poll(struct file *f, struct poll_table *pt)
{
    return ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM;
}

/* A fault of somebody who maps it: from now on the frames are shown. */
static void *fb_page(struct file *f, uint64_t off, enum page_use use, int *err)
{
    if (off >= fb.d.size / MB_PAGE * MB_PAGE) {
        *err = -EFAULT;
        return NULL;
    }
    if (!ktimer_is_set(&fb.frame)) {
        ktimer_set(&fb.frame, time_ticks_after(FRAME_NS));
    }
    return fb.d.pixels + off;
}

/* ---- ioctls ---- */

static void var_get(struct fb_var_screeninfo *v)
{
    *v = (struct fb_var_screeninfo){
        .xres = fb.d.width,
        .yres = fb.d.height,
        .xres_virtual = fb.d.width,
        .yres_virtual = fb.d.height,
        .bits_per_pixel = 32,
        .blue = {.offset = 0, .length = 8},
        .green = {.offset = 8, .length = 8},
        .red = {.offset = 16, .length = 8},
        .height = ~0u, /* nobody knows */
        .width = ~0u,
        .vmode = FB_VMODE_NONINTERLACED,
    };
}

static long fix_get(uint64_t arg)
{
    struct fb_fix_screeninfo fix = {
        .id = "nexus-display",
        .smem_len = (uint32_t)fb.d.size,
        .type = FB_TYPE_PACKED_PIXELS,
        .visual = FB_VISUAL_TRUECOLOR,
        .line_length = fb.d.stride,
        .accel = FB_ACCEL_NONE,
    };
    return mb_copy_out(arg, &fix, sizeof(fix));
}

static void mode_answer(int err)
{
    fb.setting = false;
    fb.mode_err = err;
    if (err == 0) {
        mb_display_config(&fb.d);
    }
    wait_wake(&fb.mode_set);
}

/* The driver was restarted, perhaps with another size than was set. */
static void again_answer(int err)
{
    mode_answer(err);
    show_all();
}

void fb_again(unsigned index)
{
    struct mb_display now;
    if (fb.d.pixels == NULL || mb_display_config(&now) < 0) {
        return;
    }
    if (now.width == fb.d.width && now.height == fb.d.height) {
        fb.d = now;
        show_all();
    } else if (!fb.setting) {
        fb.setting = mb_display_mode(fb.d.width, fb.d.height, again_answer) == 0;
    }
}

static int mode_set(uint32_t width, uint32_t height)
{
    while (fb.setting) { /* somebody else's */
        wait_on_device(&fb.mode_set);
    }
    int err = mb_display_mode(width, height, mode_answer);
    if (err < 0) {
        return err;
    }
    fb.setting = true;
    while (fb.setting) {
        wait_on_device(&fb.mode_set);
    }
    return fb.mode_err;
}

static long var_put(uint64_t arg)
{
    struct fb_var_screeninfo v;
    if (mb_copy_in(&v, arg, sizeof(v)) < 0) {
        return -EFAULT;
    }
    if (v.xres == 0 || v.yres == 0 || v.xres > SIDE_MAX || v.yres > SIDE_MAX ||
        (v.bits_per_pixel != 32 && v.bits_per_pixel != 0) || v.grayscale != 0 ||
        (uint64_t)v.xres * v.yres * 4 > fb.d.size) {
        return -EINVAL;
    }
    uint32_t width = v.xres, height = v.yres;
    int err = 0;
    if ((v.activate & FB_ACTIVATE_MASK) == FB_ACTIVATE_NOW &&
        (width != fb.d.width || height != fb.d.height)) {
        err = mode_set(width, height);
    }
    if (err < 0) {
        return err;
    }
    uint32_t activate = v.activate;
    var_get(&v);
    v.xres = v.xres_virtual = width;
    v.yres = v.yres_virtual = height;
    v.activate = activate;
    return mb_copy_out(arg, &v, sizeof(v));
}

static long pan(uint64_t arg)
{
    struct fb_var_screeninfo v;
    if (mb_copy_in(&v, arg, sizeof(v)) < 0) {
        return -EFAULT;
    }
    if (v.xoffset != 0 || v.yoffset != 0) {
        return -EINVAL;
    }
    show_all();
    return 0;
}

/* Blank: nothing new is shown.  What the screen shows stays; the device cannot turn it off. */
static long blank(uint64_t level)
{
    if (level > FB_BLANK_POWERDOWN) {
        return -EINVAL;
    }
    fb.blank = level != FB_BLANK_UNBLANK;
    show_all();
    return 0;
}

static long fb_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct fb_var_screeninfo v;
    switch (cmd) {
    case FBIOGET_VSCREENINFO:
        var_get(&v);
        return mb_copy_out(arg, &v, sizeof(v));
    case FBIOPUT_VSCREENINFO:
        return var_put(arg);
    case FBIOGET_FSCREENINFO:
        return fix_get(arg);
    case FBIOPAN_DISPLAY:
        return pan(arg);
    case FBIOBLANK:
        return blank(arg);
    default:
        return -ENOTTY;
    }
}

static const struct file_ops ops = {
    .name = "fb",
    .read = fb_read,
    .write = fb_write,
    .lseek = fb_lseek,
    .poll = fb_poll,
    .ioctl = fb_ioctl,
    .page = fb_page,
};

static int fb_open(struct file *f)
{
    f->ops = &ops;
    return 0;
}

void fb_attach(unsigned index)
{
    if (mb_display_config(&fb.d) < 0 || fb.d.pixels == NULL || fb.d.stride < 4 ||
        picture_bytes() > fb.d.size) {
        mb_log("fb0: not a screen we can use");
        return;
    }
    waitq_init(&fb.mode_set);
    fb.frame = (struct ktimer){.fn = frame};
    mb_log("fb0: %u x %u, %u bytes a line", fb.d.width, fb.d.height, fb.d.stride);
    if (devfs_register("fb0", S_IFCHR | 0660, MAJOR_FB, 0, fb_open) < 0) {
        mb_log("fb0: no memory for its node");
    }
}
