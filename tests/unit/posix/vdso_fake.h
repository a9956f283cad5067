/* Something for the personality to give programs as their vDSO, which is built for the machine only. */
#ifndef TESTS_UNIT_POSIX_VDSO_FAKE_H
#define TESTS_UNIT_POSIX_VDSO_FAKE_H

__asm__(".section .rodata\n"
        ".globl vdso_image, vdso_image_end\n"
        "vdso_image: .ascii \"the vDSO\"\n"
        "vdso_image_end:\n"
        ".previous\n");

#endif
