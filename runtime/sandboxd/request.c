#include "sandboxd/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/problem.h"

static const char *const header_names[HEADER_COUNT] = {
	[HEADER_ACCEPT_ENCODING] = "accept-encoding",
	[HEADER_AUTHORIZATION] = "authorization",
	[HEADER_CONNECTION] = "connection",
	[HEADER_COOKIE] = "cookie",
	[HEADER_EXPECT] = "expect",
	[HEADER_FETCH_DEST] = "sec-fetch-dest",
	[HEADER_FETCH_MODE] = "sec-fetch-mode",
	[HEADER_FETCH_SITE] = "sec-fetch-site",
	[HEADER_HOST] = "host",
	[HEADER_IDEMPOTENCY_KEY] = "idempotency-key",
	[HEADER_IF_MATCH] = "if-match",
	[HEADER_IF_NONE_MATCH] = "if-none-match",
	[HEADER_ORIGIN] = "origin",
	[HEADER_RANGE] = "range",
	[HEADER_TOKEN] = "x-sandboxd-token",
	[HEADER_TUS] = "tus-resumable",
	[HEADER_UPGRADE] = "upgrade",
	[HEADER_UPLOAD_LENGTH] = "upload-length",
	[HEADER_UPLOAD_OFFSET] = "upload-offset",
	[HEADER_WS_KEY] = "sec-websocket-key",
	[HEADER_WS_PROTOCOL] = "sec-websocket-protocol",
	[HEADER_WS_VERSION] = "sec-websocket-version",
};

enum { SEPARATORS = 4, LINES_MAX = HEAD_MAX + SEPARATORS };

void request_init(struct request *r)
{
	*r = (struct request) { .target = BUF_INIT(HEAD_MAX),
				.name = BUF_INIT(HEAD_MAX),
				.value = BUF_INIT(HEAD_MAX),
				.lines = BUF_INIT(LINES_MAX) };
}

void request_release(struct request *r)
{
	buf_wipe(&r->target);
	buf_release(&r->name);
	buf_wipe(&r->value);
	buf_wipe(&r->lines);
	for (size_t i = 0; i < HEADER_COUNT; i++) {
		if (r->values[i] != NULL)
			explicit_bzero(r->values[i], strlen(r->values[i]));
		free(r->values[i]);
	}
	free(r->decoded);
	request_init(r);
}

size_t request_size(const struct request *r)
{
	return r->target.allocated + r->name.allocated + r->value.allocated + r->lines.allocated +
	       r->head_length;
}

static int add(struct request *r, struct buf *to, const char *piece, size_t length, struct err *e)
{
	r->head_length += length;
	if (r->head_length > HEAD_MAX)
		return problem(e, "TOO_LARGE", "the request's head is larger than %d bytes",
			       HEAD_MAX);
	return buf_append(to, piece, length, e);
}

static int add_line(struct request *r, struct err *e)
{
	if (r->name.length == 0)
		return 0;
	if (strchr(r->name.data, ' ') != NULL) /* proxies disagree on what it is */
		return problem(e, "INVALID_REQUEST", "the name of a header has a blank");
	r->head_length += SEPARATORS;
	if (buf_append(&r->lines, r->name.data, r->name.length, e) < 0 ||
	    buf_append(&r->lines, ": ", 2, e) < 0 ||
	    (r->value.length > 0 && buf_append(&r->lines, r->value.data, r->value.length, e) < 0))
		return -1;
	return buf_append(&r->lines, "\r\n", 2, e);
}

/* A known header that occurs twice could be read differently by a proxy and here. */
static int take_header(struct request *r, struct err *e)
{
	if (add_line(r, e) < 0)
		return -1;
	for (size_t i = 0; r->name.length > 0 && i < HEADER_COUNT; i++) {
		if (strcasecmp(header_names[i], r->name.data) != 0)
			continue;
		if (r->values[i] != NULL)
			return problem(e, "INVALID_REQUEST", "the header %s is there twice",
				       header_names[i]);
		r->values[i] =
			mem_strndup(r->value.data != NULL ? r->value.data : "", r->value.length);
	}
	buf_reset(&r->name);
	buf_reset(&r->value);
	return 0;
}

