#ifndef SANDBOXD_REQUEST_H
#define SANDBOXD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <http_parser.h>

#include "base/buf.h"
#include "base/err.h"

/* The head of a request: method, path, query and the headers that handlers use. */

enum header {
	HEADER_ACCEPT_ENCODING,
	HEADER_AUTHORIZATION,
	HEADER_CONNECTION,
	HEADER_COOKIE,
	HEADER_EXPECT,
	HEADER_FETCH_DEST,
	HEADER_FETCH_MODE,
	HEADER_FETCH_SITE,
	HEADER_HOST,
	HEADER_IDEMPOTENCY_KEY,
	HEADER_IF_MATCH,
	HEADER_IF_NONE_MATCH,
	HEADER_ORIGIN,
	HEADER_RANGE,
	HEADER_TOKEN,
	HEADER_TUS,
	HEADER_UPGRADE,
	HEADER_UPLOAD_LENGTH,
	HEADER_UPLOAD_OFFSET,
	HEADER_WS_KEY,
	HEADER_WS_PROTOCOL,
	HEADER_WS_VERSION,
	HEADER_COUNT,
};

enum { HEAD_MAX = 16384, QUERY_PARAMETERS = 8 };

struct parameter {
	char *name, *value; /* decoded, in `decoded` */
};

struct request {
	enum http_method method;
	struct buf target;
	char *path, *query; /* within target, after request_split(); the query undecoded */
	char *values[HEADER_COUNT];
	size_t head_length;
	struct buf name, value; /* the header that is being read */
	struct buf lines;       /* all headers, each as "name: value\r\n" */
	bool in_value;
	struct parameter parameters[QUERY_PARAMETERS];
	size_t parameter_count;
	char *decoded;
};

void request_init(struct request *r);
void request_release(struct request *r);
/* How much memory it takes, more or less. */
size_t request_size(const struct request *r);

/* What the parser found, in pieces. TOO_LARGE beyond HEAD_MAX in all. */
int request_add_target(struct request *r, const char *piece, size_t length, struct err *e);
int request_add_name(struct request *r, const char *piece, size_t length, struct err *e);
int request_add_value(struct request *r, const char *piece, size_t length, struct err *e);
/* Ends the head: stores the last header, and separates path and query. */
int request_split(struct request *r, struct err *e);

/* Decodes the query's parameters. INVALID_REQUEST. */
int request_parse_query(struct request *r, struct err *e);
/* The decoded value of the query's parameter `name`, without request_parse_query(); NULL if there
 * is none, or several. The caller frees. */
char *request_only_parameter(const char *query, const char *name);
/* Undoes URL encoding in place; false if it is malformed, or encodes a NUL. */
bool request_decode(char *text);
/* A parameter of the query, or NULL. */
const char *request_parameter(const struct request *r, const char *name);
/* Its number, or `otherwise` if it is absent. INVALID_REQUEST. */
int request_number(const struct request *r, const char *name, uint64_t max, uint64_t otherwise,
		   uint64_t *ret_number, struct err *e);
int request_flag(const struct request *r, const char *name, bool *ret_flag, struct err *e);
/* Whether all parameters are in `allowed`, names separated by blanks. */
int request_check_names(const struct request *r, const char *allowed, struct err *e);

#endif
