#include "web/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/cleanup.h"
#include "web/server.h"
#include "web/status.h"

extern char **environ;

enum { ACCEPT_FAILURES_MAX = 50, ACCEPT_PAUSE_MS = 100, FIRST_BYTE_MS = 2000 };

/* What the signal handler needs; set before it is installed. */
static volatile sig_atomic_t stopping;
static int listening_fd, null_fd;

/* SIGTERM is only accepted while the worker waits for a connection: in libfcgi it would interrupt a
 * read, and the request would be lost.
 *
 * A blocked accept() returns with EINTR. One that is about to begin would still block, so the
 * worker's descriptor of the socket is replaced by one that cannot accept. */
static void on_terminate(int signal_number)
{
	(void)signal_number;
	int saved = errno;
	stopping = 1;
	(void)dup2(null_fd, listening_fd);
	errno = saved;
}

static ssize_t fcgi_read(void *user, void *buffer, size_t length)
{
	const FCGX_Request *request = user;
	int wanted = length < INT_MAX ? (int)length : INT_MAX;
	int got = FCGX_GetStr(buffer, wanted, request->in);

	return got > 0 || FCGX_GetError(request->in) == 0 ? got : -1;
}

static int fcgi_write(void *user, const void *data, size_t length)
{
	const FCGX_Request *request = user;

	return length == 0 || FCGX_PutStr(data, (int)length, request->out) == (int)length ? 0 : -1;
}

/* For both directions of connections accepted from a TCP socket, which inherit it. */
static void limit_peers(int listen_fd)
{
	const struct timeval limit = { .tv_sec = SERVER_PEER_S };
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (getsockname(listen_fd, (struct sockaddr *)&address, &length) < 0 ||
	    address.ss_family == AF_UNIX)
		return;
	(void)setsockopt(listen_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(listen_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int prepare(int listen_fd, FCGX_Request *request, struct err *e)
{
	struct sigaction terminate = { .sa_handler = on_terminate }; /* without SA_RESTART */
	sigset_t only_terminate;

	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	listening_fd = listen_fd;
	/* It gets connections from us, and has nothing to accept them from. */
	if (null_fd < 0 || FCGX_Init() != 0 ||
	    FCGX_InitRequest(request, null_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return err_set(e, ERR_INTERNAL, NULL, "FastCGI cannot begin: %s", strerror(errno));
	limit_peers(listen_fd);
	/* After FCGX_Init(), which installs its own handlers. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* a terminal's ^C: the master sends SIGTERM */
	(void)signal(SIGHUP, SIG_IGN); /* also handled by the master */
	(void)sigaction(SIGTERM, &terminate, NULL);
	(void)sigemptyset(&only_terminate);
	(void)sigaddset(&only_terminate, SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &only_terminate, NULL);
	return 0;
}

/* Returns -1, with errno, if there was none. */
static int accept_connection(void)
{
	sigset_t terminate;

	(void)sigemptyset(&terminate);
	(void)sigaddset(&terminate, SIGTERM);
	(void)sigprocmask(SIG_UNBLOCK, &terminate, NULL);
	int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC);
	int error = errno;
	(void)sigprocmask(SIG_BLOCK, &terminate, NULL);
	errno = error;
	return fd;
}

/* A client that connects and sends nothing is not waited for: nginx sends at once. */
static bool says_something(int fd)
{
	struct pollfd connection = { .fd = fd, .events = POLLIN };

	return poll(&connection, 1, FIRST_BYTE_MS) > 0;
}

/* Returns false when it is time to end. Failures are caused by clients that leave before they are
 * served, or by a lack of descriptors, which is temporary, or else the master has to restart. No
 * connection within SERVER_PEER_S is not a failure, nor is a client that sends nonsense. */
static bool accept_request(FCGX_Request *request)
{
	const struct timespec pause = { .tv_nsec = ACCEPT_PAUSE_MS * 1000000L };

	for (int failures = 0; !stopping && failures < ACCEPT_FAILURES_MAX;) {
		int fd = accept_connection();
		if (fd >= 0 && says_something(fd)) {
			request->ipcFd = fd;
			/* otherwise libfcgi takes it for a finished one */
			request->keepConnection = 1;
			if (FCGX_Accept_r(request) >= 0)
				return true;
		} else if (fd >= 0) {
			(void)close(fd);
		} else if (!stopping && errno != EAGAIN && errno != EINTR) {
			failures++;
			(void)nanosleep(&pause, NULL);
		}
	}
	return false;
}

int worker_run(int listen_fd, uint64_t requests, const struct server_app *app, struct err *e)
{
	FCGX_Request request;

	if (prepare(listen_fd, &request, e) < 0 || app->open(app->user, e) < 0)
		return -1;
	for (uint64_t served = 0; served < requests && accept_request(&request); served++) {
		struct web_io io = { .user = &request,
				     .environment = request.envp,
				     .read = fcgi_read,
				     .write = fcgi_write };
		(void)alarm(SERVER_REQUEST_S); /* ends the process, as nothing catches it */
		app->serve(app->user, &io);
		FCGX_Finish_r(&request);
		FCGX_Free(&request, 1);
		(void)alarm(0);
		status_count_request(app->status);
	}
	app->close(app->user);
	return 0;
}

static ssize_t cgi_read(void *user, void *buffer, size_t length)
{
	(void)user;
	return read(STDIN_FILENO, buffer, length);
}

static int cgi_write(void *user, const void *data, size_t length)
{
	(void)user;
	for (size_t done = 0; done < length;) {
		ssize_t wrote = write(STDOUT_FILENO, (const char *)data + done, length - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -1;
		done += (size_t)wrote;
	}
	return 0;
}

int worker_run_cgi(const struct server_app *app, struct err *e)
{
	struct web_io io = { .environment = environ, .read = cgi_read, .write = cgi_write };

	(void)signal(SIGPIPE, SIG_IGN);
	if (app->open(app->user, e) < 0)
		return -1;
	app->serve(app->user, &io);
	app->close(app->user);
	return 0;
}
