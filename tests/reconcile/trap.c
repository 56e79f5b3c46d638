/* Preloaded into the reconciler, it simulates an unknown fault of a library: a response that
 * contains "trap-spin" keeps the process busy forever, "trap-sleep" makes it sleep forever, and
 * "trap-crash" ends it. Only responses of API servers pass through json_loadb(). */
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

	/* The site's other programs also parse what users send. */
	if (strcmp(program_invocation_short_name, "fsa-reconcile") == 0)
		spring(text, length);
	return ((load_fn *)dlsym(RTLD_NEXT, "json_loadb"))(text, length, flags, error);
}
