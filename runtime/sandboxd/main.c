/* sandboxd: the server at a sandbox's address. It passes clients with the terminal's token on to
 * ttyd; with the site's tokens, clients run commands, read and write files, and observe the
 * sandbox. Its API is in openapi.yaml. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/app.h"
#include "sandboxd/conn.h"
#include "sandboxd/gate.h"
#include "sandboxd/handlers.h"
#include "sandboxd/helper.h"
#include "sandboxd/import.h"
#include "sandboxd/place.h"
#include "sandboxd/process.h"
#include "sandboxd/terminal.h"
#include "sandboxd/token.h"
#include "sandboxd/upload.h"

enum { BACKLOG = 256, ACCEPTS = 64, DESCRIPTORS = 4096, TTYD_POLL_MS = 20, SECRET_MAX = 1024 };

#define SECRET "TTYD_ACCESS_TOKEN"
#define USAGE                                                                                      \
	"usage: sandboxd --port PORT [--address ADDRESS] --run DIRECTORY [--no-terminal]\n"        \
	"       [--tools DIRECTORY]     of bash, tar, chmod and rm, where they are not the "       \
	"image's\n"                                                                                \
	"       [--import PROGRAM]      which fetches the project's repository\n"                  \
	"       [--app]                 starts the app, if there is a command for it\n"            \
	"The environment has HOME, and " SECRET " unless standard input has its value.\n"

struct options {
	const char *address, *run, *tools, *import;
	uint64_t port;
	bool no_terminal, app;
};

static struct watch listener, signal_watch;

static void fail(const char *what)
{
	dprintf(STDERR_FILENO, "sandboxd: %s: %s\n", what, strerror(errno));
	exit(1);
}

int health_read(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	(void)e;
	conn_json(c, 200, json_pack("{s:s, s:i}", "status", "ok", "version", 1));
	return 0;
}

static void accept_some(struct watch *w, uint32_t events)
{
	(void)events;
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		conn_open(fd);
	}
}

/* ---- the start ----------------------------------------------------------------------------- */

/* One socket for both families, or IPv4 only if there is no IPv6. */
static int listen_at(const struct options *o)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)o->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	bool is_four = o->address != NULL && inet_pton(AF_INET, o->address, &four.sin_addr) == 1;
	int fd = is_four ? -1 : socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool bound;

	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int) { 0 }, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
		bound = bind(fd, (struct sockaddr *)&six, sizeof(six)) == 0;
	} else {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
		bound = bind(fd, (struct sockaddr *)&four, sizeof(four)) == 0;
	}
	if (!bound || listen(fd, BACKLOG) != 0)
		fail("listening");
	return fd;
}

/* Opens the port once the terminal can be used: this is the readiness probe. */
static void await_terminal(const char *path)
{
	const struct timespec pause = { .tv_nsec = TTYD_POLL_MS * 1000000L };

	while (access(path, F_OK) != 0)
		nanosleep(&pause, NULL);
	terminal_init(path);
}

static void take_signal(struct watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	process_kill_all();
	loop_end();
}

static void watch_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_watch = (struct watch) { .fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
					.ready = take_signal };
	watch_for(&signal_watch, EPOLLIN);
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = { { "port", required_argument, NULL, 'p' },
					       { "address", required_argument, NULL, 'a' },
					       { "run", required_argument, NULL, 'r' },
					       { "tools", required_argument, NULL, 't' },
					       { "import", required_argument, NULL, 'i' },
					       { "no-terminal", no_argument, NULL, 'n' },
					       { "app", no_argument, NULL, 'A' },
					       { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == '?' || (option == 'p' && !parse_u64(optarg, 0, 65535, &o->port)))
			return false;
		if (option == 'a')
			o->address = optarg;
		if (option == 'r')
			o->run = optarg;
		if (option == 't')
			o->tools = optarg;
		if (option == 'i')
			o->import = optarg;
		o->no_terminal |= option == 'n';
		o->app |= option == 'A';
	}
	return o->run != NULL && optind == argc;
}

/* Reads the secret from the first line of standard input, and then replaces that by /dev/null. */
static void read_secret(char *secret, size_t size)
{
	size_t length = 0;
	ssize_t got;
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (length < size - 1 &&
	       (got = read(STDIN_FILENO, secret + length, size - 1 - length)) > 0)
		length += (size_t)got;
	secret[length] = '\0';
	secret[strcspn(secret, "\n")] = '\0';
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		fail("/dev/null");
	close(nothing);
}

/* Keeps the secret from children, and other processes cannot read it from this one. If it comes by
 * standard input, it is in no environment either. */
static void take_secret(void)
{
	char secret[SECRET_MAX] = "";
	char *variable = getenv(SECRET);

	prctl(PR_SET_DUMPABLE, 0);
	if (variable == NULL) {
		read_secret(secret, sizeof(secret));
	} else {
		(void)snprintf(secret, sizeof(secret), "%s", variable);
		explicit_bzero(variable, strlen(variable));
		unsetenv(SECRET);
	}
	if (*secret == '\0' || getenv("HOME") == NULL) {
		dprintf(STDERR_FILENO, "sandboxd: %s or HOME is not set\n", SECRET);
		exit(1);
	}
	token_init(secret);
	explicit_bzero(secret, sizeof(secret));
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_cur < DESCRIPTORS)
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Prints the port, for callers that asked for any free one. */
static void say_port(void)
{
	struct sockaddr_in6 bound = { 0 };
	socklen_t length = sizeof(bound);

	if (getsockname(listener.fd, (struct sockaddr *)&bound, &length) == 0)
		dprintf(STDOUT_FILENO, "sandboxd: port %d\n", ntohs(bound.sin6_port));
}

int main(int argc, char **argv)
{
	struct options o = { .port = 7681 };

	if (!parse(argc, argv, &o)) {
		dprintf(STDERR_FILENO, USAGE);
		return 2;
	}
	mem_init_libraries();
	take_secret();
	raise_limits();
	place_init(getenv("HOME"), o.run);
	logs_init(o.run);
	gate_init(getenv("FSA_SITE"));
	if (o.tools != NULL) {
		start_init(o.tools);
		helper_init(o.tools);
	}
	unpack_init();
	if (!o.no_terminal) {
		char *path = mem_printf("%s/ttyd.sock", o.run);
		await_terminal(path);
		free(path);
	}
	loop_init();
	watch_signals();
	uploads_init();
	listener = (struct watch) { .fd = listen_at(&o), .ready = accept_some };
	watch_for(&listener, EPOLLIN);
	say_port();
	if (o.import != NULL)
		import_start(o.import);
	app_init(o.app);
	loop_run();
	return 0;
}
