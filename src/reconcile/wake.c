#include "reconcile/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
	bool stopping;
};

static int watch(struct wake *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int watch_file(struct wake *w, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0660);

	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0 || w->inotify < 0 ||
	    inotify_add_watch(w->inotify, path, IN_ATTRIB | IN_CLOSE_WRITE) < 0 ||
	    watch(w, w->inotify) < 0)
		return err_set(e, ERR_INTERNAL, "WAKE_FILE",
			       "%s cannot be watched (%s): changes are seen at the next interval",
			       path, strerror(errno));
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
	free(w);
}

int wake_fd(const struct wake *w)
{
	return w->epoll;
}

bool wake_drain(struct wake *w)
{
	char events[sizeof(struct inotify_event) + NAME_MAX + 1];
	struct signalfd_siginfo signal_info;
	bool touched = false;

	while (w->inotify >= 0 && read(w->inotify, events, sizeof(events)) > 0)
		touched = true;
	while (read(w->signals, &signal_info, sizeof(signal_info)) > 0)
		w->stopping = true;
	return touched;
}

bool wake_stopping(const struct wake *w)
{
	return w->stopping;
}
