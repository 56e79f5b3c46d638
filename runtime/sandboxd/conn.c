#include "sandboxd/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/conn_parts.h"
#include "sandboxd/problem.h"
#include "sandboxd/route.h"
#include "sandboxd/websocket.h"

enum {
	READ_SIZE = 65536,
	IN_MAX = 131072,
	HELD_MAX = 6291456, /* held by all connections together */
	HEAD_S = 15,
	IDLE_S = 120,
	PROGRESS_S = 60,
	LINGER_S = 3,
	KEPT = 2048, /* how much memory of a buffer is kept between requests */
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

void conn_drop_file(struct conn *c)
{
	if (c->file >= 0)
		close(c->file);
	c->file = -1;
	c->file_left = 0;
}

void conn_end_ops(struct conn *c)
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
	conn_end_ops(c);
	conn_drop_file(c);
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

/* Limits what all connections hold: one that exceeds the limit is closed. Half of it is reserved
 * for clients with a token. */
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

void conn_trim(struct buf *b)
{
	buf_reset(b);
	if (b->allocated > KEPT)
		buf_release(b);
}

/* ---- receiving ----------------------------------------------------------------------------- */

static size_t feed(struct conn *c, const char *data, size_t length)
{
	switch (c->state) {
	case CONN_REQUEST:
		return conn_parse(c, data, length);
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

/* Processes data that arrived before it could be used. */
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

/* A client that is refused may still be sending: if the connection were closed at once, it could
 * not read the response. */
static void linger(struct conn *c)
{
	conn_end_ops(c);
	c->state = CONN_LINGER;
	c->answered = false;
	c->progress_at = loop_now();
	shutdown(c->watch.fd, SHUT_WR);
}

static void after_answer(struct conn *c)
{
	if (c->keep && c->complete)
		conn_next_request(c);
	else
		linger(c);
}

static bool has_more_to_do(struct conn *c)
{
	if (!conn_flush_out(c) || !conn_flush_file(c))
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
	struct conn *c = CONTAINER_OF(w, struct conn, watch);

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

	if (conn_pending(c) > 0 || c->file_left > 0)
		return PROGRESS_S;
	if (c->state == CONN_LINGER)
		return LINGER_S;
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

/* Closes the oldest unauthenticated connection, if there is one: the last of the list. */
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
	conn_next_request(c);
	LIST_INSERT_HEAD(&connections, c, entry);
	count++;
	choose_events(c);
}
