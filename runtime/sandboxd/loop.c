#include "sandboxd/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { EVENTS = 64, TICKS = 8, TICK_MS = 1000 };

static int epoll_fd = -1;
static bool ending;
static void **garbage;
static size_t garbage_count, garbage_allocated;
static bool (*ticks[TICKS])(int64_t now);
static size_t tick_count;
static bool ticking; /* whether ticks are needed: an idle server sleeps */

void loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		abort();
}

void watch_for(struct watch *w, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = w };

	if (w->fd < 0 || w->events == events)
		return;
	if (events == 0)
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	else if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, w->fd, &event) != 0 && errno == ENOENT)
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, w->fd, &event);
	w->events = events;
	ticking = true;
}

void watch_close(struct watch *w)
{
	if (w->fd < 0)
		return;
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	close(w->fd);
	w->fd = -1;
	w->events = 0;
}

void loop_free(void *memory)
{
	if (garbage_count == garbage_allocated) {
		garbage_allocated = garbage_allocated == 0 ? 64 : 2 * garbage_allocated;
		garbage = mem_realloc(garbage, garbage_allocated, sizeof(*garbage));
	}
	garbage[garbage_count++] = memory;
}

static void collect_garbage(void)
{
	for (size_t i = 0; i < garbage_count; i++)
		free(garbage[i]);
	garbage_count = 0;
}

int64_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

void loop_add_tick(bool (*tick)(int64_t now))
{
	if (tick_count == TICKS)
		abort();
	ticks[tick_count++] = tick;
}

static void tick_all(void)
{
	static int64_t last;
	int64_t now = loop_now();
	bool any = false;

	if (now == last || !ticking)
		return;
	last = now;
	for (size_t i = 0; i < tick_count; i++)
		any |= ticks[i](now);
	ticking = any;
}

void loop_round(int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);

	for (int i = 0; i < count; i++) {
		struct watch *w = events[i].data.ptr;
		if (w->fd >= 0)
			w->ready(w, events[i].events);
	}
	collect_garbage();
}

void loop_run(void)
{
	while (!ending) {
		tick_all();
		loop_round(ticking ? TICK_MS : -1);
	}
}

void loop_end(void)
{
	ending = true;
}
