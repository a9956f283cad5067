/*
 * uart16550.c - the serial driver against a model of the device.
 *
 * test-sources: drivers/uart16550/uart.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../drivers/uart16550/uart.h"

#include <nexus/console.h>

/* ---- the model: what the driver writes to the FIFO goes out when the test lets time pass ---- */

static struct {
    uint8_t ier, lcr, mcr;
    bool fifo_on, has_fifo;
    bool instant; /* the FIFO is empty again at once, as under an emulator */
    uint8_t tx[UART_FIFO], rx[UART_FIFO];
    unsigned tx_n, rx_n, tx_lost;
    bool overrun;
    uint8_t out[1 << 16];
    unsigned out_n;
} dev;

static unsigned depth(void)
{
    return dev.fifo_on ? UART_FIFO : 1;
}

static void dev_drain(void)
{
    memcpy(dev.out + dev.out_n, dev.tx, dev.tx_n);
    dev.out_n += dev.tx_n;
    dev.tx_n = 0;
}

static void dev_type(const char *text)
{
    for (; *text != 0; text++) {
        if (dev.rx_n == depth()) {
            dev.overrun = true;
        } else {
            dev.rx[dev.rx_n++] = (uint8_t)*text;
        }
    }
}

uint8_t uart_port_read(const struct uart_port *p, enum uart_reg reg)
{
    uint8_t v = 0;
    switch ((int)reg) {
    case UART_RBR:
        assert_true(dev.rx_n > 0);
        v = dev.rx[0];
        memmove(dev.rx, dev.rx + 1, --dev.rx_n);
        return v;
    case UART_IIR:
        return dev.fifo_on ? UART_IIR_FIFO | 1 : 1;
    case UART_LCR:
        return dev.lcr;
    case UART_LSR:
        v = dev.rx_n > 0 ? UART_LSR_RX : 0;
        v |= dev.overrun ? UART_LSR_OVERRUN : 0;
        v |= dev.tx_n == 0 ? UART_LSR_TX_EMPTY | UART_LSR_TX_IDLE : 0;
        dev.overrun = false;
        return v;
    default:
        fail_msg("read of register %d", (int)reg);
    }
    return 0;
}

void uart_port_write(const struct uart_port *p, enum uart_reg reg, uint8_t v)
{
    switch ((int)reg) {
    case UART_THR:
        assert_int_equal(dev.lcr & 0x80, 0);
        if (dev.tx_n == depth()) {
            dev.tx_lost++;
        } else {
            dev.tx[dev.tx_n++] = v;
        }
        if (dev.instant) {
            dev_drain();
        }
        break;
    case UART_IER:
        dev.ier = v;
        break;
    case UART_FCR:
        if (dev.has_fifo && ((v & 1) != 0) != dev.fifo_on) {
            dev.tx_lost += dev.tx_n;
            dev.tx_n = dev.rx_n = 0;
            dev.fifo_on = (v & 1) != 0;
        }
        break;
    case UART_LCR:
        dev.lcr = v;
        break;
    case UART_MCR:
        dev.mcr = v;
        break;
    default:
        fail_msg("write of register %d", (int)reg);
    }
}

/* ---- the client ---- */

static _Alignas(4096) uint8_t from_mem[8192], to_mem[8192];
static struct nx_ring from, to, client_out, client_in;
static struct uart uart;
static const struct uart_port port = {.width = 1};

#define SLOTS 16u

static void driver_start(void)
{
    assert_int_equal(nx_ring_attach(&from, NX_RING_CONSUMER, from_mem, sizeof(from_mem)), 0);
    assert_int_equal(nx_ring_attach(&to, NX_RING_PRODUCER, to_mem, sizeof(to_mem)), 0);
    uart_init(&uart, &port, &from, &to);
}

static int setup(void **state)
{
    memset(&dev, 0, sizeof(dev));
    dev.has_fifo = dev.fifo_on = true;
    dev.lcr = 3;
    memset(from_mem, 0, sizeof(from_mem));
    memset(to_mem, 0, sizeof(to_mem));
    nx_ring_format(from_mem, SLOTS, 0);
    nx_ring_format(to_mem, SLOTS, 0);
    assert_int_equal(nx_ring_attach(&client_out, NX_RING_PRODUCER, from_mem, sizeof(from_mem)), 0);
    assert_int_equal(nx_ring_attach(&client_in, NX_RING_CONSUMER, to_mem, sizeof(to_mem)), 0);
    driver_start();
    return 0;
}

