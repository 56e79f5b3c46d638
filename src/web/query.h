#ifndef FSA_WEB_QUERY_H
#define FSA_WEB_QUERY_H

#include <stddef.h>

#include "base/err.h"

/*
 * The escaped parts of a URL, decoded strictly (RFC 3986, section 2.1; the "+" of forms is a
 * blank in a query and itself in a path): a '%' without two hex digits, NUL and what is not
 * UTF-8 are ERR_INVALID, never passed on.
 */
enum { QUERY_PAIRS_MAX = 32, QUERY_BYTES_MAX = 8192 };

struct query_pair {
	char *name;
	char *value;
};

struct query {
	struct query_pair pairs[QUERY_PAIRS_MAX];
	size_t count;
};

/* "a=1&b=2". A name given twice, more than QUERY_PAIRS_MAX names or more than QUERY_BYTES_MAX
 * bytes are refused. `q` starts zeroed; query_clear() it also after a failure. */
int query_parse(const char *text, struct query *q, struct err *e);
void query_clear(struct query *q); /* for CLEANUP */

/* A path of `length` bytes. An escaped '/' is refused, because after decoding it would part
 * segments that the web server in front saw as one. The caller frees. */
int path_decode(const char *text, size_t length, char **ret_path, struct err *e);

/* The other way: everything but RFC 3986's unreserved characters escaped. The caller frees. */
char *query_escape(const char *text);

#endif
