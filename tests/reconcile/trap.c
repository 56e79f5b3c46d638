/*
 * Preloaded into the reconciler, it is a fault of a library that nobody knows of: an answer with a
 * word in it keeps the process busy for ever ("trap-spin"), asleep for ever ("trap-sleep"), or ends
 * it
 * ("trap-crash"). Only what is read as an answer of an API server goes through json_loadb().
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void spring(const char *text, size_t length)
{
	if (memmem(text, length, "trap-spin", 9) != NULL) {
		for (volatile unsigned turns = 0;; turns++)
			;
	}
	if (memmem(text, length, "trap-sleep", 10) != NULL) {
		for (;;)
			pause();
	}
	if (memmem(text, length, "trap-crash", 10) != NULL)
		abort();
}

json_t *json_loadb(const char *text, size_t length, size_t flags, json_error_t *error)
{
	typedef json_t *load_fn(const char *, size_t, size_t, json_error_t *);

	/* The other programs of a site read what its owner sends. */
	if (strcmp(program_invocation_short_name, "fsa-reconcile") == 0)
		spring(text, length);
	return ((load_fn *)dlsym(RTLD_NEXT, "json_loadb"))(text, length, flags, error);
}
