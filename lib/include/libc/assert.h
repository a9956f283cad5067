/*
 * assert.h - no guard, as the C standard has it: NDEBUG counts anew at each inclusion. Freestanding
 * builds only. Whoever uses it provides nx_assert_failed(): the nucleus panics, a cell exits.
 */
#undef assert
#ifdef NDEBUG
#define assert(e) ((void)0)
#else
_Noreturn void nx_assert_failed(const char *expr, const char *file, int line);
#define assert(e) ((e) ? (void)0 : nx_assert_failed(#e, __FILE__, __LINE__))
#endif
#ifndef static_assert
#define static_assert _Static_assert
#endif
