/* time.h - for other people's code, which includes it and uses nothing of it. */