static bool client_write(const char *bytes, unsigned n)
{
    struct nx_slot slot = {.type = NEXUS_CONSOLE_OUTPUT, .flags = NX_SLOT_INLINE, .buf_len = n};
    memcpy(slot.payload, bytes, n);
    return nx_ring_push(&client_out, &slot) == 0;
}

static unsigned client_read(uint8_t *to_here)
{
    struct nx_slot slot;
    unsigned n = 0;
    while (nx_ring_pop(&client_in, &slot) == 0) {
        assert_int_equal(slot.type, NEXUS_CONSOLE_INPUT);
        assert_in_range(slot.buf_len, 1, NX_RING_PAYLOAD);
        memcpy(to_here + n, slot.payload, slot.buf_len);
        n += slot.buf_len;
    }
    return n;
}

/* ---- tests ---- */

static void output_goes_by_loads_and_is_released_when_out(void **state)
{
    char text[41] = "0123456789abcdefghijklmnopqrstuvwxyz+-*/";
    assert_true(client_write(text, 40));
    assert_int_equal(uart_service(&uart), 0);
    assert_int_equal(dev.tx_n, 16);
    assert_int_equal(dev.ier, UART_IER_RX | UART_IER_TX);
    assert_true(uart_sending(&uart));
    assert_int_equal(uart_service(&uart), 0); /* nothing more fits: nothing is lost */
    for (unsigned i = 0; i < 2; i++) {
        dev_drain();
        assert_int_equal(uart_service(&uart), 0);
    }
    assert_int_equal(nx_ring_pending(&from, 1), 1); /* the last bytes are still in the FIFO */
    dev_drain();
    assert_int_equal(uart_service(&uart), 0);
    assert_int_equal(nx_ring_pending(&from, 1), 0);
    assert_false(uart_sending(&uart));
    assert_int_equal(dev.ier, UART_IER_RX);
    assert_int_equal(dev.out_n, 40);
    assert_memory_equal(dev.out, text, 40);
    assert_int_equal(dev.tx_lost, 0);
}

static void a_device_that_is_always_ready_gets_bounded_work(void **state)
{
    dev.instant = true;
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_true(client_write("012345678901234567890123456789012345678901234567", 48));
    }
    unsigned calls = 0;
    do {
        assert_int_equal(uart_service(&uart), 0);
        calls++;
    } while (uart_sending(&uart) || nx_ring_pending(&from, 1) > 0);
    assert_int_equal(dev.out_n, SLOTS * 48);
    assert_in_range(calls, 2, SLOTS);
}

static void the_firmwares_state_survives(void **state)
{
    /* FIFOs on: what the firmware still sends is not reset away. */
    dev.tx_n = 3;
    memcpy(dev.tx, "fw!", 3);
    driver_start();
    assert_int_equal(dev.tx_n, 3);
    assert_int_equal(dev.mcr & 3, 3);
    /* FIFOs off, line settings odd. */
    dev_drain();
    dev.fifo_on = false;
    dev.lcr = 0x83;
    driver_start();
    assert_true(dev.fifo_on);
    assert_int_equal(dev.lcr, UART_LCR_8N1);
    assert_int_equal(uart.load, UART_FIFO);
    assert_int_equal(dev.tx_lost, 0);
}

static void a_device_without_fifo_gets_single_bytes(void **state)
{
    dev.has_fifo = dev.fifo_on = false;
    driver_start();
    assert_int_equal(uart.load, 1);
    client_write("xyz", 3);
    for (unsigned i = 0; i < 4; i++) {
        uart_service(&uart);
        dev_drain();
    }
    assert_int_equal(dev.tx_lost, 0);
    assert_int_equal(dev.out_n, 3);
}

static void input_is_passed_on(void **state)
{
    uint8_t got[64];
    dev_type("ls -l\r");
    assert_int_equal(uart_service(&uart), 0);
    assert_int_equal(client_read(got), 6);
    assert_memory_equal(got, "ls -l\r", 6);
    assert_false(uart_input_waits(&uart));
}

