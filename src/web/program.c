#include "web/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/parse.h"
#include "config.h"
#include "crypto/token.h"
#include "db/db.h"
#include "web/csrf.h"
#include "web/router.h"
#include "web/server.h"

enum { WORKERS_MIN = 6, WORKERS_MAX = 1024, REQUESTS_DEFAULT = 10000 };

struct running {
	const struct program *program;
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

static int configure(struct running *r, const char *path, struct err *e)
{
	if (conf_load(path, &r->conf, e) < 0)
		return -1;
	const char *url = conf_string(r->conf, CONF_PUBLIC_URL);
	if (csrf_origin(url, &r->public_origin, e) < 0)
		return err_wrap(e, "public_url");
	log_set_level_name(conf_string(r->conf, CONF_LOG_LEVEL));
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
		.seal = r->program->seal,
		.unseal = r->program->unseal,
	};
	return 0;
}

static void begin_to_count(const struct running *r)
{
	struct err e;

	if (metric_open(conf_string(r->conf, CONF_METRICS_DIR), r->program->name, &e) < 0)
		log_err(LOG_LEVEL_WARNING, "nothing is counted", &e);
}

static int run(const struct program *program, const char *config_path,
	       const struct server_options *options)
{
	struct err e;
	struct running r = { .program = program };
	const struct server_app app = {
		.open = open_worker, .serve = serve, .close = close_worker, .user = &r
	};

	mem_init_libraries();
	crypto_init();
	int result = configure(&r, config_path, &e);
	if (result == 0) {
		begin_to_count(&r);
		result = server_run(options, &app, &e);
	}
	if (result < 0)
		log_err(LOG_LEVEL_ERROR, program->name, &e);
	free(r.public_origin);
	conf_free(r.conf);
	metric_close();
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* They wait for PostgreSQL and for nginx in between; docs/benchmarks.md has the figures. */
static unsigned default_workers(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors * 3 > WORKERS_MIN ? (unsigned)processors * 3 : WORKERS_MIN;
}

static void print_help(const char *name, FILE *out)
{
	(void)fprintf(out,
		      "Usage: %s [--config FILE] [--socket PATH] [--workers N] [--requests N]\n"
		      "       %s --routes | --version | --help\n",
		      name, name);
}

static int usage(const char *name)
{
	print_help(name, stderr);
	return 2;
}

int program_main(const struct program *program, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "requests", required_argument, NULL, 'r' },
		{ "routes", no_argument, NULL, 'R' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = getenv("FSA_CONFIG");
	struct server_options server = { .requests = REQUESTS_DEFAULT };
	uint64_t workers = default_workers();
	bool valid = true;
	int option;

	if (config_path == NULL)
		config_path = FSA_SYSCONFDIR "/fsa.conf";
	if (getenv("GATEWAY_INTERFACE") != NULL)
		argc = 1;
	while (valid && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 's':
			server.socket_path = optarg;
			break;
		case 'w':
			valid = parse_u64(optarg, 1, WORKERS_MAX, &workers);
			break;
		case 'r':
			valid = parse_u64(optarg, 1, UINT32_MAX, &server.requests);
			break;
		case 'R':
			routes_print(program->routes, stdout);
			return EXIT_SUCCESS;
		case 'V':
			printf("%s %s\n", program->name, PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_help(program->name, stdout);
			return EXIT_SUCCESS;
		default:
			valid = false;
		}
	}
	if (!valid || optind < argc)
		return usage(program->name);
	server.workers = (unsigned)workers;
	return run(program, config_path, &server);
}
