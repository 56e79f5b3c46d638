#include "sandboxd/passage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/gate.h"
#include "sandboxd/peer.h"
#include "sandboxd/problem.h"

enum { RESPONSE_HEAD_MAX = 65536 };

/* The last lines of a head, either way. */
#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
#define CLOSE   "Connection: close\r\n\r\n"

struct passage {
	struct peer *peer;
	http_parser parser; /* of the response */
	struct buf name, value, head;
	bool in_value, head_sent, complete, upgraded;
};

/* ---- the request ----------------------------------------------------------------------------- */

/* Headers that concern one connection only, or that are written anew. */
static bool is_of_connection(const char *name, size_t length)
{
	static const char *const names[] = {
		"connection", "keep-alive",        "proxy-connection", "te",
		"trailer",    "transfer-encoding", "upgrade",          "proxy-authenticate",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
			return true;
	return false;
}

/* Whether Connection names the header. */
static bool is_nominated(const struct conn *c, const char *name, size_t length)
{
	const char *list = c->request.values[HEADER_CONNECTION];

	while (list != NULL && *list != '\0') {
		list += strspn(list, ", \t");
		size_t word = strcspn(list, ", \t");
		if (word == length && strncasecmp(list, name, length) == 0)
			return true;
		list += word;
	}
	return false;
}

/* Whether the program gets the header as it is. */
static bool passes(const struct conn *c, const char *line, size_t name)
{
	static const char *const names[] = { "content-length", "cookie", "expect",
					     "x-sandboxd-token" };

	if (is_of_connection(line, name) || is_nominated(c, line, name))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == name && strncasecmp(names[i], line, name) == 0)
			return false;
	return name != strlen("authorization") || strncasecmp(line, "authorization", name) != 0 ||
	       !gate_has_authorization(c);
}

static void add(struct passage *p, const char *text, size_t length)
{
	peer_send(p->peer, text, length);
}

static void add_text(struct passage *p, const char *text)
{
	add(p, text, strlen(text));
}

static void send_headers(struct passage *p, const struct conn *c)
{
	for (const char *line = c->request.lines.data, *end; *line != '\0'; line = end) {
		end = strstr(line, "\r\n") + 2;
		if (passes(c, line, strcspn(line, ":")))
			add(p, line, (size_t)(end - line));
	}
}

static void send_cookies(struct passage *p, const struct conn *c)
{
	const char *header = c->request.values[HEADER_COOKIE];
	CLEANUP(cleanup_free) char *cookies = gate_clean_cookies(header != NULL ? header : "");
	CLEANUP(cleanup_free) char *line = mem_printf("Cookie: %s\r\n", cookies);

	if (*cookies != '\0')
		add_text(p, line);
}

static bool is_chunked(const http_parser *parser)
{
	return (parser->flags & F_CHUNKED) != 0;
}

static void send_framing(struct passage *p, const struct conn *c)
{
	char length[64];

	if (is_chunked(&c->parser)) {
		add_text(p, "Transfer-Encoding: chunked\r\n");
	} else if (c->parser.content_length != UINT64_MAX) {
		(void)snprintf(length, sizeof(length), "Content-Length: %llu\r\n",
			       (unsigned long long)c->parser.content_length);
		add_text(p, length);
	}
	add_text(p, c->parser.upgrade ? UPGRADE : CLOSE);
}

static void send_head(struct passage *p, const struct conn *c)
{
	CLEANUP(cleanup_free) char *query = gate_clean_query(c->request.query);
	CLEANUP(cleanup_free)
	char *line = mem_printf("%s %s%s HTTP/1.%d\r\n", http_method_str(c->request.method),
				c->request.path, query, c->parser.http_minor > 0 ? 1 : 0);

	add_text(p, line);
	send_headers(p, c);
	send_cookies(p, c);
	send_framing(p, c);
}

