#include "reconcile/wake.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct wake {
	int epoll;
	int inotify;
	int signals;
	char *file_name; /* of the wake file, in the watched directory */
	bool stopping;
};

static int watch(struct wake *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Watches the directory, because the file may not exist yet, and may be replaced. */
static int watch_file(struct wake *w, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *for_directory = mem_strdup(path);
	CLEANUP(cleanup_free) char *for_name = mem_strdup(path);
	const char *directory = dirname(for_directory);

	w->file_name = mem_strdup(basename(for_name));
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->inotify < 0 ||
	    inotify_add_watch(w->inotify, directory,
			      IN_CREATE | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_TO) < 0 ||
	    watch(w, w->inotify) < 0)
		return err_set(e, ERR_INTERNAL, "WAKE_FILE",
			       "%s cannot be watched (%s): changes are seen at the next interval",
			       directory, strerror(errno));
	return 0;
}

static int watch_signals(struct wake *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	w->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return w->signals < 0 ? -1 : watch(w, w->signals);
}

int wake_new(const char *path, struct wake **ret_wake, bool *ret_watched, struct err *ret_warning,
	     struct err *e)
{
	struct wake *w = mem_calloc(1, sizeof(*w));

	w->inotify = w->signals = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0 || watch_signals(w) < 0) {
		err_set(e, ERR_INTERNAL, NULL, "cannot wait for signals: %s", strerror(errno));
		wake_free(w);
		return -1;
	}
	*ret_watched = watch_file(w, path, ret_warning) == 0;
	*ret_wake = w;
	return 0;
}

void wake_free(struct wake *w)
{
	if (w == NULL)
		return;
	cleanup_close(&w->inotify);
	cleanup_close(&w->signals);
	cleanup_close(&w->epoll);
	free(w->file_name);
	free(w);
}

int wake_fd(const struct wake *w)
{
	return w->epoll;
}

/* Whether one of the events in a buffer is about the wake file. */
static bool is_about_file(const struct wake *w, const char *events, size_t length)
{
	for (size_t at = 0; at < length;) {
		struct inotify_event event;
		memcpy(&event, events + at, sizeof(event));
		if (event.len > 0 && strcmp(events + at + sizeof(event), w->file_name) == 0)
			return true;
		at += sizeof(event) + event.len;
	}
	return false;
}

bool wake_drain(struct wake *w)
{
	char events[4096];
	struct signalfd_siginfo signal_info;
	bool touched = false;
	ssize_t got;

	while (w->inotify >= 0 && (got = read(w->inotify, events, sizeof(events))) > 0)
		touched = touched || is_about_file(w, events, (size_t)got);
	while (read(w->signals, &signal_info, sizeof(signal_info)) > 0)
		w->stopping = true;
	return touched;
}

bool wake_stopping(const struct wake *w)
{
	return w->stopping;
}
