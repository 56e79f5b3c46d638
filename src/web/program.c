#include "web/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/command_line.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/notify.h"
#include "base/parse.h"
#include "config.h"
#include "crypto/token.h"
#include "db/db.h"
#include "web/csrf.h"
#include "web/router.h"
#include "web/server.h"
#include "web/status.h"

enum { WORKERS_MIN = 6, WORKERS_MAX = 1024, REQUESTS_DEFAULT = 10000 };

struct running {
	const struct program *program;
	const char *config_path;
	struct conf *conf;
	char *public_origin;
	struct router router;
};

static int open_worker(void *user, struct err *e)
{
	struct running *r = user;
	struct router *router = &r->router;
	struct db_options options = {
		.conninfo = conf_string(r->conf, CONF_DATABASE),
		.role = r->program->role,
		.application_name = r->program->name,
		.prepare = conf_bool(r->conf, CONF_DATABASE_PREPARE),
		.timeout_ms = conf_number(r->conf, CONF_DATABASE_TIMEOUT),
	};

	if (r->program->open != NULL && r->program->open(r->conf, &router->context, e) < 0)
		return -1;
	router->db = db_new(&options);
	return 0;
}

static void serve(void *user, const struct web_io *io)
{
	const struct running *r = user;

	router_serve(&r->router, io);
}

static void close_worker(void *user)
{
	struct running *r = user;

	db_free(STEAL(r->router.db));
	if (r->program->close != NULL)
		r->program->close(STEAL(r->router.context));
}

static void running_clear(struct running *r)
{
	free(r->public_origin);
	conf_free(r->conf);
}

/* Tries to open what the program itself needs, such as the files that the configuration names, as a
 * worker will. */
static int try_open(const struct running *r, struct err *e)
{
	void *context = NULL;
	int result = 0;

	if (r->program->open != NULL)
		result = r->program->open(r->conf, &context, e);
	if (r->program->close != NULL && context != NULL)
		r->program->close(context);
	return result;
}

static void fill_router(struct running *r)
{
	r->router = (struct router) {
		.routes = r->program->routes,
		.takes_api_tokens = r->program->takes_api_tokens,
		.development = strcmp(conf_string(r->conf, CONF_MODE), "development") == 0,
		.secure = strncmp(r->public_origin, "https:", 6) == 0,
		.framed = conf_string(r->conf, CONF_FRAME_ANCESTORS) != NULL,
		.public_origin = r->public_origin,
		.wake_file = conf_string(r->conf, CONF_WAKE_FILE),
		.session_idle_ms = conf_number(r->conf, CONF_SESSION_IDLE),
		.idempotency_ttl_ms = conf_number(r->conf, CONF_IDEMPOTENCY_TTL),
		.budget = { .burst = conf_number(r->conf, CONF_CHANGES_BURST),
			    .per_minute = conf_number(r->conf, CONF_CHANGES_PER_MINUTE) },
		.seal = r->program->seal,
		.unseal = r->program->unseal,
	};
}

static int configure(struct running *r, struct err *e)
{
	if (conf_load_logged(r->config_path, &r->conf, e) < 0)
		return -1;
	const char *url = conf_string(r->conf, CONF_PUBLIC_URL);
	if (csrf_origin(url, &r->public_origin, e) < 0)
		return err_wrap(e, "public_url");
	fill_router(r);
	return try_open(r, e);
}

/* In the master: workers have their own copies, and serve with these until they end. */
static int reload(void *user, struct err *e)
{
	struct running *r = user;
	struct running fresh = { .program = r->program, .config_path = r->config_path };

	if (configure(&fresh, e) < 0) {
		running_clear(&fresh);
		return -1;
	}
	const char *late = conf_needs_restart(r->conf, fresh.conf);
	if (late != NULL)
		log_line(LOG_LEVEL_WARNING, "takes effect after a restart",
			 LOG_STR("option", late));
	log_set_level_name(conf_string(fresh.conf, CONF_LOG_LEVEL));
	running_clear(r);
	*r = fresh;
	return 0;
}

