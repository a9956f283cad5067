/* The device between the rings.  See uart.h. */
#include "uart.h"

#include <nexus/console.h>
#include <nx_base.h>
#include <string.h>

/* Loads sent in one service when the device swallows them at once (as an emulated one does), before input
 * is looked at again. */
#define LOADS_MAX 8

static uint8_t get(const struct uart *u, enum uart_reg reg)
{
    return uart_port_read(&u->port, reg);
}

static void put(const struct uart *u, enum uart_reg reg, uint8_t v)
{
    uart_port_write(&u->port, reg, v);
}

/* ---- start ---- */

/* The FIFOs on, without the reset that throws away what is in them: a device whose FIFOs are on already is
 * left as it is. */
static unsigned fifo_on(const struct uart *u)
{
    if ((get(u, UART_IIR) & UART_IIR_FIFO) != UART_IIR_FIFO) {
        /* One byte at most is on its way, a character's time: turning the FIFOs on would eat it. */
        for (unsigned i = 0; i < 100000 && (get(u, UART_LSR) & UART_LSR_TX_IDLE) == 0; i++) {
        }
        put(u, UART_FCR, UART_FCR_ON);
    }
    return (get(u, UART_IIR) & UART_IIR_FIFO) == UART_IIR_FIFO ? UART_FIFO : 1;
}

static void note_write(struct uart *u)
{
    u->from->own_end->reserved[0] = u->next << 8 | u->sent;
}

/* Where the predecessor stopped.  The client can write to the note, too: nonsense counts as none. */
static void note_read(struct uart *u)
{
    uint32_t note = u->from->own_end->reserved[0];
    uint32_t ahead = ((note >> 8) - u->from->own) & 0xffffff;
    int waiting = nx_ring_pending(u->from, NX_RING_SLOTS_MAX);
    u->next = u->from->own;
    u->sent = 0;
    if (waiting > 0 && ahead <= (uint32_t)waiting && (note & 0xff) <= NX_RING_PAYLOAD) {
        u->next += ahead;
        u->sent = ahead < (uint32_t)waiting ? note & 0xff : 0;
    }
}

void uart_init(struct uart *u, const struct uart_port *port, struct nx_ring *from,
               struct nx_ring *to)
{
    *u = (struct uart){.port = *port, .from = from, .to = to};
    put(u, UART_IER, 0);
    if (get(u, UART_LCR) != UART_LCR_8N1) {
        put(u, UART_LCR, UART_LCR_8N1);
    }
    u->load = fifo_on(u);
    put(u, UART_MCR, UART_MCR_READY);
    note_read(u);
}

/* ---- input ---- */

static void receive(struct uart *u)
{
    while (u->tail - u->head < UART_INPUT) {
        uint8_t lsr = get(u, UART_LSR);
        if ((lsr & UART_LSR_OVERRUN) != 0) {
            u->overruns++;
        }
        if ((lsr & UART_LSR_RX) == 0) {
            return;
        }
        u->input[u->tail++ % UART_INPUT] = get(u, UART_RBR);
    }
}

static int pass_on(struct uart *u)
{
    while (u->head != u->tail) {
        struct nx_slot slot;
        uint32_t at = u->head % UART_INPUT;
        uint32_t n = NX_MIN(NX_MIN(u->tail - u->head, UART_INPUT - at), NX_RING_PAYLOAD);
        nexus_console_input_put(&slot, u->input + at, n);
        int e = nx_ring_push(u->to, &slot);
        if (e != 0) {
            return e == -NX_EFULL ? 0 : e;
        }
        u->head += n;
    }
    return 0;
}

/* ---- output ---- */

/* Make `slot` the next one with bytes to send: 1, 0 when there is none, or an error. */
static int load_slot(struct uart *u)
{
    while (!u->loaded) {
        uint32_t ahead = u->next - u->from->own;
        int waiting = nx_ring_pending(u->from, ahead + 1);
        if (waiting < 0 || ahead >= (uint32_t)waiting) {
            return waiting < 0 ? waiting : 0;
        }
        nx_ring_read(u->from, ahead, &u->slot);
        const bool good = nexus_console_output_told(&u->slot) != 0;
        if (good && u->sent < u->slot.buf_len) {
            u->loaded = true;
        } else {
            u->skipped += !good;
            u->next++;
            u->sent = 0;
        }
    }
    return 1;
}

/* Fill the empty FIFO: how many bytes went, or an error. */
static int fill(struct uart *u)
{
    unsigned n = 0;
    int e = 0;
    while (n < u->load && (e = load_slot(u)) > 0) {
        while (n < u->load && u->sent < u->slot.buf_len) {
            uint8_t byte = u->slot.payload[u->sent++];
            /* The note first: an end from outside comes right behind the slow device access far more
             * often than between these two, where it costs a byte. */
            note_write(u);
            put(u, UART_THR, byte);
            n++;
        }
        if (u->sent == u->slot.buf_len) {
            u->next++;
            u->sent = 0;
            u->loaded = false;
        }
    }
    note_write(u);
    return e < 0 ? e : (int)n;
}

static int transmit(struct uart *u)
{
    for (unsigned i = 0; i < LOADS_MAX && (get(u, UART_LSR) & UART_LSR_TX_EMPTY) != 0; i++) {
        if (u->next != u->from->own) {
            nx_ring_release(u->from, u->next - u->from->own);
        }
        int n = fill(u);
        if (n <= 0) {
            return n;
        }
    }
    return 0;
}

/* ---- both ---- */

bool uart_sending(const struct uart *u)
{
    return u->next != u->from->own || u->sent != 0;
}

bool uart_input_waits(const struct uart *u)
{
    return u->head != u->tail;
}

int uart_service(struct uart *u)
{
    receive(u);
    int e = pass_on(u);
    if (e == 0) {
        e = transmit(u);
    }
    uint8_t ier = u->tail - u->head < UART_INPUT ? UART_IER_RX : 0;
    if (uart_sending(u)) {
        ier |= UART_IER_TX;
    }
    if (ier != u->ier) {
        u->ier = ier;
        put(u, UART_IER, ier);
    }
    return e;
}