/* Nobody reads: ring and buffer fill, then the receive interrupt goes off and the device holds back. */
static void a_full_ring_holds_the_line_back(void **state)
{
    static uint8_t got[8192];
    unsigned typed = 0, n = 0;
    while ((dev.ier & UART_IER_RX) != 0 || typed == 0) {
        dev_type("0123456789");
        typed += 10;
        assert_int_equal(uart_service(&uart), 0);
        assert_true(typed < sizeof(got));
    }
    assert_true(typed >= UART_INPUT);
    assert_true(uart_input_waits(&uart));
    for (unsigned i = 0; i < 100 && n < typed; i++) {
        n += client_read(got + n);
        assert_int_equal(uart_service(&uart), 0);
    }
    assert_int_equal(n, typed);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(got[i], '0' + i % 10);
    }
    assert_int_equal(dev.ier, UART_IER_RX);
    assert_int_equal(uart.overruns, 0);
}

static void overruns_are_counted(void **state)
{
    uint8_t got[64];
    dev_type("01234567890123456789");
    uart_service(&uart);
    assert_int_equal(uart.overruns, 1);
    assert_int_equal(client_read(got), 16);
}

static void malformed_messages_are_skipped(void **state)
{
    struct nx_slot bad = {.type = 77, .buf_len = 3};
    dev.instant = true;
    nx_ring_push(&client_out, &bad);
    bad = (struct nx_slot){.type = NEXUS_CONSOLE_OUTPUT, .buf_len = 49};
    nx_ring_push(&client_out, &bad);
    bad.buf_len = 0;
    nx_ring_push(&client_out, &bad);
    client_write("ok", 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(uart_service(&uart), 0);
    }
    assert_int_equal(uart.skipped, 3);
    assert_int_equal(dev.out_n, 2);
    assert_int_equal(nx_ring_pending(&from, 1), 0);
}

static void an_impossible_index_is_the_clients_fault(void **state)
{
    client_out.own_end->index += 1000;
    assert_int_equal(uart_service(&uart), -NX_EPEER);
}

/* Crash after every service, at every state of the FIFO: each byte comes out once. */
static void crashes_neither_lose_nor_double(void **state)
{
    static uint8_t sent[1 << 16];
    unsigned sent_n = 0, seed = 1;
    for (unsigned round = 0; round < 4000; round++) {
        char text[NX_RING_PAYLOAD];
        seed = seed * 1103515245 + 12345;
        unsigned n = 1 + (seed >> 16) % 12;
        for (unsigned i = 0; i < n; i++) {
            text[i] = (char)(sent_n + i);
        }
        if (client_write(text, n)) {
            memcpy(sent + sent_n, text, n);
            sent_n += n;
        }
        if ((seed >> 20 & 1) != 0) {
            dev_drain();
        }
        assert_int_equal(uart_service(&uart), 0);
        if ((seed >> 22 & 3) == 0) {
            driver_start();
        }
    }
    for (unsigned i = 0; i < 1000; i++) {
        dev_drain();
        assert_int_equal(uart_service(&uart), 0);
    }
    assert_false(uart_sending(&uart));
    assert_int_equal(dev.tx_lost, 0);
    assert_int_equal(dev.out_n, sent_n);
    assert_memory_equal(dev.out, sent, sent_n);
}

/* The note lies in memory the client can write: whatever it holds, the driver goes on. */
static void a_forged_note_does_no_harm(void **state)
{
    unsigned seed = 7;
    dev.instant = true;
    for (unsigned i = 0; i < 2000; i++) {
        seed = seed * 1103515245 + 12345;
        client_write("0123456789", 10);
        from.own_end->reserved[0] =
            (i & 1) != 0 ? seed : (from.own + (seed >> 20) % 4) << 8 | (seed & 63);
        driver_start();
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(uart_service(&uart), 0);
        }
        assert_int_equal(nx_ring_pending(&from, 1), 0);
        dev.out_n = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(output_goes_by_loads_and_is_released_when_out, setup),
        cmocka_unit_test_setup(a_device_that_is_always_ready_gets_bounded_work, setup),
        cmocka_unit_test_setup(the_firmwares_state_survives, setup),
        cmocka_unit_test_setup(a_device_without_fifo_gets_single_bytes, setup),
        cmocka_unit_test_setup(input_is_passed_on, setup),
        cmocka_unit_test_setup(a_full_ring_holds_the_line_back, setup),
        cmocka_unit_test_setup(overruns_are_counted, setup),
        cmocka_unit_test_setup(malformed_messages_are_skipped, setup),
        cmocka_unit_test_setup(an_impossible_index_is_the_clients_fault, setup),
        cmocka_unit_test_setup(crashes_neither_lose_nor_double, setup),
        cmocka_unit_test_setup(a_forged_note_does_no_harm, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
