/* kubesim: a small Kubernetes API server in memory, which fails on demand. See docs/kubesim.md. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/token.h"
#include "http.h"
#include "kubeblocks.h"

enum { FILE_MAX = 1 << 20 };

struct options {
	const char *address, *port, *certificate, *key, *authority, *admin, *seed;
	struct settings settings;
};

enum { OPTION_TEXT, OPTION_DURATION, OPTION_BOOL, OPTION_KUBEBLOCKS };

struct option_row {
	const char *name;
	int type;
	void *value;
	const char *help;
};

enum { OPTION_COUNT = 16 };

static void list_options(struct options *o, struct option_row rows[OPTION_COUNT])
{
	struct settings *s = &o->settings;
	const struct option_row all[OPTION_COUNT] = {
		{ "address", OPTION_TEXT, &o->address, "IPv4 address to listen on" },
		{ "port", OPTION_TEXT, &o->port, "port, 0 for a free one" },
		{ "tls-cert", OPTION_TEXT, &o->certificate, "the server's certificate (PEM)" },
		{ "tls-key", OPTION_TEXT, &o->key, "its key (PEM)" },
		{ "client-ca", OPTION_TEXT, &o->authority, "who signs clients' certificates" },
		{ "admin", OPTION_TEXT, &o->admin, "unix socket of the admin interface" },
		{ "seed", OPTION_TEXT, &o->seed, "of all that is random" },
		{ "ready-after", OPTION_DURATION, &s->ready_after_ms, "of a pod" },
		{ "gone-after", OPTION_DURATION, &s->gone_after_ms, "of a deleted pod" },
		{ "backoff", OPTION_DURATION, &s->backoff_ms, "of a crashing container" },
		{ "react-after", OPTION_DURATION, &s->react_after_ms, "of KubeBlocks" },
		{ "creating", OPTION_DURATION, &s->creating_ms, "least time in this phase" },
		{ "updating", OPTION_DURATION, &s->updating_ms, "least time in this phase" },
		{ "stopping", OPTION_DURATION, &s->stopping_ms, "least time in this phase" },
		{ "kubeblocks", OPTION_KUBEBLOCKS, &s->kubeblocks, "0.8, 0.9, 1.0 or none" },
		{ "kubelet", OPTION_BOOL, &s->has_kubelet, "yes: a kubelet runs the pods" },
	};

	memcpy(rows, all, sizeof(all));
}

static int usage(const struct option_row rows[OPTION_COUNT])
{
	fputs("usage: kubesim --tls-cert FILE --tls-key FILE --client-ca FILE --admin SOCKET "
	      "[options]\n",
	      stderr);
	for (int i = 0; i < OPTION_COUNT; i++)
		fprintf(stderr, "  --%-12s %s\n", rows[i].name, rows[i].help);
	return 2;
}

static bool parse_yes(const char *value, bool *ret_yes)
{
	*ret_yes = strcmp(value, "yes") == 0;
	return *ret_yes || strcmp(value, "no") == 0;
}

static bool parse_kubeblocks(const char *value, const struct kubeblocks **ret_installed)
{
	*ret_installed = kubeblocks_find(value);
	return *ret_installed != NULL || strcmp(value, "none") == 0;
}

static bool set_option(const struct option_row *row, const char *value)
{
	if (row->type == OPTION_DURATION)
		return parse_duration_ms(value, row->value);
	if (row->type == OPTION_BOOL)
		return parse_yes(value, row->value);
	if (row->type == OPTION_KUBEBLOCKS)
		return parse_kubeblocks(value, row->value);
	*(const char **)row->value = value;
	return true;
}

static bool read_options(int argc, char **argv, const struct option_row rows[OPTION_COUNT])
{
	struct option known[OPTION_COUNT + 1] = { 0 };
	int at, c;

	for (int i = 0; i < OPTION_COUNT; i++)
		known[i] = (struct option) { rows[i].name, required_argument, NULL, 0 };
	while ((c = getopt_long(argc, argv, "", known, &at)) == 0) {
		if (!set_option(&rows[at], optarg))
			return false;
	}
	return c == -1 && optind == argc;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int soonest(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void run(struct sim *sim, struct http *http, struct admin *admin, int signals)
{
	for (;;) {
		int http_wait = http_wait_ms(http), admin_wait = admin_wait_ms(admin);
		int wait = timers_wait(sim->timers, clock_ms());
		wait = soonest(wait, soonest(http_wait, admin_wait));
		struct pollfd fds[] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = admin_epoll_fd(admin), .events = POLLIN },
			{ .fd = http_epoll_fd(http), .events = POLLIN }, /* poll() ignores -1 */
		};
		if (poll(fds, ARRAY_SIZE(fds), wait) < 0 && errno != EINTR)
			return;
		if (fds[0].revents != 0)
			return;
		timers_run(sim->timers, clock_ms());
		/* Timers, too, may have resumed a connection. */
		http_run(http);
		if (fds[1].revents != 0 || admin_wait >= 0)
			admin_run(admin);
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void cleanup_http(struct http **h)
{
	http_free(*h);
}

