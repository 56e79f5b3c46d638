#include "tunnel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "websocket.h"

enum {
	VALID_MS = 60 * 60 * 1000, /* of a token */
	RENEW_MS = 50 * 60 * 1000,
	AGAIN_MS = 60 * 1000, /* after a renewal that failed */
	PART = 16384,
	LOCAL_MAX = 1 << 20,
};

struct tunnel {
	struct tunnels *all;
	struct websocket ws;
	int fd;
	struct buf local; /* data to be written to `fd` */
	bool connected, local_ended, remote_ended;
	uint64_t token_ms; /* when the sandbox's current token was made */
	uint64_t renew_ms; /* when to request a newer token */
};

/* ---- the token ------------------------------------------------------------------------------- */

static int renew_now(struct tunnels *all, struct err *e)
{
	if (sandbox_renew(all->sandbox, e) < 0)
		return -1;
	all->renewed_ms = clock_ms();
	return 0;
}

/* Renews the token before it expires, so that it stays valid for a while if the site becomes
 * unreachable. */
static int renew_in_time(struct tunnels *all, struct err *e)
{
	uint64_t now = clock_ms(), age = now - all->renewed_ms;

	if (age <= RENEW_MS || (age < VALID_MS && now < all->again_ms))
		return 0;
	if (renew_now(all, e) == 0)
		return 0;
	all->again_ms = now + AGAIN_MS;
	return site_is_away(e) && age < VALID_MS ? 0 : -1;
}

/* Uses the current token, or a new one if that was `refused`. */
static int copy_server(struct tunnels *all, bool refused, struct site *ret_server, uint64_t *ret_ms,
		       struct err *e)
{
	(void)pthread_mutex_lock(&all->mutex);
	int status = refused ? renew_now(all, e) : renew_in_time(all, e);
	if (status == 0) {
		const struct site *s = &all->sandbox->server;
		site_open_with(s->url, s->token, s->ca_file, ret_server);
		*ret_ms = all->renewed_ms;
	}
	(void)pthread_mutex_unlock(&all->mutex);
	return status;
}

static int send_newer_token(struct tunnel *t, struct err *e)
{
	CLEANUP(site_close) struct site server = { 0 };
	uint64_t before_ms = t->token_ms, now = clock_ms();

	if (now < t->renew_ms)
		return 0;
	t->renew_ms = now + AGAIN_MS;
	if (copy_server(t->all, false, &server, &t->token_ms, e) < 0)
		return site_is_away(e) ? 0 : -1;
	if (t->token_ms == before_ms)
		return 0;
	t->renew_ms = t->token_ms + RENEW_MS;
	CLEANUP(json_decrefp)
	json_t *message = json_pack("{s:s, s:s}", "type", "token", "token", server.token);
	CLEANUP(cleanup_free) char *text = json_dumps(message, JSON_COMPACT);
	websocket_send(&t->ws, WEBSOCKET_TEXT, text, strlen(text));
	return 0;
}

static int connect_to(struct tunnel *t, unsigned port, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/ports/%u", port);

	for (int renewed = 0; renewed < 2; renewed++) {
		CLEANUP(site_close) struct site server = { 0 };
		if (copy_server(t->all, renewed > 0, &server, &t->token_ms, e) < 0)
			return -1;
		t->renew_ms = t->token_ms + RENEW_MS;
		if (websocket_open(&server, path, &t->ws, e) == 0)
			return 0;
		if (e->kind != ERR_UNAUTHENTICATED)
			return -1;
	}
	return -1;
}

/* ---- from the sandbox ------------------------------------------------------------------------ */

static int take_text(struct tunnel *t, const struct websocket_message *m, struct err *e)
{
	json_error_t where;
	CLEANUP(json_decrefp) json_t *json = json_loadb(m->data, m->length, 0, &where);
	const char *type = json_string_value(json_object_get(json, "type"));
	const char *said = json_string_value(json_object_get(json, "error"));
	const char *code = json_string_value(json_object_get(json, "errorCode"));

	if (type == NULL)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX", "the sandbox's message is none");
	if (strcmp(type, "error") == 0)
		return err_set(e, ERR_UNPROCESSABLE, code, "%s",
			       said ? said : "the sandbox does not say why");
	t->connected |= strcmp(type, "connected") == 0;
	t->remote_ended |= strcmp(type, "end") == 0;
	return 0;
}