/* A chunk has at least a byte: one without ends the body. */
static int send_body(struct conn *c, const char *data, size_t length, struct err *e)
{
	struct passage *p = c->context;
	char size[24];

	(void)e;
	conn_note_input();
	if (is_chunked(&c->parser)) {
		(void)snprintf(size, sizeof(size), "%zx\r\n", length);
		add_text(p, size);
	}
	add(p, data, length);
	if (is_chunked(&c->parser))
		add_text(p, "\r\n");
	return 0;
}

void passage_complete(struct conn *c)
{
	struct passage *p = c->context;

	if (is_chunked(&c->parser))
		add_text(p, "0\r\n\r\n");
	conn_become_raw(c);
}

/* ---- the response ---------------------------------------------------------------------------- */

static struct passage *of_parser(const http_parser *parser)
{
	return parser->data;
}

static struct conn *conn_of(const http_parser *parser)
{
	return of_parser(parser)->peer->conn;
}

static int result(int done)
{
	return done < 0 ? 1 : 0;
}

static int end_header(struct passage *p, struct err *e)
{
	struct buf *head = &p->head;
	int done = 0;

	if (p->name.length > 0 && !is_of_connection(p->name.data, p->name.length) &&
	    (buf_append(head, p->name.data, p->name.length, e) < 0 ||
	     buf_append(head, ": ", 2, e) < 0 ||
	     buf_append(head, p->value.data != NULL ? p->value.data : "", p->value.length, e) < 0 ||
	     buf_append(head, "\r\n", 2, e) < 0))
		done = -1;
	buf_reset(&p->name);
	buf_reset(&p->value);
	p->in_value = false;
	return done;
}

static int on_name(http_parser *parser, const char *at, size_t length)
{
	struct passage *p = of_parser(parser);
	struct err e;

	if (p->head_sent) /* after the body */
		return 0;
	if (p->in_value && end_header(p, &e) < 0)
		return 1;
	return result(buf_append(&p->name, at, length, &e));
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
	struct passage *p = of_parser(parser);
	struct err e;

	p->in_value = true;
	return p->head_sent ? 0 : result(buf_append(&p->value, at, length, &e));
}

/* Whether the client gets the body in chunks; of HTTP/1.0 its end is that of the connection. */
static bool in_chunks(const http_parser *parser)
{
	return is_chunked(parser) && conn_of(parser)->parser.http_minor > 0;
}

static void send_text(struct conn *c, const char *text)
{
	conn_send(c, text, strlen(text));
}

static void send_response_head(struct passage *p)
{
	struct conn *c = p->peer->conn;
	char line[80];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\n", p->parser.status_code,
		       http_status_str((enum http_status)p->parser.status_code));
	send_text(c, line);
	if (p->head.length > 0)
		conn_send(c, p->head.data, p->head.length);
	if (in_chunks(&p->parser))
		send_text(c, "Transfer-Encoding: chunked\r\n");
	send_text(c, p->upgraded ? UPGRADE : CLOSE);
	c->head_sent = p->head_sent = true;
}

/* "100 Continue" was said already, and others before the response may be left out. */
static int on_head(http_parser *parser)
{
	struct passage *p = of_parser(parser);
	struct conn *c = conn_of(parser);
	struct err e;

	if (end_header(p, &e) < 0)
		return -1;
	if (parser->status_code == 101) {
		p->upgraded = parser->upgrade && c->parser.upgrade && c->state == CONN_RAW;
		if (!p->upgraded)
			return -1;
	}
	if (parser->status_code >= 200 || p->upgraded)
		send_response_head(p);
	buf_reset(&p->head);
	return c->request.method == HTTP_HEAD ? 1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
	struct conn *c = conn_of(parser);

	if (in_chunks(parser))
		conn_chunk(c, at, length);
	else
		conn_send(c, at, length);
	return 0;
}

