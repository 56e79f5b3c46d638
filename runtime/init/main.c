/* sandbox-init: the sandbox's process 1. Starts the services, reaps orphans, and ends when a
 * service does, so that the container is restarted. Until a program of the sandbox binds the app's
 * port, it serves a placeholder page there; then it gives up the port. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind_filter.h"
#include "placeholder.h"

enum { SERVICES = 4, PAGE_MAX = 16384, TICK_MS = 1000 };

struct service {
	char **argv;
	pid_t pid;   /* 0: not running */
	int bind_fd; /* reports binds; -1: they are not reported */
};

struct sandbox {
	uint16_t port;
	struct placeholder *placeholder; /* NULL: none */
	struct service services[SERVICES];
	size_t count;
	bool ending; /* because it was asked to */
	int result;
};

#define USAGE "usage: sandbox-init --port PORT --page FILE -- COMMAND... [-- COMMAND...]...\n"

static void fail(const char *what)
{
	dprintf(STDERR_FILENO, "sandbox-init: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- handing a descriptor from a child to its parent --------------------------------------- */

union control {
	char buffer[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void send_fd(int socket, int fd)
{
	union control control = { .buffer = { 0 } };
	char nothing = 0;
	struct iovec byte = { &nothing, 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.buffer;
		message.msg_controllen = sizeof(control.buffer);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	if (sendmsg(socket, &message, 0) < 0)
		_exit(127);
}

static int receive_fd(int socket)
{
	union control control;
	char byte;
	int fd = -1;
	struct iovec to = { &byte, 1 };
	struct msghdr message = { .msg_iov = &to,
				  .msg_iovlen = 1,
				  .msg_control = control.buffer,
				  .msg_controllen = sizeof(control.buffer) };

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* ---- services ------------------------------------------------------------------------------ */

static void become_service(char *const *argv, int socket)
{
	const char *program = *argv != NULL ? *argv : "";
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	send_fd(socket, bind_filter_install());
	execvp(program, argv);
	dprintf(STDERR_FILENO, "sandbox-init: %s: %s\n", program, strerror(errno));
	_exit(127);
}

static void start_service(struct service *s)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		fail("socketpair");
	s->pid = fork();
	if (s->pid < 0)
		fail("fork");
	if (s->pid == 0)
		become_service(s->argv, pair[1]);
	close(pair[1]);
	s->bind_fd = receive_fd(pair[0]);
	close(pair[0]);
}

/* As process 1, ends all processes of the sandbox, including those of its shells; otherwise only
 * the services. */
static void end_services(struct sandbox *b)
{
	if (getpid() == 1) {
		kill(-1, SIGTERM);
		kill(-1, SIGHUP); /* interactive shells ignore SIGTERM */
		return;
	}
	for (size_t i = 0; i < b->count; i++)
		if (b->services[i].pid > 0)
			kill(b->services[i].pid, SIGTERM);
}

static void note_end(struct sandbox *b, pid_t pid, int status)
{
	for (size_t i = 0; i < b->count; i++) {
		struct service *s = &b->services[i];
		if (s->pid != pid)
			continue;
		s->pid = 0;
		if (b->ending)
			return;
		dprintf(STDERR_FILENO, "sandbox-init: %s has ended with %s %d\n", s->argv[0],
			WIFSIGNALED(status) ? "signal" : "code",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		b->ending = true;
		b->result = 1;
		end_services(b);
	}
}

static void handle_signals(struct sandbox *b, int fd)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD || b->ending)
			continue;
		b->ending = true;
		end_services(b);
	}
	/* Also reaps processes that the services have left: the kernel makes them children of
	 * process 1. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(b, pid, status);
}

static bool any_runs(const struct sandbox *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->services[i].pid > 0)
			return true;
	return false;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void note_bind(uint16_t port, void *context)
{
	struct sandbox *b = context;

	if (port == b->port && b->placeholder != NULL)
		placeholder_yield(b->placeholder);
}

static void serve_binds(struct sandbox *b, const struct pollfd *polls)
{
	for (size_t i = 0; i < b->count; i++) {
		struct service *s = &b->services[i];
		if (polls[i].revents & POLLIN)
			bind_filter_serve(s->bind_fd, note_bind, b);
		/* the last process that had it has ended */
		if (polls[i].revents & (POLLHUP | POLLERR)) {
			close(s->bind_fd);
			s->bind_fd = -1;
		}
	}
}

static void run(struct sandbox *b, int signals)
{
	struct pollfd polls[1 + SERVICES + PLACEHOLDER_POLLS];

	while (any_runs(b)) {
		size_t first = 1 + b->count, more = 0;
		polls[0] = (struct pollfd) { signals, POLLIN, 0 };
		for (size_t i = 0; i < b->count; i++)
			polls[1 + i] = (struct pollfd) { b->services[i].bind_fd, POLLIN, 0 };
		if (b->placeholder != NULL)
			more = placeholder_polls(b->placeholder, polls + first);
		poll(polls, first + more, TICK_MS);
		if (b->placeholder != NULL)
			placeholder_run(b->placeholder, polls + first, more);
		serve_binds(b, polls + 1);
		handle_signals(b, signals);
	}
}

/* ---- the start ----------------------------------------------------------------------------- */

static char *read_page(const char *path, size_t *length)
{
	static char page[PAGE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, page, sizeof(page));

	if (got < 0)
		fail(path);
	close(fd);
	*length = (size_t)got;
	return page;
}

static int watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd");
	return fd;
}

/* Services are separated by "--"; getopt has consumed the first. */
static size_t split_services(char **argv, struct service *services)
{
	size_t count = 0;

	while (*argv != NULL) {
		if (count == SERVICES || strcmp(*argv, "--") == 0)
			return 0;
		services[count++] = (struct service) { .argv = argv, .bind_fd = -1 };
		while (*argv != NULL && strcmp(*argv, "--") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return count;
}

static const char *parse(int argc, char **argv, struct sandbox *b)
{
	static const struct option options[] = { { "port", required_argument, NULL, 'p' },
						 { "page", required_argument, NULL, 'f' },
						 { 0 } };
	const char *page = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'p')
			b->port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			page = optarg;
		else
			return NULL;
	}
	b->count = split_services(argv + optind, b->services);
	return b->port != 0 && b->count > 0 ? page : NULL;
}

/* If binds are not reported, the page could not make way for a program, so there is none. */
static bool tells_binds(const struct sandbox *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->services[i].bind_fd < 0)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct sandbox b = { 0 };
	const char *path = parse(argc, argv, &b);
	size_t length;
	char *page;
	int signals;

	if (path == NULL) {
		dprintf(STDERR_FILENO, USAGE);
		return 2;
	}
	page = read_page(path, &length);
	signals = watch_signals();
	for (size_t i = 0; i < b.count; i++)
		start_service(&b.services[i]);
	if (tells_binds(&b))
		b.placeholder = placeholder_new(b.port, page, length);
	else
		dprintf(STDERR_FILENO, "sandbox-init: no seccomp notification here: the app's port "
				       "stays closed until the app listens\n");
	run(&b, signals);
	return b.result;
}
