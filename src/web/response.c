#include "web/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/parse.h"
#include "domain/remedy.h"
#include "web/json.h"

enum { HEADERS_MAX = 8192, HEAD_MAX = 1024 };

struct response {
	int status;
	const char *type;
	const char *policy; /* Content-Security-Policy */
	json_t *json;
	char *text; /* the body as text; NULL: not yet, or none */
	struct buf headers;
};

/* RFC 9110, section 15: the statuses that are used. */
static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char common_headers[] = "Cache-Control: no-store\r\n"
				     "X-Content-Type-Options: nosniff\r\n"
				     "Referrer-Policy: no-referrer\r\n";
static const char no_page[] = "default-src 'none'; frame-ancestors 'none'";

static const char *phrase(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Status";
}

struct response *response_new(void)
{
	struct response *r = mem_calloc(1, sizeof(*r));

	r->status = 204;
	r->policy = no_page;
	r->headers = BUF_INIT(HEADERS_MAX);
	return r;
}

static void drop_body(struct response *r)
{
	json_decref(STEAL(r->json));
	free(STEAL(r->text));
	r->type = "application/json";
	r->policy = no_page;
}

void response_free(struct response *r)
{
	if (r == NULL)
		return;
	drop_body(r);
	buf_release(&r->headers);
	free(r);
}

void response_freep(struct response **r)
{
	response_free(*r);
}

void response_json(struct response *r, int status, json_t *body)
{
	drop_body(r);
	r->status = status;
	r->json = body;
}

void response_text(struct response *r, int status, const char *body)
{
	drop_body(r);
	r->status = status;
	r->text = mem_strdup(body);
}

void response_document(struct response *r, int status, const char *type, const char *body)
{
	response_text(r, status, body);
	r->type = type;
}

void response_html(struct response *r, int status, const char *html, const char *policy)
{
	response_text(r, status, html);
	r->type = "text/html; charset=utf-8";
	r->policy = policy;
}

void response_redirect(struct response *r, const char *url)
{
	response_json(r, 303, NULL);
	response_header(r, "Location", url);
}

static bool is_header_text(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

void response_header(struct response *r, const char *name, const char *value)
{
	if (!is_header_text(value))
		return;
	CLEANUP(cleanup_free) char *line = mem_printf("%s: %s\r\n", name, value);
	(void)buf_append(&r->headers, line, strlen(line), NULL); /* over the limit: dropped, too */
}

static json_t *now(void)
{
	struct timespec t;
	struct tm utc;
	char text[40];

	(void)clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &utc);
	size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + length, sizeof(text) - length, ".%03dZ", (int)(t.tv_nsec / 1000000));
	return json_string(text);
}

/* Replaces an internal message. */
static const char *public_message(const struct err *e, bool development)
{
	if (development)
		return e->message;
	switch (e->kind) {
	case ERR_INTERNAL:
		return "Something went wrong on our side; the log has it under this request id";
	case ERR_UNAVAILABLE:
		return "The database cannot be reached at the moment; please try again";
	default:
		return e->message;
	}
}

const char *response_message(const struct err *e, bool development)
{
	const char *message = public_message(e, development);

	/* It may be in the encoding of PostgreSQL's locale. */
	return parse_is_utf8(message, strlen(message)) ? message : err_kind_title(e->kind);
}

static void add_retry_after(struct response *r, const struct err *e)
{
	char text[16];
	unsigned seconds = e->retry_after_s;

	if (seconds == 0 && e->kind == ERR_UNAVAILABLE)
		seconds = 1;
	if (seconds == 0)
		return;
	(void)snprintf(text, sizeof(text), "%u", seconds);
	response_header(r, "Retry-After", text);
}

/* `stack`, as in version 0.4, is the path that the error took, which our messages contain. */
static json_t *details(const struct err *e, const char *message, bool development)
{
	bool of_cluster = e->kind >= ERR_KUBE_UNAUTHORIZED && e->kind <= ERR_DEADLINE;

	return json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "name", err_kind_name(e->kind), "message",
			 message, "stack", development ? message : NULL, "kubernetesStatus",
			 of_cluster ? e->code : NULL, "remedy", remedy_for(e->code));
}

void response_error(struct response *r, const struct err *e, const char *request_id,
		    const char *project_id, bool development)
{
	int status = err_kind_http_status(e->kind);
	const char *message = response_message(e, development);

	buf_reset(&r->headers);
	response_json(r, status,
		      json_pack("{s:s, s:s, s:i, s:s, s:s, s:o, s:s*, s:o, s:s*}", "type",
				"about:blank", "title", phrase(status), "status", status, "error",
				message, "errorCode", e->code, "details",
				details(e, message, development), "projectId", project_id,
				"timestamp", now(), "requestId", request_id));
	response_header(r, "Vary", "Accept");
	add_retry_after(r, e);
	if (status == 401)
		response_header(r, "WWW-Authenticate", "Bearer");
}

void response_problem(struct response *r)
{
	r->type = "application/problem+json";
}

int response_status(const struct response *r)
{
	return r->status;
}

const char *response_body(struct response *r)
{
	if (r->text == NULL && r->json != NULL)
		r->text = json_write(r->json);
	return r->text ? r->text : "";
}

int response_send(struct response *r, const struct web_io *io, const char *request_id,
		  bool head_only)
{
	const char *body = response_body(r);
	size_t length = strlen(body);
	char head[HEAD_MAX];
	char type[80] = "";

	if (length > 0)
		(void)snprintf(type, sizeof(type), "Content-Type: %s\r\n", r->type);
	int head_length = snprintf(
		head, sizeof(head),
		"Status: %d %s\r\n%sContent-Length: %zu\r\nX-Request-Id: %s\r\n%s"
		"Content-Security-Policy: %s\r\n",
		r->status, phrase(r->status), type, length, request_id, common_headers, r->policy);
	if (io->write(io->user, head, (size_t)head_length) < 0 ||
	    io->write(io->user, r->headers.data, r->headers.length) < 0 ||
	    io->write(io->user, "\r\n", 2) < 0)
		return -1;
	return head_only ? 0 : io->write(io->user, body, length);
}
