/* Watches directories: each change in them (inotify) is a message over a WebSocket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/handlers.h"
#include "sandboxd/place.h"
#include "sandboxd/problem.h"
#include "sandboxd/websocket.h"

enum { WATCHERS_MAX = 16, DIRECTORIES_MAX = 32, EVENTS_SIZE = 4096 };

#define DRAFT ".fsa-draft-" /* prefix of files being written */

struct watcher {
	struct watch watch;
	struct conn *conn;
	size_t count;
	struct {
		int number; /* of inotify */
		char *path;
	} directories[DIRECTORIES_MAX];
};

static const struct {
	uint32_t mask;
	const char *name;
} changes[] = {
	{ IN_CREATE, "created" },    { IN_CLOSE_WRITE, "written" },
	{ IN_ATTRIB, "attributes" }, { IN_DELETE | IN_MOVED_FROM, "removed" },
	{ IN_MOVED_TO, "created" },
};

static size_t watchers;

/* ---- to the client ------------------------------------------------------------------------- */

static void send_message(struct watcher *w, const char *type, const char *path)
{
	websocket_json(w->conn, json_pack("{s:s, s:s}", "type", type, "path", path));
}

static void send_change(struct watcher *w, const char *path, const struct inotify_event *event)
{
	CLEANUP(cleanup_free) char *name = mem_strdup(event->name);

	if (strncmp(name, DRAFT, strlen(DRAFT)) == 0)
		return;
	parse_make_utf8(name);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if ((event->mask & changes[i].mask) != 0)
			websocket_json(w->conn,
				       json_pack("{s:s, s:s, s:s, s:s}", "type", "change", "path",
						 path, "name", name, "change", changes[i].name));
}

static void forget(struct watcher *w, size_t at)
{
	free(w->directories[at].path);
	w->directories[at] = w->directories[--w->count];
}

static void take_event(struct watcher *w, const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		websocket_json(w->conn, json_pack("{s:s}", "type", "lost"));
	for (size_t i = 0; i < w->count; i++) {
		if (w->directories[i].number != event->wd)
			continue;
		if ((event->mask & IN_IGNORED) == 0) {
			if (event->len > 0)
				send_change(w, w->directories[i].path, event);
			return;
		}
		send_message(w, "ended", w->directories[i].path);
		forget(w, i);
		return;
	}
}

/* While a client does not read, events stay in the kernel's queue, which is bounded and reports
 * overflows. */
static void ready(struct watch *watch, uint32_t events)
{
	struct watcher *w = CONTAINER_OF(watch, struct watcher, watch);
	struct conn *c = w->conn;
	_Alignas(struct inotify_event) char buffer[EVENTS_SIZE];
	ssize_t got = read(watch->fd, buffer, sizeof(buffer));

	(void)events;
	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)(buffer + at);
		take_event(w, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if (conn_pending(c) >= OUT_FULL)
		watch_for(watch, 0);
	conn_run(c);
}

static void more(struct conn *c)
{
	struct watcher *w = c->context;

	watch_for(&w->watch, EPOLLIN);
}

/* ---- from the client ----------------------------------------------------------------------- */

static int add(struct watcher *w, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char link[40];
	uint32_t mask = IN_ONLYDIR | IN_EXCL_UNLINK;

	if (place_open(path, O_PATH | O_DIRECTORY, &fd, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		mask |= changes[i].mask;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int number = inotify_add_watch(w->watch.fd, link, mask);
	if (number < 0 && errno == ENOSPC)
		return problem(e, "TOO_MANY", "the system watches as much as it can already");
	if (number < 0)
		return problem_errno(e, path);
	for (size_t i = 0; i < w->count; i++)
		if (w->directories[i].number == number)
			return problem(e, "EXISTS", "%.200s is watched as %.200s", path,
				       w->directories[i].path);
	w->directories[w->count].number = number;
	w->directories[w->count++].path = mem_strdup(path);
	send_message(w, "watching", path);
	return 0;
}

static int drop(struct watcher *w, const char *path, struct err *e)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->directories[i].path, path) == 0) {
			(void)inotify_rm_watch(w->watch.fd, w->directories[i].number);
			return 0; /* "ended" follows */
		}
	return problem(e, "NOT_FOUND", "%.200s is not watched", path);
}

static int message(struct conn *c, json_t *json, struct err *e)
{
	struct watcher *w = c->context;
	const char *type, *path;

	if (json_unpack(json, "{s:s, s:s !}", "type", &type, "path", &path) != 0)
		return problem(e, "INVALID_REQUEST", "a message has type and path");
	if (strcmp(type, "unwatch") == 0)
		return drop(w, path, e);
	if (strcmp(type, "watch") != 0)
		return problem(e, "INVALID_REQUEST", "unknown type %.40s", type);
	if (w->count == DIRECTORIES_MAX)
		return problem(e, "TOO_MANY", "%d directories are watched: unwatch one",
			       DIRECTORIES_MAX);
	return add(w, path, e);
}

static void closed(struct conn *c)
{
	struct watcher *w = c->context;

	watchers--;
	watch_close(&w->watch);
	while (w->count > 0)
		forget(w, 0);
	loop_free(w);
}

static const struct conn_ops watching = { .message = message, .produce = more, .closed = closed };

int files_watch(struct conn *c, json_t *body, struct err *e)
{
	struct watcher *w;
	int fd;

	(void)body;
	if (watchers >= WATCHERS_MAX)
		return problem(e, "TOO_MANY", "%d connections watch already", WATCHERS_MAX);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return problem(e, "TOO_MANY", "inotify: %s", strerror(errno));
	w = mem_calloc(1, sizeof(*w));
	w->watch = (struct watch) { .fd = fd, .ready = ready };
	w->conn = c;
	watchers++;
	conn_set_ops(c, &watching, w);
	watch_for(&w->watch, EPOLLIN);
	return 0;
}