/* Returns 1 if something arrived. */
static int receive(struct tunnel *t, struct err *e)
{
	struct websocket_message m;
	int status;

	if (t->local.length > 0 || t->remote_ended)
		return 0;
	status = websocket_receive(&t->ws, &m, e);
	if (status <= 0)
		return status;
	if (m.type == WEBSOCKET_CLOSE)
		return err_set(e, ERR_UNAVAILABLE, "CONNECTION_LOST",
			       "the sandbox closed the connection");
	if (m.type == WEBSOCKET_TEXT)
		return take_text(t, &m, e) < 0 ? -1 : 1;
	if (!t->connected)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX", "that is no sandbox");
	return buf_append(&t->local, m.data, m.length, e) < 0 ? -1 : 1;
}

static int write_local(struct tunnel *t, struct err *e)
{
	ssize_t wrote;

	if (t->local.length == 0)
		return 0;
	wrote = send(t->fd, t->local.data, t->local.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (wrote < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : err_set(e, ERR_UNAVAILABLE, "CLOSED_HERE", "%s", strerror(errno));
	memmove(t->local.data, t->local.data + wrote, t->local.length - (size_t)wrote);
	t->local.length -= (size_t)wrote;
	return 1;
}

/* ---- to the sandbox -------------------------------------------------------------------------- */

/* Reads a part only after the previous one was sent, so that a slow sandbox slows down its
 * client. */
static int read_local(struct tunnel *t, struct err *e)
{
	char data[PART];
	ssize_t got;

	if (!t->connected || t->local_ended || t->ws.out.length > 0)
		return 0;
	got = recv(t->fd, data, sizeof(data), MSG_DONTWAIT);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR
			       ? 0
			       : err_set(e, ERR_UNAVAILABLE, "CLOSED_HERE", "%s", strerror(errno));
	t->local_ended = got == 0;
	if (got > 0)
		websocket_send(&t->ws, WEBSOCKET_BINARY, data, (size_t)got);
	else
		websocket_send(&t->ws, WEBSOCKET_TEXT, "{\"type\":\"end\"}",
			       strlen("{\"type\":\"end\"}"));
	return 1;
}

static void wait_for_more(const struct tunnel *t)
{
	struct pollfd fds[] = {
		{ .fd = t->ws.fd, .events = 0 },
		{ .fd = t->fd, .events = 0 },
	};

	if (t->ws.out.length > 0)
		fds[0].events |= POLLOUT;
	if (t->local.length == 0 && !t->remote_ended)
		fds[0].events |= POLLIN;
	if (t->local.length > 0)
		fds[1].events |= POLLOUT;
	if (t->connected && !t->local_ended && t->ws.out.length == 0)
		fds[1].events |= POLLIN;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i].events == 0)
			fds[i].fd = -1; /* otherwise poll() would keep reporting a hang-up */
	}
	(void)poll(fds, ARRAY_SIZE(fds), AGAIN_MS);
}

static bool is_over(const struct tunnel *t)
{
	return t->remote_ended && t->local.length == 0 && t->local_ended && t->ws.out.length == 0;
}

/* Does what is possible without waiting; returns 1 if that was anything. */
static int step(struct tunnel *t, struct err *e)
{
	int (*const steps[])(struct tunnel *, struct err *) = { write_local, read_local, receive };
	int moved = 0;

	if (send_newer_token(t, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int status = steps[i](t, e);
		if (status < 0)
			return -1;
		moved |= status;
	}
	return websocket_flush(&t->ws, e) < 0 ? -1 : moved;
}

static int pass(struct tunnel *t, struct err *e)
{
	while (!is_over(t)) {
		int moved = step(t, e);
		if (moved < 0)
			return -1;
		if (t->remote_ended && t->local.length == 0)
			(void)shutdown(t->fd, SHUT_WR);
		if (moved == 0 && !is_over(t))
			wait_for_more(t);
	}
	return 0;
}

int tunnel_run(struct tunnels *all, unsigned port, int fd, struct err *e)
{
	struct tunnel t = { .all = all, .fd = fd, .local = BUF_INIT(LOCAL_MAX + PART) };
	int status;

	if (connect_to(&t, port, e) < 0)
		return -1;
	status = pass(&t, e);
	websocket_close(&t.ws);
	buf_release(&t.local);
	return status;
}
