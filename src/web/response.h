#ifndef FSA_WEB_RESPONSE_H
#define FSA_WEB_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "web/io.h"

/*
 * An answer: status, a JSON body or none, headers. Nothing is sent before response_send(), so that
 * an answer can be replaced by an error until then. Every answer says no-store, nosniff, no
 * referrer, and that it is no page that could run or be framed.
 */
struct response;

struct response *response_new(void);
void response_free(struct response *r);
void response_freep(struct response **r); /* for CLEANUP */

/* Takes over `body` (NULL: none) and drops the previous one. */
void response_json(struct response *r, int status, json_t *body);
/* The same with JSON text that is ready. */
void response_text(struct response *r, int status, const char *body);
/* The same with text of another type than JSON: "text/plain; charset=utf-8". */
void response_document(struct response *r, int status, const char *type, const char *body);
/* A page of HTML with its own Content-Security-Policy, instead of one that allows nothing. */
void response_html(struct response *r, int status, const char *html, const char *policy);
/* 303 to a path of this site, or to a URL: the browser sends a GET, whatever the request was. Keeps
 * the headers that were set, but not a body. */
void response_redirect(struct response *r, const char *url);
/* A header, with a name chosen by us; a value with control characters is left out. */
void response_header(struct response *r, const char *name, const char *value);
/*
 * An error as an object with the members of problem details (RFC 9457) and ours, as
 * application/json: clients of the former version read no other type. The message of an internal
 * error, or of why PostgreSQL cannot be reached, is shown only in development mode; the log has it.
 * `project_id` and `request_id` may be NULL. Headers that were set are dropped.
 */
void response_error(struct response *r, const struct err *e, const char *request_id,
		    const char *project_id, bool development);

/* The type of an error becomes application/problem+json, for a client that asks for it. */
void response_problem(struct response *r);

/* The message of an error as a client may see it. */
const char *response_message(const struct err *e, bool development);

int response_status(const struct response *r);
/* The body as text, "" for none; the response's. */
const char *response_body(struct response *r);
/* Status, headers and body, as a CGI program writes them (RFC 3875, section 6). `head_only`: no
 * body. -1: the client is gone, nothing to be done about it. */
int response_send(struct response *r, const struct web_io *io, const char *request_id,
		  bool head_only);

#endif
