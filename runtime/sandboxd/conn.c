#include "sandboxd/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/problem.h"
#include "sandboxd/route.h"
#include "sandboxd/websocket.h"

enum {
	READ_SIZE = 65536,
	IN_MAX = 131072,
	OUT_MAX = 1048576,
	ANSWER_MAX = OUT_MAX - 8192, /* and its head */
	HELD_MAX = 6291456,          /* by all connections together */
	HEAD_S = 15,
	IDLE_S = 120,
	PROGRESS_S = 60,
	LINGER_S = 3,
	KEPT = 2048, /* of a buffer's memory between two requests */
};

static LIST_HEAD(, conn) connections = LIST_HEAD_INITIALIZER(connections);
static size_t count, held;
static int64_t last_input;
static char shared[READ_SIZE];

size_t conn_count(void)
{
	return count;
}

int conn_check_token(const struct conn *c, struct err *e)
{
	const struct conn *other;
	size_t open = 0;

	LIST_FOREACH(other, &connections, entry)
	if (other != c && other->granted && strcmp(other->grant.id, c->grant.id) == 0)
		open += other->state == CONN_WEBSOCKET || other->state == CONN_RAW;
	if (open < SOCKETS_PER_TOKEN)
		return 0;
	return problem(e, "TOO_MANY", "%d connections are open by this token: close one",
		       SOCKETS_PER_TOKEN);
}

int64_t conn_last_input(void)
{
	return last_input;
}

void conn_note_input(void)
{
	last_input = time(NULL);
}

size_t conn_pending(const struct conn *c)
{
	return c->out.length - c->sent;
}

/* ---- the end ------------------------------------------------------------------------------- */

static void drop_file(struct conn *c)
{
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	c->file_left = 0;
}

static void end_ops(struct conn *c)
{
	const struct conn_ops *ops = c->ops;

	c->ops = NULL;
	if (ops != NULL && ops->closed != NULL)
		ops->closed(c);
	c->context = NULL;
}

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	c->state = CONN_CLOSED;
	end_ops(c);
	drop_file(c);
	watch_close(&c->watch);
	request_release(&c->request);
	buf_release(&c->in);
	buf_release(&c->body);
	buf_release(&c->out);
	websocket_free(c->ws);
	held -= c->held;
	count--;
	LIST_REMOVE(c, entry);
	loop_free(c);
}

/* What all connections hold is bounded: whoever passes the bound is closed. Half of it is kept for
 * those who have a token. */
static void account(struct conn *c)
{
	size_t holds = c->in.allocated + c->body.allocated + c->out.allocated +
		       request_size(&c->request) + websocket_size(c->ws);
	size_t most = c->granted ? HELD_MAX : HELD_MAX / 2;

	held = held - c->held + holds;
	c->held = holds;
	if (held > most && holds > KEPT)
		conn_close(c);
}

static void trim(struct buf *b)
{
	buf_reset(b);
	if (b->allocated > KEPT)
		buf_release(b);
}

/* ---- sending ------------------------------------------------------------------------------- */

void conn_send(struct conn *c, const void *data, size_t length)
{
	struct err e;

	if (c->state == CONN_CLOSED)
		return;
	if (c->sent > 0 && c->sent == c->out.length) {
		trim(&c->out);
		c->sent = 0;
	}
	if (buf_append(&c->out, data, length, &e) < 0)
		c->failed = true;
}

static void send_text(struct conn *c, const char *text)
{
	conn_send(c, text, strlen(text));
}

/* The site's pages, and nobody else's, may read an answer. Which site that is, is known by the
 * token: a preflight has none, so that every page may ask whether it may ask. */
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
	if (length == 0)
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
	if (c->head_sent) { /* too late to say anything else than that it is cut off */
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

/* False when the socket is full or broken. */
static bool send_out(struct conn *c)
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
	trim(&c->out);
	c->sent = 0;
	return true;
}

static bool send_file(struct conn *c)
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
	drop_file(c);
	return true;
}

/* ---- a request ----------------------------------------------------------------------------- */

static struct conn *of_parser(http_parser *parser)
{
	return parser->data;
}

static int result(int done)
{
	return done < 0 ? 1 : 0;
}

static int on_url(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return result(request_add_target(&c->request, at, length, &c->error));
}

static int on_header_field(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return c->head_sent ? 0 : result(request_add_name(&c->request, at, length, &c->error));
}

static int on_header_value(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	return c->head_sent ? 0 : result(request_add_value(&c->request, at, length, &c->error));
}

static void new_request_id(struct conn *c)
{
	unsigned char random[8];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(c->request_id + 2 * i, 3, "%02x", random[i]);
}

static bool expects_body(const struct conn *c)
{
	return (c->parser.flags & F_CHUNKED) != 0 ||
	       (c->parser.content_length != UINT64_MAX && c->parser.content_length > 0);
}

