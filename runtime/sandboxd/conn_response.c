/* How responses are made and sent on a connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "sandboxd/conn_parts.h"
#include "sandboxd/problem.h"
#include "sandboxd/websocket.h"

enum { ANSWER_MAX = OUT_MAX - 8192 }; /* with its head */

void conn_send(struct conn *c, const void *data, size_t length)
{
	struct err e;

	if (c->state == CONN_CLOSED)
		return;
	if (c->sent > 0 && c->sent == c->out.length) {
		conn_trim(&c->out);
		c->sent = 0;
	}
	if (buf_append(&c->out, data, length, &e) < 0)
		c->failed = true;
}

static void send_text(struct conn *c, const char *text)
{
	conn_send(c, text, strlen(text));
}

/* Only the site's pages may read a response. The token says which site that is; a preflight has no
 * token, so any page may send one. */
static void send_cors(struct conn *c)
{
	const char *origin = c->request.values[HEADER_ORIGIN];
	bool preflight = c->request.method == HTTP_OPTIONS;

	if (origin == NULL || (!preflight && (!c->granted || strcmp(origin, c->grant.issuer) != 0)))
		return;
	send_text(c, "Access-Control-Allow-Origin: ");
	send_text(c, origin);
	send_text(c, "\r\nVary: Origin\r\nAccess-Control-Expose-Headers: ETag, Last-Modified, "
		     "Content-Range, Output-Offset, Output-Next, Output-End, Retry-After, "
		     "Location, Tus-Resumable, Upload-Offset, Upload-Length, Upload-Expires\r\n");
}

void conn_begin(struct conn *c, int status, const char *type, const char *headers, int64_t length)
{
	char head[512], framing[64] = "Transfer-Encoding: chunked\r\n";

	if (length >= 0)
		(void)snprintf(framing, sizeof(framing), "Content-Length: %lld\r\n",
			       (long long)length);
	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 %d %s\r\n%s%s%s%s"
		       "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		       "Referrer-Policy: no-referrer\r\nX-Request-Id: %s\r\nConnection: %s\r\n",
		       status, problem_title(status), type != NULL ? "Content-Type: " : "",
		       type != NULL ? type : "", type != NULL ? "\r\n" : "",
		       status == 204 || status == 304 ? "" : framing, c->request_id,
		       c->keep ? "keep-alive" : "close");
	send_text(c, head);
	send_cors(c);
	send_text(c, headers);
	send_text(c, "\r\n");
	c->state = CONN_ANSWER;
	c->head_sent = true;
}

void conn_chunk(struct conn *c, const void *data, size_t length)
{
	char size[24];

	(void)snprintf(size, sizeof(size), "%zx\r\n", length);
	send_text(c, size);
	conn_send(c, data, length);
	send_text(c, "\r\n");
}

void conn_end(struct conn *c, const char *trailers)
{
	send_text(c, "0\r\n");
	send_text(c, trailers);
	send_text(c, "\r\n");
	c->answered = true;
}

void conn_answer(struct conn *c, int status, const char *type, const char *headers,
		 const void *body, size_t length)
{
	conn_begin(c, status, type, headers, (int64_t)length);
	if (c->request.method != HTTP_HEAD)
		conn_send(c, body, length);
	c->answered = true;
}

void conn_json(struct conn *c, int status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	const char *type = status >= 400 ? "application/problem+json" : "application/json";
	const char *more = status == 429 ? "Retry-After: 1\r\n" : "";
	struct err e;

	if (status == 401)
		more = "WWW-Authenticate: Bearer realm=\"sandbox\"\r\n";
	if (strlen(text) <= ANSWER_MAX)
		conn_answer(c, status, type, more, text, strlen(text));
	else if (problem(&e, "TOO_LARGE", "the answer would be larger than %d bytes: ask for less",
			 ANSWER_MAX) < 0)
		conn_fail(c, &e);
	free(text);
	json_decref(json);
}

void conn_empty(struct conn *c, int status)
{
	conn_begin(c, status, NULL, "", 0);
	c->answered = true;
}

void conn_fail(struct conn *c, const struct err *e)
{
	if (c->state == CONN_WEBSOCKET) {
		websocket_fail(c, e);
		return;
	}
	if (c->head_sent) { /* too late for an error: the response is cut off */
		c->failed = true;
		return;
	}
	if (!c->complete)
		c->keep = false;
	conn_json(c, problem_status(e), problem_json(e, c->request_id));
}

void conn_finish(struct conn *c)
{
	c->keep = false;
	c->answered = true;
	if (c->state != CONN_CLOSED)
		c->state = CONN_LINGER;
}

bool conn_flush_out(struct conn *c)
{
	while (conn_pending(c) > 0) {
		ssize_t done = send(c->watch.fd, c->out.data + c->sent, conn_pending(c),
				    MSG_NOSIGNAL | (c->file_left > 0 ? MSG_MORE : 0));
		if (done < 0) {
			c->failed |= errno != EAGAIN;
			return false;
		}
		c->sent += (size_t)done;
		c->progress_at = loop_now();
	}
	conn_trim(&c->out);
	c->sent = 0;
	return true;
}

bool conn_flush_file(struct conn *c)
{
	while (c->file_left > 0) {
		off_t offset = (off_t)c->file_offset;
		size_t part = c->file_left < 1048576 ? (size_t)c->file_left : 1048576;
		ssize_t done = sendfile(c->watch.fd, c->file, &offset, part);
		if (done <= 0) { /* 0: the file has become shorter */
			c->failed |= done == 0 || errno != EAGAIN;
			return false;
		}
		c->file_offset += (uint64_t)done;
		c->file_left -= (uint64_t)done;
		c->progress_at = loop_now();
	}
	conn_drop_file(c);
	return true;
}