static int on_complete(http_parser *parser)
{
	struct passage *p = of_parser(parser);

	if (!p->head_sent || p->upgraded)
		return 0;
	if (in_chunks(parser) && conn_of(parser)->request.method != HTTP_HEAD)
		conn_send(conn_of(parser), "0\r\n\r\n", 5);
	p->complete = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_complete,
};

/* ---- the program's side ---------------------------------------------------------------------- */

static void fail(struct peer *peer, const char *why)
{
	struct err e;

	(void)problem(&e, "NOT_LISTENING", "%s", why);
	conn_fail(peer->conn, &e);
}

static void failed(struct peer *peer)
{
	fail(peer, "no program of the sandbox listens at this port");
	conn_pause(peer->conn, false);
}

/* Sends what has waited for this, and ends the pause. */
static void connected(struct peer *peer)
{
	peer_send(peer, "", 0);
}

static void received(struct peer *peer, const char *data, size_t length)
{
	struct passage *p = peer->conn->context;
	size_t used = 0;

	if (!p->upgraded)
		used = http_parser_execute(&p->parser, &settings, data, length);
	if (p->upgraded) {
		conn_send(peer->conn, data + used, length - used);
		return;
	}
	if (p->complete)
		conn_finish(peer->conn);
	else if (HTTP_PARSER_ERRNO(&p->parser) != HPE_OK)
		fail(peer, "what the program at this port answers is not HTTP");
}

static void ended(struct peer *peer)
{
	struct passage *p = peer->conn->context;

	if (!p->upgraded)
		http_parser_execute(&p->parser, &settings, NULL, 0);
	if (p->upgraded || p->complete)
		conn_finish(peer->conn);
	else
		fail(peer, "the program at this port has hung up instead of answering");
}

static const struct peer_ops programs = { connected, failed, received, ended };

/* ---- the client's side ----------------------------------------------------------------------- */

/* What follows a request on its connection is for nobody, unless it is a WebSocket's. */
static void pass_raw(struct conn *c, const char *data, size_t length)
{
	struct passage *p = c->context;

	if (!p->upgraded)
		return;
	conn_note_input();
	add(p, data, length);
}

static void go_on(struct conn *c)
{
	struct passage *p = c->context;

	peer_go_on(p->peer);
}

static void tick(struct conn *c, int64_t now)
{
	(void)now;
	if (c->grant.expires <= time(NULL))
		c->failed = true;
}

static void closed(struct conn *c)
{
	struct passage *p = c->context;

	peer_free(p->peer);
	buf_release(&p->name);
	buf_release(&p->value);
	buf_release(&p->head);
	free(p);
}

static const struct conn_ops passing = {
	.body = send_body, .raw = pass_raw, .produce = go_on, .tick = tick, .closed = closed
};

/* An upgrade may be ignored, and all others are. */
static bool is_websocket(const struct conn *c)
{
	const char *to = c->request.values[HEADER_UPGRADE];
	uint64_t length = c->parser.content_length;

	return c->parser.upgrade && c->request.method == HTTP_GET && to != NULL &&
	       strcasecmp(to, "websocket") == 0 && !is_chunked(&c->parser) &&
	       (length == 0 || length == UINT64_MAX);
}

int passage_begin(struct conn *c, unsigned port, struct err *e)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct passage *p;
	struct peer *peer = peer_new(c, &programs, (const struct sockaddr *)&to, sizeof(to), e);
	if (peer == NULL)
		return -1;
	p = mem_calloc(1, sizeof(*p));
	*p = (struct passage) { .peer = peer,
				.name = BUF_INIT(RESPONSE_HEAD_MAX),
				.value = BUF_INIT(RESPONSE_HEAD_MAX),
				.head = BUF_INIT(RESPONSE_HEAD_MAX) };
	http_parser_init(&p->parser, HTTP_RESPONSE);
	p->parser.data = p;
	c->keep = false;
	c->parser.upgrade = is_websocket(c);
	conn_set_ops(c, &passing, p);
	conn_note_input();
	conn_pause(c, true);
	send_head(p, c);
	return 0;
}