int request_add_target(struct request *r, const char *piece, size_t length, struct err *e)
{
	return add(r, &r->target, piece, length, e);
}

int request_add_name(struct request *r, const char *piece, size_t length, struct err *e)
{
	if (r->in_value && take_header(r, e) < 0)
		return -1;
	r->in_value = false;
	return add(r, &r->name, piece, length, e);
}

int request_add_value(struct request *r, const char *piece, size_t length, struct err *e)
{
	r->in_value = true;
	return add(r, &r->value, piece, length, e);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool request_decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
			if (low < 0 || (high == 0 && low == 0))
				return false;
			*to++ = (char)(high * 16 + low);
			from += 2;
		} else {
			*to++ = (char)(*from == '+' ? ' ' : *from);
		}
	}
	*to = '\0';
	return true;
}

char *request_only_parameter(const char *query, const char *name)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(query != NULL ? query : "");
	CLEANUP(cleanup_free) char *found = NULL;
	char *rest = copy, *pair;
	size_t length = strlen(name);

	while ((pair = strsep(&rest, "&")) != NULL) {
		if (strncmp(pair, name, length) != 0 || pair[length] != '=')
			continue;
		if (found != NULL)
			return NULL;
		found = mem_strdup(pair + length + 1);
	}
	return found != NULL && request_decode(found) ? STEAL(found) : NULL;
}

int request_parse_query(struct request *r, struct err *e)
{
	char *rest = r->query != NULL ? mem_strdup(r->query) : NULL, *pair;

	r->decoded = rest;
	while ((pair = strsep(&rest, "&")) != NULL) {
		struct parameter p = { .value = pair };
		if (*pair == '\0')
			continue;
		p.name = strsep(&p.value, "=");
		if (p.value == NULL)
			p.value = p.name + strlen(p.name);
		if (r->parameter_count == QUERY_PARAMETERS || !request_decode(p.name) ||
		    !request_decode(p.value) || request_parameter(r, p.name) != NULL)
			return problem(e, "INVALID_REQUEST",
				       "the query has too many parameters, one of them twice, or "
				       "one that is badly encoded");
		r->parameters[r->parameter_count++] = p;
	}
	return 0;
}

int request_split(struct request *r, struct err *e)
{
	if (take_header(r, e) < 0 || buf_append(&r->target, "", 0, e) < 0)
		return -1;
	buf_release(&r->name);
	buf_wipe(&r->value);
	r->path = r->target.data;
	r->query = strchr(r->path, '?');
	if (r->query != NULL)
		*r->query++ = '\0';
	if (r->path[0] != '/')
		return problem(e, "INVALID_REQUEST", "the request's target is not a path");
	return 0;
}

const char *request_parameter(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->parameter_count; i++)
		if (strcmp(r->parameters[i].name, name) == 0)
			return r->parameters[i].value;
	return NULL;
}

int request_number(const struct request *r, const char *name, uint64_t max, uint64_t otherwise,
		   uint64_t *ret_number, struct err *e)
{
	const char *given = request_parameter(r, name);

	*ret_number = otherwise;
	if (given != NULL && !parse_u64(given, 0, max, ret_number))
		return problem(e, "INVALID_REQUEST", "%s must be a number from 0 to %llu", name,
			       (unsigned long long)max);
	return 0;
}

int request_flag(const struct request *r, const char *name, bool *ret_flag, struct err *e)
{
	const char *given = request_parameter(r, name);

	*ret_flag = false;
	if (given != NULL && !parse_bool(given, ret_flag))
		return problem(e, "INVALID_REQUEST", "%s must be true or false", name);
	return 0;
}

static bool is_among(const char *name, const char *allowed)
{
	size_t length = strlen(name);

	for (const char *word = allowed; *word != '\0'; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		if (length > 0 && strcspn(word, " ") == length && strncmp(word, name, length) == 0)
			return true;
	}
	return false;
}

int request_check_names(const struct request *r, const char *allowed, struct err *e)
{
	for (size_t i = 0; i < r->parameter_count; i++)
		if (!is_among(r->parameters[i].name, allowed))
			return problem(e, "INVALID_REQUEST", "unknown parameter %.40s; known: %s",
				       r->parameters[i].name, allowed[0] ? allowed : "none");
	return 0;
}
