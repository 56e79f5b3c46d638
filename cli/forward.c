/* forward: a port of the sandbox on this machine's loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"
#include "tunnel.h"

enum { PORT_MAX = 65535, CONNECTIONS_MAX = 100, WAITING_MAX = 128 };

struct ports {
	uint64_t here, there;
};

static atomic_int connections;

/* Reads "3000" or "8080:3000" (local, remote); local port 0 means any free one. */
static int read_ports(const char *word, struct ports *ret_ports, struct err *e)
{
	const char *colon = strchr(word, ':');
	CLEANUP(cleanup_free)
	char *first = mem_strndup(word, colon ? (size_t)(colon - word) : strlen(word));

	if (!parse_u64(colon ? colon + 1 : word, 1, PORT_MAX, &ret_ports->there) ||
	    !parse_u64(first, colon ? 0 : 1, PORT_MAX, &ret_ports->here))
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is no port, nor two, as 3000 or 8080:3000 (here:there)",
			       word);
	return 0;
}

static int listen_here(struct ports *ports, int *ret_fd, struct err *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((uint16_t)ports->here) };
	socklen_t size = sizeof(at);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, WAITING_MAX) < 0 || getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
		(void)err_set(e, ERR_CONFLICT, "PORT_IN_USE",
			      "port %u of this machine: %s. Choose another one: %u:%u",
			      (unsigned)ports->here, strerror(errno), 10000,
			      (unsigned)ports->there);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	ports->here = ntohs(at.sin_port);
	*ret_fd = fd;
	return 0;
}

/* ---- one connection -------------------------------------------------------------------------- */

struct connection {
	struct tunnels *tunnels;
	unsigned port;
	int fd;
};

static void *serve(void *data)
{
	struct connection *c = data;
	struct err e = { 0 };

	if (tunnel_run(c->tunnels, c->port, c->fd, &e) < 0 && strcmp(e.code, "CLOSED_HERE") != 0) {
		CLEANUP(cleanup_free) char *message = output_printable(e.message);
		(void)fprintf(stderr, "fsa: port %u: %s\n", c->port, message);
	}
	(void)close(c->fd);
	free(c);
	(void)atomic_fetch_sub(&connections, 1);
	return NULL;
}

static void accept_one(struct tunnels *tunnels, unsigned port, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pthread_t thread;

	if (fd < 0)
		return;
	struct connection *c = mem_calloc(1, sizeof(*c));
	*c = (struct connection) { .tunnels = tunnels, .port = port, .fd = fd };
	if (atomic_fetch_add(&connections, 1) < CONNECTIONS_MAX &&
	    pthread_create(&thread, NULL, serve, c) == 0) {
		(void)pthread_detach(thread);
		return;
	}
	(void)atomic_fetch_sub(&connections, 1);
	(void)fprintf(stderr, "fsa: refused: there are %d connections already\n", CONNECTIONS_MAX);
	(void)close(fd);
	free(c);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void report_ready(const struct call *call, const struct ports *ports, const json_t *project)
{
	CLEANUP(cleanup_free) char *name = output_printable(project_name(project));
	CLEANUP(json_decrefp)
	json_t *ready = json_pack("{s:s, s:I, s:I}", "address", "127.0.0.1", "port",
				  (json_int_t)ports->here, "sandboxPort", (json_int_t)ports->there);

	if (call->options[OPTION_JSON] != NULL)
		output_value_line(ready);
	else
		(void)printf("127.0.0.1:%u is port %u of %s until you press Ctrl-C\n",
			     (unsigned)ports->here, (unsigned)ports->there, name);
	(void)fflush(stdout);
}

/* Accepts connections until a signal comes. */
static void accept_all(struct tunnels *tunnels, unsigned port, int listener, int signals)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };

	while (poll(fds, ARRAY_SIZE(fds), -1) >= 0 || errno == EINTR) {
		if (fds[1].revents != 0)
			return;
		if (fds[0].revents != 0)
			accept_one(tunnels, port, listener);
	}
}

static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int command_forward(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };
	struct ports ports;
	int listener;

	if (read_ports(call->arguments[1], &ports, e) < 0 || call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    sandbox_open(&site, project, "ports", &sandbox, e) < 0 ||
	    listen_here(&ports, &listener, e) < 0)
		return -1;
	struct tunnels tunnels = { .mutex = PTHREAD_MUTEX_INITIALIZER,
				   .sandbox = &sandbox,
				   .renewed_ms = clock_ms() };
	int signals = block_signals();
	report_ready(call, &ports, project);
	accept_all(&tunnels, (unsigned)ports.there, listener, signals);
	/* Open connections end with the program, before what they use is freed. */
	(void)fflush(stdout);
	_exit(EXIT_SUCCESS);
}