static bool is_streamed(const struct conn *c)
{
	return c->route->body == BODY_STREAM || c->route->body == BODY_CHUNKS;
}

static int check_body(struct conn *c)
{
	enum body body = c->route->body;

	if ((c->parser.flags & F_CHUNKED) != 0 && body != BODY_CHUNKS)
		return problem(&c->error, "LENGTH_REQUIRED", "a request needs a Content-Length");
	if (!expects_body(c))
		return 0;
	if (body == BODY_NONE)
		return problem(&c->error, "INVALID_REQUEST", "this request has no body");
	if (!is_streamed(c) && c->parser.content_length > BODY_MAX)
		return problem(&c->error, "TOO_LARGE", "a body has at most %d bytes here",
			       BODY_MAX);
	return 0;
}

static int on_headers_complete(http_parser *p)
{
	struct conn *c = of_parser(p);

	c->request.method = (enum http_method)p->method;
	c->keep = http_should_keep_alive(p) != 0;
	new_request_id(c);
	if (request_split(&c->request, &c->error) < 0 || route_begin(c, &c->error) < 0 ||
	    check_body(c) < 0)
		return -1;
	if (!c->route->websocket && !c->route->keep_upgrade)
		p->upgrade = 0;
	if (c->request.values[HEADER_EXPECT] != NULL && expects_body(c))
		send_text(c, "HTTP/1.1 100 Continue\r\n\r\n");
	if (c->route->begin != NULL && c->route->begin(c, &c->error) < 0)
		return -1;
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t length)
{
	struct conn *c = of_parser(p);

	c->progress_at = loop_now();
	if (is_streamed(c))
		return c->ops == NULL ? 1 : result(c->ops->body(c, at, length, &c->error));
	return result(buf_append(&c->body, at, length, &c->error));
}

static int on_message_complete(http_parser *p)
{
	struct conn *c = of_parser(p);

	c->complete = true;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings parser_settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

static void next_request(struct conn *c)
{
	end_ops(c);
	request_release(&c->request);
	trim(&c->body);
	http_parser_init(&c->parser, HTTP_REQUEST);
	c->parser.data = c;
	c->state = CONN_REQUEST;
	c->route = NULL;
	c->granted = c->complete = c->answered = c->head_sent = false;
	c->error = (struct err) { .code = "" };
	c->progress_at = loop_now();
}

static void handle(struct conn *c)
{
	struct err e = { .code = "" };

	c->state = CONN_ANSWER;
	if (route_handle(c, &e) < 0)
		conn_fail(c, &e);
}

static void refuse(struct conn *c)
{
	if (c->error.code[0] == '\0')
		(void)problem(&c->error, "INVALID_REQUEST", "malformed HTTP request: %s",
			      http_errno_description(HTTP_PARSER_ERRNO(&c->parser)));
	if (c->request_id[0] == '\0')
		new_request_id(c);
	end_ops(c); /* what was begun is undone before the answer says so */
	conn_fail(c, &c->error);
}

/* Returns how much was used: what is after a request stays for later. */
static size_t parse(struct conn *c, const char *data, size_t length)
{
	size_t used = http_parser_execute(&c->parser, &parser_settings, data, length);
	enum http_errno number = HTTP_PARSER_ERRNO(&c->parser);

	if (c->complete) {
		if (number == HPE_PAUSED)
			http_parser_pause(&c->parser, 0);
		handle(c);
	} else if (number != HPE_OK) {
		refuse(c);
		used = length;
	}
	return used;
}

/* ---- receiving ----------------------------------------------------------------------------- */

static size_t feed(struct conn *c, const char *data, size_t length)
{
	switch (c->state) {
	case CONN_REQUEST:
		return parse(c, data, length);
	case CONN_WEBSOCKET:
		return websocket_feed(c, data, length);
	case CONN_RAW:
		if (c->ops == NULL)
			return length;
		c->ops->raw(c, data, length);
		return length;
	case CONN_ANSWER:
		return 0;
	default:
		return length;
	}
}

static void take(struct conn *c, const char *data, size_t length)
{
	struct err e;

	while (length > 0 && c->state != CONN_CLOSED && !c->failed && !c->paused) {
		size_t used = feed(c, data, length);
		if (used == 0 && c->state != CONN_REQUEST)
			break;
		data += used;
		length -= used;
	}
	if (length > 0 && c->state != CONN_CLOSED && buf_append(&c->in, data, length, &e) < 0)
		c->failed = true;
}

/* What had come before it could be used. */
static void take_kept(struct conn *c)
{
	struct buf kept = c->in;

	if (kept.length == 0 || c->paused || c->state == CONN_ANSWER)
		return;
	c->in = BUF_INIT(IN_MAX);
	take(c, kept.data, kept.length);
	buf_release(&kept);
}

static void receive(struct conn *c)
{
	ssize_t got = recv(c->watch.fd, shared, sizeof(shared), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		conn_close(c);
		return;
	}
	if (c->state != CONN_LINGER)
		c->progress_at = loop_now();
	take(c, shared, (size_t)got);
}

/* ---- going on ------------------------------------------------------------------------------ */

/* A client that is told no may still be sending: closed at once, it would not get to read that. */
static void linger(struct conn *c)
{
	end_ops(c);
	c->state = CONN_LINGER;
	c->answered = false;
	c->progress_at = loop_now();
	shutdown(c->watch.fd, SHUT_WR);
}

static void after_answer(struct conn *c)
{
	if (c->keep && c->complete)
		next_request(c);
	else
		linger(c);
}

static bool has_more_to_do(struct conn *c)
{
	if (!send_out(c) || !send_file(c))
		return false;
	if (!c->answered && c->ops != NULL && c->ops->produce != NULL && !c->failed) {
		c->ops->produce(c);
		return conn_pending(c) > 0 || c->answered;
	}
	if (!c->answered)
		return false;
	after_answer(c);
	take_kept(c);
	return c->state != CONN_CLOSED && (conn_pending(c) > 0 || c->answered);
}

static void choose_events(struct conn *c)
{
	uint32_t events = EPOLLRDHUP;

	if (!c->paused && c->state != CONN_ANSWER && c->in.length == 0)
		events |= EPOLLIN;
	if (conn_pending(c) > 0 || c->file_left > 0)
		events |= EPOLLOUT;
	watch_for(&c->watch, events);
}

void conn_run(struct conn *c)
{
	if (c->running || c->state == CONN_CLOSED)
		return;
	c->running = true;
	take_kept(c);
	while (c->state != CONN_CLOSED && !c->failed && has_more_to_do(c))
		;
	c->running = false;
	if (c->state == CONN_CLOSED)
		return;
	if (c->failed) {
		conn_close(c);
		return;
	}
	choose_events(c);
	account(c);
}

static void ready(struct watch *w, uint32_t events)
{
	struct conn *c = (struct conn *)w;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0 ||
	    ((events & EPOLLRDHUP) != 0 && (events & EPOLLIN) == 0)) {
		conn_close(c);
		return;
	}
	c->running = true;
	if ((events & EPOLLIN) != 0)
		receive(c);
	c->running = false;
	conn_run(c);
}

