/*
 * num.c - numbers from text: strtoul and its relatives.
 *
 * As in the C standard, except that there is no errno: out of range saturates, and whoever must
 * know compares. Bases 2 to 36 and 0; any other reads nothing.
 */
#include <nx_base.h>
#include <nx_libc.h>

static unsigned digit_value(char c)
{
    if ((unsigned)c - '0' < 10) {
        return (unsigned)c - '0';
    }
    unsigned letter = ((unsigned)c | 32) - 'a';
    return letter < 26 ? letter + 10 : 99;
}

struct number {
    uint64_t value; /* saturated */
    bool negative;
    bool overflow;
};

static struct number number_parse(const char *s, char **end, int base)
{
    struct number n = {0};
    const char *p = s;
    const char *after = s; /* s itself when there is no digit */
    while (*p == ' ' || (unsigned)*p - '\t' < 5) {
        p++;
    }
    if (*p == '-' || *p == '+') {
        n.negative = *p++ == '-';
    }
    if ((base == 0 || base == 16) && p[0] == '0' && (p[1] | 32) == 'x' && digit_value(p[2]) < 16) {
        p += 2;
        base = 16;
    } else if (base == 0) {
        base = *p == '0' ? 8 : 10;
    }
    if (base >= 2 && base <= 36) {
        for (unsigned d; (d = digit_value(*p)) < (unsigned)base; after = ++p) {
            if (nx_mul_overflow(n.value, (unsigned)base, &n.value) ||
                nx_add_overflow(n.value, d, &n.value)) {
                n.overflow = true;
            }
            if (n.overflow) {
                n.value = UINT64_MAX;
            }
        }
    }
    if (end != NULL) {
        *end = (char *)(uintptr_t)after;
    }
    return n;
}

unsigned long long NX_LIBC(strtoull)(const char *restrict s, char **restrict end, int base)
{
    struct number n = number_parse(s, end, base);
    return n.negative && !n.overflow ? -n.value : n.value;
}

long long NX_LIBC(strtoll)(const char *restrict s, char **restrict end, int base)
{
    struct number n = number_parse(s, end, base);
    if (n.negative) {
        return n.value > INT64_MAX ? INT64_MIN : -(long long)n.value;
    }
    return n.value > INT64_MAX ? INT64_MAX : (long long)n.value;
}

static_assert(sizeof(long) == sizeof(long long), "LP64");

unsigned long NX_LIBC(strtoul)(const char *restrict s, char **restrict end, int base)
{
    return NX_LIBC(strtoull)(s, end, base);
}

long NX_LIBC(strtol)(const char *restrict s, char **restrict end, int base)
{
    return NX_LIBC(strtoll)(s, end, base);
}

int NX_LIBC(atoi)(const char *s)
{
    return (int)NX_LIBC(strtoll)(s, NULL, 10);
}
