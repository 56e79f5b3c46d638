#include "sandboxd/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/peer.h"
#include "sandboxd/problem.h"

#define REFUSAL "The address of a terminal ends with its token: open it from the project.\n"
#define HEADERS                                                                                    \
	"Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"                      \
	"Cache-Control: no-store\r\n"
/* A scheme that browsers do not know, so that they do not prompt for a password. */
#define CHALLENGE "WWW-Authenticate: Terminal realm=\"terminal\"\r\n"

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static size_t terminals;

void terminal_init(const char *socket_path)
{
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
}

size_t terminal_count(void)
{
	return terminals;
}

/* ---- authorization ------------------------------------------------------------------------- */

/* Whoever has the terminal's own token has the terminal until that is withdrawn. */
static bool is_allowed(struct conn *c)
{
	const char *header = c->request.values[HEADER_AUTHORIZATION];
	CLEANUP(cleanup_free)
	char *given = request_only_parameter(c->request.query, "authorization");
	struct err e;

	c->grant = (struct grant) { .scopes = SCOPE_TERMINAL, .expires = INT64_MAX };
	if (given != NULL && token_is_terminals(given))
		return true;
	if (header != NULL && strncasecmp(header, "Basic ", 6) == 0)
		return token_is_terminals(header + 6 + strspn(header + 6, " "));
	return header != NULL && strncasecmp(header, "Bearer ", 7) == 0 &&
	       token_check(header + 7, time(NULL), &c->grant, &e) == 0 &&
	       (c->grant.scopes & SCOPE_TERMINAL) != 0;
}

/* ---- handing on ---------------------------------------------------------------------------- */

static void relay_raw(struct conn *c, const char *data, size_t length)
{
	conn_note_input();
	peer_send(c->context, data, length);
}

static void relay_more(struct conn *c)
{
	peer_go_on(c->context);
}

/* ttyd's protocol has no message for a newer token: the client reconnects, and finds its session
 * unchanged. */
static void relay_tick(struct conn *c, int64_t now)
{
	(void)now;
	if (c->grant.expires <= time(NULL))
		conn_finish(c);
}

static void relay_closed(struct conn *c)
{
	terminals--;
	peer_free(c->context);
}

static const struct conn_ops relaying = {
	.raw = relay_raw, .produce = relay_more, .tick = relay_tick, .closed = relay_closed
};

static void connected(struct peer *p)
{
	peer_send(p, "", 0);
}

static void failed(struct peer *p)
{
	conn_finish(p->conn);
}

/* Inserts our headers after the status line, which is in the first piece. */
static void received(struct peer *p, const char *data, size_t length)
{
	const char *line = p->began ? NULL : memmem(data, length, "\r\n", 2);

	p->began = true;
	if (line != NULL) {
		size_t first = (size_t)(line - data) + 2;
		conn_send(p->conn, data, first);
		conn_send(p->conn, HEADERS, strlen(HEADERS));
		if (!p->conn->parser.upgrade)
			conn_send(p->conn, "Connection: close\r\n", 19);
		data += first;
		length -= first;
	}
	conn_send(p->conn, data, length);
}

static void ended(struct peer *p)
{
	conn_finish(p->conn);
}

static const struct peer_ops relay = { connected, failed, received, ended };

/* Returns the part of the query that ttyd gets: the session names, not the token. */
static char *session_arguments(const char *query)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(query != NULL ? query : "");
	char *arguments = mem_strdup(""), *rest = copy, *pair;

	while ((pair = strsep(&rest, "&")) != NULL) {
		if (strncmp(pair, "arg=", 4) != 0)
			continue;
		char *longer =
			mem_printf("%s%c%s", arguments, *arguments == '\0' ? '?' : '&', pair);
		free(arguments);
		arguments = longer;
	}
	return arguments;
}

/* ttyd would hang up, instead of answering, if a session's name contained a line break. */
static bool has_control_characters(const char *query)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(query != NULL ? query : "");
	char *rest = copy, *pair;

	while ((pair = strsep(&rest, "&")) != NULL) {
		if (!request_decode(pair))
			return true;
		for (const char *at = pair; *at != '\0'; at++)
			if ((unsigned char)*at < 0x20 || *at == 0x7f)
				return true;
	}
	return false;
}

static const char *value(const struct conn *c, enum header header)
{
	return c->request.values[header] != NULL ? c->request.values[header] : "";
}

static char *upgrade_headers(const struct conn *c)
{
	return mem_printf("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
			  "Sec-WebSocket-Version: %s\r\nSec-WebSocket-Protocol: %s\r\n",
			  value(c, HEADER_WS_KEY), value(c, HEADER_WS_VERSION),
			  value(c, HEADER_WS_PROTOCOL));
}

static int hand_on(struct conn *c, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *arguments = session_arguments(c->request.query);
	CLEANUP(cleanup_free)
	char *headers = c->parser.upgrade
				? upgrade_headers(c)
				: mem_printf("Connection: close\r\nAccept-Encoding: %s\r\n",
					     value(c, HEADER_ACCEPT_ENCODING));
	CLEANUP(cleanup_free)
	char *head = mem_printf("GET %s%s HTTP/1.1\r\nHost: terminal\r\n%s\r\n", path, arguments,
				headers);
	struct peer *p = peer_new(c, &relay, (const struct sockaddr *)&address, sizeof(address), e);

	if (p == NULL)
		return -1;
	terminals++;
	conn_set_ops(c, &relaying, p);
	conn_become_raw(c);
	peer_send(p, head, strlen(head));
	return 0;
}

static int refuse_or_hand_on(struct conn *c, const char *path, struct err *e)
{
	if (is_allowed(c)) {
		c->granted = true;
		if (has_control_characters(c->request.query))
			return problem(e, "INVALID_REQUEST",
				       "the name of a session has letters, digits, - and _");
		return conn_check_token(c, e) < 0 ? -1 : hand_on(c, path, e);
	}
	conn_answer(c, 401, "text/plain", CHALLENGE, REFUSAL, strlen(REFUSAL));
	return 0;
}

int terminal_page(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	return refuse_or_hand_on(c, "/", e);
}

int terminal_socket(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	return refuse_or_hand_on(c, "/ws", e);
}

/* The AuthToken that ttyd's page asks for is empty, because /ws has already checked the token. */
int terminal_token(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	(void)e;
	conn_json(c, 200, json_pack("{s:s}", "token", ""));
	return 0;
}