void conn_pause(struct conn *c, bool pause)
{
	c->paused = pause;
	if (!c->running)
		conn_run(c);
}

void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *context)
{
	c->ops = ops;
	c->context = context;
}

void conn_become_raw(struct conn *c)
{
	c->state = CONN_RAW;
	c->answered = false;
}

/* ---- time ---------------------------------------------------------------------------------- */

static int64_t patience(const struct conn *c)
{
	bool idle = c->state == CONN_REQUEST && c->request.target.length == 0;

	if (c->state == CONN_LINGER)
		return LINGER_S;
	if (conn_pending(c) > 0 || c->file_left > 0)
		return PROGRESS_S;
	if (c->state == CONN_REQUEST)
		return idle ? IDLE_S : (c->route != NULL ? PROGRESS_S : HEAD_S);
	return INT64_MAX;
}

static bool tick(int64_t now)
{
	struct conn *c = LIST_FIRST(&connections), *next;

	for (; c != NULL; c = next) {
		next = LIST_NEXT(c, entry);
		if (now - c->progress_at > patience(c)) {
			conn_close(c);
			continue;
		}
		if (c->ops != NULL && c->ops->tick != NULL)
			c->ops->tick(c, now);
		if (c->state == CONN_WEBSOCKET)
			websocket_tick(c, now);
		conn_run(c);
	}
	return count > 0;
}

/* The place of the stranger who has been here longest, if there is one: the list's last. */
static bool make_place(void)
{
	struct conn *c, *oldest = NULL;

	LIST_FOREACH(c, &connections, entry)
	if (!c->granted)
		oldest = c;
	if (oldest != NULL)
		conn_close(oldest);
	return oldest != NULL;
}

void conn_open(int fd)
{
	static bool ticking;
	struct conn *c;

	if (!ticking)
		loop_add_tick(tick);
	ticking = true;
	if (count >= CONNECTIONS_MAX && !make_place()) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int) { 1 }, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int) { 60 }, sizeof(int));
	c = mem_calloc(1, sizeof(*c));
	c->watch = (struct watch) { .fd = fd, .ready = ready };
	c->file = -1;
	c->in = BUF_INIT(IN_MAX);
	c->body = BUF_INIT(BODY_MAX);
	c->out = BUF_INIT(OUT_MAX);
	request_init(&c->request);
	next_request(c);
	LIST_INSERT_HEAD(&connections, c, entry);
	count++;
	choose_events(c);
}
