#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/token.h"

/* What the fuzz targets share. Each is a file with libFuzzer's two functions (`make fuzz`), and
 * checks more than crashes: accepted input has the form that its readers rely on, and refused input
 * produces a proper error. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void insist(int holds)
{
	if (!holds)
		abort();
}

/* Errors are for clients: a kind, a code, a message in UTF-8. */
static inline void insist_told(const struct err *e, enum err_kind kind)
{
	insist(e->kind == kind && e->code[0] != '\0' && e->message[0] != '\0');
	insist(parse_is_utf8(e->message, strlen(e->message)));
}

/* Returns a copy that ends with a NUL. The caller frees. */
static inline char *text_of(const uint8_t *data, size_t size)
{
	return mem_strndup(size > 0 ? (const char *)data : "", size);
}

#endif