static void cleanup_admin(struct admin **a)
{
	admin_free(*a);
}

static void cleanup_sim(struct sim **s)
{
	sim_free(*s);
}

static int serve(const struct options *o, struct err *e)
{
	CLEANUP(buf_release) struct buf certificate = BUF_INIT(FILE_MAX);
	CLEANUP(buf_wipe) struct buf key = BUF_INIT(FILE_MAX);
	CLEANUP(buf_release) struct buf authority = BUF_INIT(FILE_MAX);
	CLEANUP(cleanup_sim) struct sim *sim = NULL;
	CLEANUP(cleanup_http) struct http *http = NULL;
	CLEANUP(cleanup_admin) struct admin *admin = NULL;
	CLEANUP(cleanup_close) int signals = -1;
	uint64_t port, seed;

	if (!parse_u64(o->port, 0, 65535, &port) || !parse_u64(o->seed, 0, UINT64_MAX, &seed))
		return err_set(e, ERR_INVALID, NULL, "--port and --seed are numbers");
	if (buf_read_file(&certificate, o->certificate, e) < 0 ||
	    buf_read_file(&key, o->key, e) < 0 || buf_read_file(&authority, o->authority, e) < 0)
		return -1;
	signals = open_signals();
	sim = sim_new(&o->settings, seed);
	http = http_new(sim, &(struct http_options) { o->address, (uint16_t)port, certificate.data,
						      key.data, authority.data });
	if (http_start(http, e) < 0 || admin_new(sim, http, o->admin, &admin, e) < 0)
		return -1;
	log_line(LOG_LEVEL_INFO, "kubesim is serving", LOG_INT("port", http_port(http)),
		 LOG_STR("seed", o->seed));
	run(sim, http, admin, signals);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.address = "127.0.0.1",
		.port = "0",
		.seed = "1",
		.settings = {
			.ready_after_ms = 300,
			.gone_after_ms = 300,
			.backoff_ms = 2000,
			.react_after_ms = 100,
			.creating_ms = 1000,
			.updating_ms = 1000,
			.stopping_ms = 1000,
			.kubeblocks = kubeblocks_find("0.8"),
		},
	};
	struct option_row rows[OPTION_COUNT];
	struct err e;

	mem_init_libraries();
	crypto_init();
	list_options(&o, rows);
	if (!read_options(argc, argv, rows) || o.certificate == NULL || o.key == NULL ||
	    o.authority == NULL || o.admin == NULL)
		return usage(rows);
	if (serve(&o, &e) < 0) {
		log_err(LOG_LEVEL_ERROR, "kubesim stopped", &e);
		return 1;
	}
	return 0;
}
