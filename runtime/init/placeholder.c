#include "placeholder.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	YIELD_S = 5, /* seconds for a program that has bound the port to listen, too */
	VISIT_S = 5,
	BACKLOG = 16,
};

#define HEAD                                                                                       \
	"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n" \
	"Connection: close\r\nContent-Length: %zu\r\n\r\n"

struct visitor {
	int fd; /* -1: this place is free */
	bool answered;
	time_t until;
};

struct placeholder {
	uint16_t port;
	const char *page;
	size_t length;
	char head[256];
	size_t head_length;
	int fd; /* -1: another program has the port */
	time_t away_until;
	struct visitor visitors[PLACEHOLDER_VISITORS];
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

struct placeholder *placeholder_new(uint16_t port, const char *page, size_t length)
{
	struct placeholder *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->port = port;
	p->page = page;
	p->length = length;
	p->head_length = (size_t)snprintf(p->head, sizeof(p->head), HEAD, length);
	p->fd = -1;
	for (size_t i = 0; i < PLACEHOLDER_VISITORS; i++)
		p->visitors[i].fd = -1;
	return p;
}

static void hang_up(struct visitor *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

void placeholder_yield(struct placeholder *p)
{
	p->away_until = now() + YIELD_S;
	if (p->fd < 0)
		return;
	close(p->fd);
	p->fd = -1;
	for (size_t i = 0; i < PLACEHOLDER_VISITORS; i++)
		hang_up(&p->visitors[i]);
}

/* Returns a listening socket, or -1. With SO_REUSEADDR, remains of old connections do not matter,
 * but another listener does. */
static int listen_at(const struct sockaddr *address, socklen_t length)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
	if (address->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int) { 0 }, sizeof(int));
	if (bind(fd, address, length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static void take_port(struct placeholder *p)
{
	struct sockaddr_in6 both = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(p->port) };

	p->fd = listen_at((struct sockaddr *)&both, sizeof(both));
	if (p->fd < 0 && errno != EADDRINUSE)
		p->fd = listen_at((struct sockaddr *)&four, sizeof(four));
}

/* If all places are taken, connections wait in the kernel's queue. */
static struct visitor *free_place(struct placeholder *p)
{
	for (size_t i = 0; i < PLACEHOLDER_VISITORS; i++)
		if (p->visitors[i].fd < 0)
			return &p->visitors[i];
	return NULL;
}

static void admit(struct placeholder *p)
{
	struct visitor *v;

	while ((v = free_place(p)) != NULL) {
		v->fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (v->fd < 0)
			return;
		v->answered = false;
		v->until = now() + VISIT_S;
	}
}

/* The page fits into a new connection's buffer, so a short write means that the connection is
 * broken. Except for HEAD, the request does not matter. */
static void answer(const struct placeholder *p, struct visitor *v)
{
	char request[4096];
	ssize_t got = recv(v->fd, request, sizeof(request), 0);
	bool head_only = got >= 5 && memcmp(request, "HEAD ", 5) == 0;

	if (got <= 0) {
		hang_up(v);
	} else if (!v->answered) {
		send(v->fd, p->head, p->head_length, MSG_NOSIGNAL | MSG_MORE);
		if (!head_only)
			send(v->fd, p->page, p->length, MSG_NOSIGNAL);
		shutdown(v->fd, SHUT_WR);
		v->answered = true; /* until the visitor has read it and closes */
	}
}

size_t placeholder_polls(const struct placeholder *p, struct pollfd *polls)
{
	size_t count = 0, busy = 0;

	for (size_t i = 0; i < PLACEHOLDER_VISITORS; i++) {
		if (p->visitors[i].fd < 0)
			continue;
		polls[count++] = (struct pollfd) { p->visitors[i].fd, POLLIN, 0 };
		busy++;
	}
	if (p->fd >= 0 && busy < PLACEHOLDER_VISITORS)
		polls[count++] = (struct pollfd) { p->fd, POLLIN, 0 };
	return count;
}

static bool is_ready(int fd, const struct pollfd *polls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (polls[i].fd == fd)
			return polls[i].revents != 0;
	return false;
}

void placeholder_run(struct placeholder *p, const struct pollfd *polls, size_t count)
{
	for (size_t i = 0; i < PLACEHOLDER_VISITORS; i++) {
		struct visitor *v = &p->visitors[i];
		if (v->fd < 0)
			continue;
		if (is_ready(v->fd, polls, count))
			answer(p, v);
		else if (now() > v->until)
			hang_up(v);
	}
	if (p->fd >= 0 && is_ready(p->fd, polls, count))
		admit(p);
	if (p->fd < 0 && now() >= p->away_until)
		take_port(p);
}
