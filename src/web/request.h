#ifndef FSA_WEB_REQUEST_H
#define FSA_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "web/io.h"
#include "web/query.h"

/*
 * One HTTP request as the web server in front passes it on (RFC 3875): the head first, and the body
 * only when its reading is requested, for a client that may send one. Everything in it is hostile
 * and capped: at most REQUEST_VARIABLES_MAX headers and variables, each at most
 * REQUEST_VARIABLE_MAX bytes, a path of REQUEST_PATH_MAX.
 */
struct request;

enum {
	REQUEST_VARIABLES_MAX = 256,
	REQUEST_VARIABLE_MAX = 16384,
	REQUEST_PATH_MAX = 1024,
	REQUEST_ID_LENGTH = 32,
};

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_OTHER,
	METHOD_COUNT
};

/*
 * The head. Always gives a request, on failure too: one that can be answered (it has an id), but
 * whose path may be empty. ERR_INVALID: no URL, or one that is malformed; ERR_TOO_LARGE: over a
 * cap. `io` must outlive the request. The caller frees.
 */
int request_read_head(const struct web_io *io, struct request **ret_request, struct err *e);
void request_free(struct request *r);
void request_freep(struct request **r); /* for CLEANUP */

enum method request_method(const struct request *r);
const char *method_name(enum method method);       /* "GET"; METHOD_OTHER: "-" */
const char *request_path(const struct request *r); /* decoded, begins with '/' or is empty */
const struct query *request_query(const struct request *r);
/* The client's IP address, as the web server saw it; NULL if it does not say. */
const char *request_client(const struct request *r);
/* Whether it comes from this machine itself, and not from a client behind it, according to the web
 * server: limits by address do not apply to it. */
bool request_is_local(const struct request *r);
/* 32 hex digits: the web server's X-Request-Id ($request_id) if it has that form, else random. */
const char *request_id(const struct request *r);
/* A header by its CGI name ("HTTP_ORIGIN", "CONTENT_TYPE"), NULL if there is none. If it occurs
 * twice, the first is used. */
const char *request_variable(const struct request *r, const char *name);
/* A cookie's value, NULL if there is none. The caller frees. */
char *request_cookie(const struct request *r, const char *name);

/*
 * Reads the body, all of it or none. ERR_TOO_LARGE: more than `max` bytes, known before any is
 * read; ERR_INVALID: a Content-Length that is none, or a body that ends before it. A body in
 * chunks has its length from the web server, which took it in whole.
 */
int request_read_body(struct request *r, size_t max, struct err *e);
/* What was read, NUL-terminated; "" before. */
const char *request_body(const struct request *r, size_t *ret_length);
/* ERR_MEDIA_TYPE unless there is no body, or its Content-Type is application/json in UTF-8. */
int request_require_json(const struct request *r, struct err *e);

#endif
