#ifndef FSA_TESTS_WEB_FIXTURE_H
#define FSA_TESTS_WEB_FIXTURE_H

#include <stddef.h>

#include "web/io.h"

/* A request in memory, and the buffer for its response. */
enum { EXCHANGE_VARIABLES_MAX = 300, EXCHANGE_ANSWER_MAX = 65536 };

struct exchange {
	struct web_io io;
	char *variables[EXCHANGE_VARIABLES_MAX + 1];
	size_t variable_count;
	const char *body;
	size_t body_length, body_read;
	char answer[EXCHANGE_ANSWER_MAX];
	size_t answer_length;
};

/* Begins a request such as "POST" to "/api/x?a=b" with a JSON body (NULL: none) and its
 * Content-Length. */
void exchange_begin(struct exchange *x, const char *method, const char *url, const char *body);
void exchange_set(struct exchange *x, const char *name, const char *value);
void exchange_end(struct exchange *x);

/* The response's status, a header's value or "" (static), and body. */
int exchange_status(const struct exchange *x);
const char *exchange_header(const struct exchange *x, const char *name);
const char *exchange_body(const struct exchange *x);

#endif
