/*
 * fmt.c - vsnprintf and snprintf without floating point, locales and %n.
 *
 * The result is what the C standard says: the length the whole text would have, NUL always written
 * when size is not 0. A conversion we do not know is printed as it stands and takes no argument.
 */
#include <limits.h>
#include <nx_base.h>
#include <nx_libc.h>

enum {
    FLAG_LEFT = 1,
    FLAG_PLUS = 2,
    FLAG_SPACE = 4,
    FLAG_ALT = 8,
    FLAG_ZERO = 16,
};

struct out {
    char *to;
    size_t size;
    size_t len; /* may run past size: then only counted */
};

struct spec {
    unsigned flags;
    int width;     /* 0 when not given */
    int precision; /* -1 when not given */
    int length;    /* bytes of the integer argument */
    char conversion;
};

static void out_char(struct out *o, char c)
{
    if (o->len < o->size) {
        o->to[o->len] = c;
    }
    o->len++;
}

/* Past the end it only counts: a width may come from data and be as large as an int. */
static void out_repeat(struct out *o, char c, long n)
{
    for (; n > 0 && o->len < o->size; n--) {
        o->to[o->len++] = c;
    }
    o->len += (size_t)NX_MAX(n, 0);
}

static void out_text(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out_char(o, s[i]);
    }
}

static void out_padded(struct out *o, const struct spec *spec, const char *s, size_t n)
{
    long pad = spec->width - (long)n;
    if ((spec->flags & FLAG_LEFT) == 0) {
        out_repeat(o, ' ', pad);
    }
    out_text(o, s, n);
    if ((spec->flags & FLAG_LEFT) != 0) {
        out_repeat(o, ' ', pad);
    }
}

/* Digits of `value`, last first, into `digits`; how many. None for 0. */
static int digits_make(char digits[24], uint64_t value, unsigned base, bool capital)
{
    const char *set = capital ? "0123456789ABCDEF" : "0123456789abcdef";
    int n = 0;
    for (; value != 0; value /= base) {
        digits[n++] = set[value % base];
    }
    return n;
}

static void out_number(struct out *o, const struct spec *spec, uint64_t value, const char *sign)
{
    char digits[24];
    char prefix[4];
    int prefix_len = 0;
    char conversion = spec->conversion;
    bool hex = conversion == 'x' || conversion == 'X' || conversion == 'p';
    bool octal = conversion == 'o';
    int n = digits_make(digits, value, hex ? 16 : octal ? 8 : 10, conversion == 'X');

    while (*sign != '\0') {
        prefix[prefix_len++] = *sign++;
    }
    if (hex && (conversion == 'p' || ((spec->flags & FLAG_ALT) != 0 && value != 0))) {
        prefix[prefix_len++] = '0';
        prefix[prefix_len++] = conversion == 'X' ? 'X' : 'x';
    }
    long zeros = (spec->precision < 0 ? 1 : spec->precision) - n;
    if (octal && (spec->flags & FLAG_ALT) != 0 && zeros <= 0) {
        zeros = 1;
    }
    zeros = NX_MAX(zeros, 0);
    long pad = spec->width - (prefix_len + zeros + n);
    if ((spec->flags & (FLAG_ZERO | FLAG_LEFT)) == FLAG_ZERO && spec->precision < 0 && pad > 0) {
        zeros += pad;
        pad = 0;
    }
    if ((spec->flags & FLAG_LEFT) == 0) {
        out_repeat(o, ' ', pad);
    }
    out_text(o, prefix, (size_t)prefix_len);
    out_repeat(o, '0', zeros);
    while (n > 0) {
        out_char(o, digits[--n]);
    }
    if ((spec->flags & FLAG_LEFT) != 0) {
        out_repeat(o, ' ', pad);
    }
}

/* A decimal number of the format; saturated, so that no text can overflow it. */
static int spec_number(const char **fmt)
{
    int n = 0;
    for (; (unsigned)**fmt - '0' < 10; (*fmt)++) {
        if (nx_mul_overflow(n, 10, &n) || nx_add_overflow(n, **fmt - '0', &n)) {
            n = INT_MAX;
        }
    }
    return n;
}

static unsigned spec_flags(const char **fmt)
{
    unsigned flags = 0;
    for (;; (*fmt)++) {
        switch (**fmt) {
        case '-':
            flags |= FLAG_LEFT;
            break;
        case '+':
            flags |= FLAG_PLUS;
            break;
        case ' ':
            flags |= FLAG_SPACE;
            break;
        case '#':
            flags |= FLAG_ALT;
            break;
        case '0':
            flags |= FLAG_ZERO;
            break;
        default:
            return flags;
        }
    }
}

