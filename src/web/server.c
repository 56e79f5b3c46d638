#include "web/server.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/notify.h"
#include "web/listen.h"
#include "web/status.h"
#include "web/worker.h"

enum {
	FIRST_PAUSE_MS = 100, /* after a crash; doubled after each further one */
	LAST_PAUSE_MS = 5000,
	HEALTHY_MS = 10000, /* a worker that lived this long did not crash at its start */
};

struct child {
	pid_t pid; /* 0: to be started */
	uint64_t started_ms;
};

struct master {
	const struct server_options *options;
	const struct server_app *app;
	int listen_fd;
	pid_t pid;
	struct child *children;
	unsigned crashes;       /* consecutive */
	uint64_t not_before_ms; /* no start before this */
	struct err trouble;     /* of the last reload; no message: it succeeded */
};

/* Spreads the numbers of requests around `requests`, so that workers do not all end at once. */
static uint64_t requests_of(const struct master *m, pid_t pid)
{
	uint64_t spread = m->options->requests / 8;

	return m->options->requests + (spread > 0 ? (uint64_t)pid % spread : 0);
}

/* Returns 1 in the new worker, 0 in the master. */
static int start_child(struct master *m, struct child *c)
{
	pid_t pid = fork();

	if (pid == 0) {
		/* The master may have died before this call: then no signal would come. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != m->pid)
			(void)raise(SIGTERM);
		return 1;
	}
	if (pid < 0) {
		log_line(LOG_LEVEL_ERROR, "a worker cannot be started",
			 LOG_STR("error", strerror(errno)));
		m->not_before_ms = clock_ms() + LAST_PAUSE_MS;
		return 0;
	}
	c->pid = pid;
	c->started_ms = clock_ms();
	return 0;
}

static int start_missing(struct master *m)
{
	for (unsigned i = 0; i < m->options->workers; i++) {
		if (m->children[i].pid != 0 || clock_ms() < m->not_before_ms)
			continue;
		if (start_child(m, &m->children[i]) == 1)
			return 1;
	}
	return 0;
}

static void note_end(struct master *m, const struct child *c, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return;
	metric_add(METRIC_WORKER_CRASHES, 1, NULL);
	bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
	log_line(LOG_LEVEL_ERROR, hung ? "a request took too long" : "worker ended",
		 LOG_INT("pid", c->pid),
		 LOG_INT("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		 LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	if (clock_ms() - c->started_ms >= HEALTHY_MS)
		m->crashes = 0;
	if (m->crashes++ == 0)
		return;
	uint64_t pause = FIRST_PAUSE_MS;
	for (unsigned i = 2; i < m->crashes && pause < LAST_PAUSE_MS; i++)
		pause *= 2;
	m->not_before_ms = clock_ms() + (pause < LAST_PAUSE_MS ? pause : LAST_PAUSE_MS);
}

/* Returns how many are left. */
static unsigned reap(struct master *m, bool stopping)
{
	unsigned left = 0;
	int status;

	for (unsigned i = 0; i < m->options->workers; i++) {
		struct child *c = &m->children[i];
		if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid) {
			if (!stopping)
				note_end(m, c, status);
			c->pid = 0;
		}
		left += c->pid != 0;
	}
	return left;
}

static void signal_all(const struct master *m, int signal_number)
{
	for (unsigned i = 0; i < m->options->workers; i++) {
		if (m->children[i].pid != 0)
			(void)kill(m->children[i].pid, signal_number);
	}
}

static sigset_t awaited_signals(void)
{
	sigset_t awaited;

	(void)sigemptyset(&awaited);
	(void)sigaddset(&awaited, SIGTERM);
	(void)sigaddset(&awaited, SIGINT);
	(void)sigaddset(&awaited, SIGHUP);
	(void)sigaddset(&awaited, SIGCHLD);
	return awaited;
}

/* Returns the next of those signals, which are all blocked; 0 after `ms`. */
static int wait_signal(uint64_t ms)
{
	struct timespec timeout = { .tv_sec = (time_t)(ms / 1000),
				    .tv_nsec = (long)(ms % 1000) * 1000000L };
	const sigset_t awaited = awaited_signals();

	int got = sigtimedwait(&awaited, NULL, &timeout);
	return got > 0 ? got : 0;
}

static void stop_children(struct master *m)
{
	uint64_t deadline = clock_ms() + SERVER_PATIENCE_S * UINT64_C(1000);

	signal_all(m, SIGTERM);
	while (reap(m, true) > 0 && clock_ms() < deadline)
		(void)wait_signal(100);
	signal_all(m, SIGKILL);
	while (reap(m, true) > 0)
		(void)wait_signal(100);
}

static void reload(struct master *m)
{
	if (m->app->reload == NULL)
		return;
	if (m->app->reload(m->app->user, &m->trouble) < 0) {
		log_err(LOG_LEVEL_ERROR, "reload failed, keeping the previous configuration",
			&m->trouble);
		err_wrap(&m->trouble, "not reloaded, running as before");
		return;
	}
	m->trouble.message[0] = '\0';
	m->crashes = 0;
	m->not_before_ms = 0;
	log_line(LOG_LEVEL_INFO, "reloaded", LOG_INT("workers", m->options->workers));
	signal_all(m, SIGTERM);
}

static void notify_systemd(const struct master *m, unsigned workers)
{
	const char *trouble = m->trouble.message;

	notify_alive();
	status_report(m->app->status, workers, trouble[0] != '\0' ? trouble : NULL);
}

/* Returns 1 in a worker, 0 in the master at its end. */
static int supervise(struct master *m)
{
	for (;;) {
		if (start_missing(m) == 1)
			return 1;
		unsigned left = reap(m, false);
		notify_systemd(m, left);
		int got = wait_signal(left < m->options->workers ? FIRST_PAUSE_MS : LAST_PAUSE_MS);
		if (got == SIGTERM || got == SIGINT)
			break;
		if (got == SIGHUP)
			reload(m);
	}
	stop_children(m);
	return 0;
}

static int run_master(struct master *m, struct err *e)
{
	const sigset_t awaited = awaited_signals();
	sigset_t before;

	(void)sigprocmask(SIG_BLOCK, &awaited, &before);
	m->pid = getpid();
	m->children = mem_calloc(m->options->workers, sizeof(*m->children));
	log_line(LOG_LEVEL_INFO, "ready", LOG_INT("workers", m->options->workers),
		 LOG_STR("socket", m->options->socket_path ? m->options->socket_path : "0"));
	bool is_worker = supervise(m) == 1;
	free(m->children);
	if (is_worker)
		return worker_run(m->listen_fd, requests_of(m, getpid()), m->app, e);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (m->options->socket_path != NULL)
		(void)unlink(m->options->socket_path);
	return 0;
}

int server_run(const struct server_options *options, const struct server_app *app, struct err *e)
{
	struct master m = { .options = options, .app = app, .listen_fd = STDIN_FILENO };
	CLEANUP(cleanup_close) int made_fd = -1;

	if (options->socket_path != NULL) {
		if (listen_unix(options->socket_path, &made_fd, e) < 0)
			return -1;
		m.listen_fd = made_fd;
		return run_master(&m, e);
	}
	if (!FCGX_IsCGI())
		return run_master(&m, e);
	if (getenv("REQUEST_METHOD") == NULL)
		return err_set(e, ERR_INVALID, NULL,
			       "neither a listening socket (--socket PATH, or descriptor 0) nor a "
			       "CGI request");
	return worker_run_cgi(app, e);
}
