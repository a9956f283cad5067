/* Draws on /dev/fb0 through a mapping: `fbmap FILE` copies the file's bytes there and says "drawn"; for every
 * line that comes in it blackens the next line of the picture and says "changed". Ends at the end of input.
 *
 * For tests/system/device_files.py, which looks at the screen meanwhile. */
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what)
{
    perror(what);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fbmap FILE\n");
        return 2;
    }
    struct fb_fix_screeninfo fix;
    struct fb_var_screeninfo var;
    int fd = open("/dev/fb0", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, FBIOGET_FSCREENINFO, &fix) != 0 ||
        ioctl(fd, FBIOGET_VSCREENINFO, &var) != 0) {
        return failed("/dev/fb0");
    }
    size_t size = (size_t)fix.line_length * var.yres;
    if (size > fix.smem_len) {
        fprintf(stderr, "the memory is smaller than the picture\n");
        return 1;
    }
    uint8_t *pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd); /* the mapping stays */
    if (pixels == MAP_FAILED) {
        return failed("mmap");
    }
    int from = open(argv[1], O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    for (ssize_t n = 1; done < size && n > 0; done += (size_t)n) {
        n = read(from, pixels + done, size - done); /* into the mapping: a driver's pages */
        if (n < 0) {
            return failed(argv[1]);
        }
    }
    puts("drawn");
    fflush(stdout);
    char line[16];
    for (uint32_t y = 0; y < var.yres && fgets(line, sizeof(line), stdin); y++) {
        memset(pixels + (size_t)y * fix.line_length, 0, fix.line_length);
        puts("changed");
        fflush(stdout);
    }
    return munmap(pixels, size) == 0 ? 0 : failed("munmap");
}
