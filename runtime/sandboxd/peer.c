#include "sandboxd/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/problem.h"

enum { PENDING_FULL = 32768, PENDING_MAX = 262144, PART = 16384 };

static void choose_events(struct peer *p)
{
	uint32_t events = 0;

	if (p->connecting || p->pending.length > 0)
		events |= EPOLLOUT;
	if (!p->connecting && !p->ended && conn_pending(p->conn) < OUT_FULL)
		events |= EPOLLIN;
	watch_for(&p->watch, events);
}

static void push(struct peer *p)
{
	while (p->pending.length > 0) {
		ssize_t done = send(p->watch.fd, p->pending.data, p->pending.length, MSG_NOSIGNAL);
		if (done < 0 && errno == EAGAIN)
			break;
		if (done <= 0) {
			buf_reset(&p->pending);
			p->no_more = true;
			break;
		}
		p->pending.length -= (size_t)done;
		memmove(p->pending.data, p->pending.data + done, p->pending.length);
	}
	if (p->pending.length == 0 && p->no_more)
		shutdown(p->watch.fd, SHUT_WR);
	conn_pause(p->conn, p->pending.length >= PENDING_FULL);
}

static void receive(struct peer *p)
{
	char data[PART];
	ssize_t got = recv(p->watch.fd, data, sizeof(data), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0) {
		p->ops->received(p, data, (size_t)got);
		return;
	}
	p->ended = true;
	p->ops->ended(p);
}

static void connected(struct peer *p)
{
	int error = 0;
	socklen_t length = sizeof(error);

	getsockopt(p->watch.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	p->connecting = false;
	if (error != 0) {
		p->ended = p->no_more = true;
		p->ops->failed(p);
	} else {
		p->ops->connected(p);
	}
}

static void ready(struct watch *w, uint32_t events)
{
	struct peer *p = CONTAINER_OF(w, struct peer, watch);
	struct conn *c = p->conn;

	if (p->connecting) {
		connected(p);
	} else {
		if ((events & EPOLLOUT) != 0)
			push(p);
		if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && w->fd >= 0 && !p->ended)
			receive(p);
	}
	conn_run(c);
	if (w->fd >= 0)
		choose_events(p);
}

struct peer *peer_new(struct conn *c, const struct peer_ops *ops, const struct sockaddr *address,
		      socklen_t length, struct err *e)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct peer *p;

	if (fd < 0 || (connect(fd, address, length) != 0 && errno != EINPROGRESS)) {
		if (fd >= 0)
			close(fd);
		(void)problem(e, "NOT_LISTENING", "nothing listens there: %s", strerror(errno));
		return NULL;
	}
	p = mem_calloc(1, sizeof(*p));
	p->watch = (struct watch) { .fd = fd, .ready = ready };
	p->conn = c;
	p->ops = ops;
	p->pending = BUF_INIT(PENDING_MAX);
	p->connecting = true;
	choose_events(p);
	return p;
}

void peer_send(struct peer *p, const void *data, size_t length)
{
	struct err e;

	if (p->no_more)
		return;
	if (buf_append(&p->pending, data, length, &e) < 0) {
		p->conn->failed = true;
		return;
	}
	if (!p->connecting)
		push(p);
	choose_events(p);
}

void peer_end(struct peer *p)
{
	p->no_more = true;
	if (!p->connecting)
		push(p);
}

void peer_go_on(struct peer *p)
{
	choose_events(p);
}

void peer_free(struct peer *p)
{
	watch_close(&p->watch);
	buf_release(&p->pending);
	loop_free(p);
}
