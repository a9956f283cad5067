/* The root archive: /sbin/init and /bin/p, the same program.  Its code is never run: where its entry is
 * entered, program.c calls a C function. */
#include "machine.h"

#include "../../vdso_fake.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static char archive[32768];
static size_t used;

static void add(const void *bytes, size_t n)
{
    memcpy(archive + used, bytes, n);
    used += n;
    while (used % 4 != 0) {
        archive[used++] = 0;
    }
}

static void entry(const char *name, unsigned mode, const void *bytes, size_t n)
{
    static unsigned ino = 1;
    char head[256];
    int len = snprintf(
        head, sizeof(head), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", ino++,
        mode, 0u, 0u, 1u, 0u, (unsigned)n, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u, name);
    add(head, (size_t)len + 1);
    add(bytes, n);
}

static size_t program(char *to)
{
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_RISCV,
                    .e_version = EV_CURRENT,
                    .e_entry = IMAGE_ENTRY,
                    .e_phoff = sizeof(e),
                    .e_ehsize = sizeof(e),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 2};
    Elf64_Phdr p[2] = {{.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_X,
                        .p_vaddr = IMAGE_ENTRY,
                        .p_filesz = 512,
                        .p_memsz = 512,
                        .p_align = MB_PAGE},
                       {.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_W,
                        .p_vaddr = ROOM_BASE,
                        .p_filesz = 16,
                        .p_memsz = ROOM_SIZE,
                        .p_align = MB_PAGE}};
    memset(to, 0, 512);
    memcpy(to, &e, sizeof(e));
    memcpy(to + sizeof(e), p, sizeof(p));
    return 512;
}

const void *image_archive(size_t *size)
{
    static const char *const dirs[] = {"bin", "sbin", "dev", "proc", "sys", "tmp"};
    if (used == 0) {
        char elf[512];
        size_t n = program(elf);
        for (unsigned i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
            entry(dirs[i], 040755, "", 0);
        }
        entry("sbin/init", 0100755, elf, n);
        entry("bin/p", 0100755, elf, n);
        entry("bin/script", 0100755, "#!/bin/p x\n", 11);
        entry("TRAILER!!!", 0, "", 0);
    }
    *size = used;
    return archive;
}
