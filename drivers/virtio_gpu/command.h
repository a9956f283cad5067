/* Commands and answers of a virtio graphics device (virtio 1.2, 5.7.6), those we use. */
#ifndef GPU_COMMAND_H
#define GPU_COMMAND_H

#include <stdint.h>

#define GPU_GET_DISPLAY_INFO 0x0100u
#define GPU_RESOURCE_CREATE_2D 0x0101u
#define GPU_RESOURCE_UNREF 0x0102u
#define GPU_SET_SCANOUT 0x0103u
#define GPU_RESOURCE_FLUSH 0x0104u
#define GPU_TRANSFER_TO_HOST_2D 0x0105u
#define GPU_RESOURCE_ATTACH_BACKING 0x0106u

#define GPU_OK_NODATA 0x1100u
#define GPU_OK_DISPLAY_INFO 0x1101u
#define GPU_ERROR 0x1200u /* and the codes above it */
#define GPU_ERROR_LAST 0x12ffu

#define GPU_FORMAT_BGRX 2u /* VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM */
#define GPU_SCANOUTS 16u

struct gpu_header {
    uint32_t type, flags;
    uint64_t fence_id;
    uint32_t ctx_id, ring_idx;
};
struct gpu_rect {
    uint32_t x, y, width, height;
};

/* Every command we send fits here; what follows the header is by type. */
struct gpu_command {
    struct gpu_header header;
    union {
        struct {
            uint32_t resource, format, width, height;
        } create;
        struct {
            uint32_t resource, padding;
        } unref;
        struct {
            struct gpu_rect rect;
            uint32_t scanout, resource;
        } scanout;
        struct {
            struct gpu_rect rect;
            uint32_t resource, padding;
        } flush;
        struct {
            struct gpu_rect rect;
            uint64_t offset;
            uint32_t resource, padding;
        } transfer;
        struct {
            uint32_t resource, entries;
            uint64_t addr;
            uint32_t length, padding;
        } attach;
    };
};

struct gpu_display_info {
    struct gpu_header header;
    struct {
        struct gpu_rect rect;
        uint32_t enabled, flags;
    } scanout[GPU_SCANOUTS];
};

_Static_assert(sizeof(struct gpu_header) == 24, "header layout");
_Static_assert(sizeof(struct gpu_command) == 56, "command layout");
_Static_assert(sizeof(struct gpu_display_info) == 408, "display info layout");

#endif
