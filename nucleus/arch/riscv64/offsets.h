/* Offsets of struct hart, fiber and cell that the assembler uses; checked in mmu.c. */
#ifndef OFFSETS_H
#define OFFSETS_H

#define H_FOREIGN 0
#define H_FIBER 8
#define H_STACK 16
#define H_SCRATCH 24
#define H_RESCHED 40
#define H_READY 44
#define H_HWID 64
#define H_VISIT 192
#define H_GUEST(n) (208 + (n)*8)
#define H_SIZE 344
#define H_COUNT 63

#define F_REG(n) ((n)*8)
#define F_HOST_ROOT 256
#define F_FOREIGN_ROOT 264
#define F_STATE 272
#define F_KICK 280
#define F_ODD 284
#define F_OUTRANKED 288
#define F_FUSED 292
#define F_CELL 304
#define F_HART 336
#define F_DOOR_ENTRY 384
#define F_DOOR_ARG 392

#define C_OPEN 1448

#endif