static int spec_length(const char **fmt)
{
    switch (**fmt) {
    case 'h':
        if (*++*fmt == 'h') {
            ++*fmt;
            return sizeof(char);
        }
        return sizeof(short);
    case 'l':
        if (*++*fmt == 'l') {
            ++*fmt;
        }
        return sizeof(long);
    case 'z':
    case 'j':
    case 't':
        ++*fmt;
        return sizeof(long);
    default:
        return sizeof(int);
    }
}

/* The rest after '%'; `ap` by address since '*' takes arguments. */
static struct spec spec_parse(const char **fmt, va_list *ap)
{
    struct spec spec = {.precision = -1};
    spec.flags = spec_flags(fmt);
    if (**fmt == '*') {
        ++*fmt;
        spec.width = va_arg(*ap, int);
        if (spec.width < 0) {
            spec.flags |= FLAG_LEFT;
            spec.width = spec.width == INT_MIN ? INT_MAX : -spec.width;
        }
    } else {
        spec.width = spec_number(fmt);
    }
    if (**fmt == '.') {
        ++*fmt;
        if (**fmt == '*') {
            ++*fmt;
            spec.precision = NX_MAX(va_arg(*ap, int), -1);
        } else {
            spec.precision = spec_number(fmt);
        }
    }
    spec.length = spec_length(fmt);
    spec.conversion = **fmt;
    return spec;
}

static void out_signed(struct out *o, const struct spec *spec, va_list *ap)
{
    int64_t v = spec->length == sizeof(long) ? va_arg(*ap, long) : va_arg(*ap, int);
    if (spec->length == sizeof(short)) {
        v = (short)v;
    } else if (spec->length == sizeof(char)) {
        v = (signed char)v; /* %hhd wants the sign. NOLINT(bugprone-signed-char-misuse) */
    }
    const char *sign = (spec->flags & FLAG_PLUS) != 0 ? "+" : "";
    if (*sign == '\0' && (spec->flags & FLAG_SPACE) != 0) {
        sign = " ";
    }
    out_number(o, spec, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0 ? "-" : sign);
}

static void out_unsigned(struct out *o, const struct spec *spec, va_list *ap)
{
    uint64_t v =
        spec->length == sizeof(long) ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
    if (spec->length == sizeof(short)) {
        v = (unsigned short)v;
    } else if (spec->length == sizeof(char)) {
        v = (unsigned char)v;
    }
    out_number(o, spec, v, "");
}

static void out_string(struct out *o, const struct spec *spec, const char *s)
{
    if (s == NULL) {
        s = "(null)";
    }
    size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    out_padded(o, spec, s, NX_LIBC(strnlen)(s, max));
}

/* One conversion; false when it is not known. */
static bool out_conversion(struct out *o, const struct spec *spec, va_list *ap)
{
    char c;
    switch (spec->conversion) {
    case 'd':
    case 'i':
        out_signed(o, spec, ap);
        return true;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        out_unsigned(o, spec, ap);
        return true;
    case 'p':
        out_number(o, spec, (uintptr_t)va_arg(*ap, void *), "");
        return true;
    case 's':
        out_string(o, spec, va_arg(*ap, const char *));
        return true;
    case 'c':
        c = (char)va_arg(*ap, int);
        out_padded(o, spec, &c, 1);
        return true;
    case '%':
        out_char(o, '%');
        return true;
    default:
        return false;
    }
}

int NX_LIBC(vsnprintf)(char *restrict to, size_t size, const char *restrict fmt, va_list ap)
{
    struct out o = {.to = to, .size = size};
    const char *at = fmt;
    va_list args; /* a va_list parameter may be an array; the address of a copy is well defined */
    va_copy(args, ap);
    while (*at != '\0') {
        if (*at != '%') {
            out_char(&o, *at++);
            continue;
        }
        const char *start = at++;
        struct spec spec = spec_parse(&at, &args);
        if (out_conversion(&o, &spec, &args)) {
            at++;
        } else {
            out_text(&o, start, (size_t)(at - start));
        }
    }
    va_end(args);
    if (size > 0) {
        to[NX_MIN(o.len, size - 1)] = '\0';
    }
    return o.len > INT_MAX ? INT_MAX : (int)o.len;
}

int NX_LIBC(snprintf)(char *restrict to, size_t size, const char *restrict fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = NX_LIBC(vsnprintf)(to, size, fmt, ap);
    va_end(ap);
    return n;
}