static void begin_to_count(const struct running *r)
{
	struct err e;

	if (metric_open(conf_string(r->conf, CONF_METRICS_DIR), r->program->name, &e) < 0)
		log_err(LOG_LEVEL_WARNING, "metrics are not recorded", &e);
}

static int serve_by(struct running *r, const struct server_options *options, struct err *e)
{
	const struct server_app app = {
		.reload = reload,
		.open = open_worker,
		.serve = serve,
		.close = close_worker,
		.user = r,
		.status = status_new(),
	};

	begin_to_count(r);
	int result = server_run(options, &app, e);
	metric_close();
	return result;
}

/* A person has to correct an invalid configuration: systemd does not restart a program that ends
 * with EX_CONFIG. */
static int run(const struct program *program, const char *config_path, bool only_check,
	       const struct server_options *options)
{
	struct err e;
	struct running r = { .program = program, .config_path = config_path };
	int status = EXIT_SUCCESS;

	mem_init_libraries();
	crypto_init();
	if (configure(&r, &e) < 0) {
		status = EX_CONFIG;
		if (!only_check)
			notify_status("cannot start: %s", e.message);
	} else if (!only_check) {
		log_set_level_name(conf_string(r.conf, CONF_LOG_LEVEL));
		if (serve_by(&r, options, &e) < 0)
			status = EXIT_FAILURE;
	}
	if (status != EXIT_SUCCESS)
		log_err(LOG_LEVEL_ERROR, program->name, &e);
	running_clear(&r);
	return status;
}

/* Workers wait for PostgreSQL and nginx in between; docs/benchmarks.md has the figures. */
static unsigned default_workers(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors * 3 > WORKERS_MIN ? (unsigned)processors * 3 : WORKERS_MIN;
}

/* The options that a program was started with. */
struct arguments {
	const char *config, *socket, *workers, *requests; /* NULL: not given */
	bool check, routes;
};

/* Returns false if the program must exit with `*ret_exit`. */
static bool read_arguments(const char *name, int argc, char **argv, struct arguments *a,
			   int *ret_exit)
{
	CLEANUP(cleanup_free)
	char *usage = mem_printf(
		"Usage: %s [--config FILE] [--socket PATH] [--workers N] [--requests N]\n"
		"       %s --check [--config FILE]\n"
		"       %s --routes | --version | --help\n",
		name, name, name);
	const struct command_line_option options[] = {
		{ "config", .ret_argument = &a->config },
		{ "socket", .ret_argument = &a->socket },
		{ "workers", .ret_argument = &a->workers },
		{ "requests", .ret_argument = &a->requests },
		{ "check", .ret_given = &a->check },
		{ "routes", .ret_given = &a->routes },
		{ .name = NULL },
	};

	return command_line_read(&(struct command_line) { name, usage, options }, argc, argv,
				 ret_exit);
}

/* Leaves `*number` unchanged if the option was not given. */
static bool read_number(const char *option, const char *text, uint64_t max, uint64_t *number)
{
	if (text == NULL || parse_u64(text, 1, max, number))
		return true;
	(void)fprintf(stderr, "--%s: \"%s\" is not a number from 1 to %" PRIu64 "\n", option, text,
		      max);
	return false;
}

int program_main(const struct program *program, int argc, char **argv)
{
	struct arguments a = { .config = getenv("FSA_CONFIG") };
	struct server_options server = { .requests = REQUESTS_DEFAULT };
	uint64_t workers = default_workers();
	int status;

	if (getenv("GATEWAY_INTERFACE") != NULL)
		argc = 1;
	if (!read_arguments(program->name, argc, argv, &a, &status))
		return status;
	if (!read_number("workers", a.workers, WORKERS_MAX, &workers) ||
	    !read_number("requests", a.requests, UINT32_MAX, &server.requests))
		return EX_USAGE;
	if (a.routes) {
		routes_print(program->routes, stdout);
		return EXIT_SUCCESS;
	}
	server.socket_path = a.socket;
	server.workers = (unsigned)workers;
	return run(program, a.config != NULL ? a.config : FSA_SYSCONFDIR "/fsa.conf", a.check,
		   &server);
}
