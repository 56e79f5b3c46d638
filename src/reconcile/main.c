/* fsa-reconcile(8): makes the clusters match what PostgreSQL says is desired. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/command_line.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/notify.h"
#include "base/parse.h"
#include "crypto/token.h"
#include "db/migrate.h"
#include "reconcile/last_conf.h"
#include "reconcile/pass.h"
#include "reconcile/shards.h"
#include "store/operator.h"
#include "store/queue.h"

static const char usage[] =
	"Usage: fsa-reconcile [--config FILE] [--every DURATION]\n"
	"\n"
	"Makes one pass over what is due and ends; with --every, pass after pass.\n"
	"\n"
	"  --config FILE      configuration (default: " FSA_SYSCONFDIR "/fsa.conf)\n"
	"  --every DURATION   stay, and begin a pass at least so often (3s); SIGTERM ends it\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, 1 failed, 64 usage, 75 PostgreSQL is away (try again), 78 "
	"configuration.\n";

enum { EVERY_MAX_MS = 3600000 };

struct options {
	const char *config;
	uint64_t every_ms; /* 0: one pass */
};

/* Returns false if the program must exit with `*ret_exit`. */
static bool parse_options(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	struct options o = { .config = FSA_SYSCONFDIR "/fsa.conf" };
	const char *every = NULL;
	const struct command_line_option rows[] = {
		{ "config", .ret_argument = &o.config },
		{ "every", .ret_argument = &every },
		{ .name = NULL },
	};

	if (!command_line_read(&(struct command_line) { "fsa-reconcile", usage, rows }, argc, argv,
			       ret_exit))
		return false;
	if (every != NULL && (!parse_duration_ms(every, &o.every_ms) || o.every_ms == 0 ||
			      o.every_ms > EVERY_MAX_MS)) {
		(void)fprintf(stderr, "--every: \"%s\" is not a duration up to 1h\n", every);
		*ret_exit = EX_USAGE;
		return false;
	}
	*ret_options = o;
	return true;
}

static void log_pass(const struct pass_summary *s)
{
	enum log_level level = s->claimed > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;

	log_line(level, "pass", LOG_INT("claimed", s->claimed), LOG_INT("recorded", s->recorded),
		 LOG_INT("changed", s->changed), LOG_INT("failed", s->failed),
		 LOG_INT("stale", s->stale), LOG_INT("released", s->released),
		 LOG_INT("requests", s->requests), LOG_INT("ms", s->elapsed_ms));
}

/* Done once per start: the properties of new sandboxes and databases follow this host's
 * fsa.conf. */
static int publish(struct reconciler *r, struct err *e)
{
	if (!r->published &&
	    (migrate_check(r->db, e) < 0 || operator_publish(r->db, r->conf, e) < 0))
		return err_wrap(e, "the options for new sandboxes");
	r->published = true;
	return 0;
}

static int pass(struct reconciler *r, struct pass_summary *ret_summary, struct err *e)
{
	*ret_summary = (struct pass_summary) { 0 };
	int result = publish(r, e) < 0 ? -1 : shards_run(r, ret_summary, e);

	log_pass(ret_summary);
	if (result < 0)
		log_err(LOG_LEVEL_ERROR, "pass failed", e);
	return result;
}

static void wait_for_next(struct reconciler *r, uint64_t every_ms, uint64_t due_ms)
{
	struct pollfd fd = { .fd = wake_fd(r->wake), .events = POLLIN };

	(void)poll(&fd, 1, (int)(due_ms < every_ms ? due_ms : every_ms));
	wake_drain(r->wake);
}

static int tidy_up(const struct reconciler *r, struct err *e)
{
	struct queue_retention keep = {
		.idempotency_ms = conf_number(r->conf, CONF_IDEMPOTENCY_TTL),
		.events_ms = conf_number(r->conf, CONF_EVENT_RETENTION),
		.audit_ms = conf_number(r->conf, CONF_AUDIT_RETENTION),
	};

	return queue_housekeeping(r->db, &keep, e);
}

/* A failed pass is logged and repeated: nothing is lost. */
static int run_until_stopped(struct reconciler *r, uint64_t every_ms)
{
	struct pass_summary summary;
	struct err e;

	while (!wake_stopping(r->wake)) {
		bool failed = pass(r, &summary, &e) < 0;
		if (!failed && tidy_up(r, &e) < 0)
			log_err(LOG_LEVEL_WARNING, "housekeeping failed", &e);
		if (!wake_stopping(r->wake))
			wait_for_next(r, every_ms, failed ? every_ms : summary.next_due_ms);
	}
	log_line(LOG_LEVEL_INFO, "stopped", LOG_STR("reason", "signal"));
	return EXIT_SUCCESS;
}

static int run_once(struct reconciler *r)
{
	struct pass_summary summary;
	struct err e;

	if (migrate_check(r->db, &e) < 0) {
		log_err(LOG_LEVEL_ERROR, "cannot work with this database", &e);
	} else if (pass(r, &summary, &e) == 0) {
		if (tidy_up(r, &e) == 0)
			return EXIT_SUCCESS;
		log_err(LOG_LEVEL_ERROR, "housekeeping failed", &e);
	}
	notify_status("failed, nothing is reconciled: %s", e.message);
	return e.kind == ERR_UNAVAILABLE ? EX_TEMPFAIL : EXIT_FAILURE;
}

static void reconciler_clear(struct reconciler *r)
{
	desired_context_clear(&r->desired);
	keyring_freep(&r->cluster_private);
	wake_free(r->wake);
	db_free(r->db);
	metric_close();
}

static int reconciler_init(struct reconciler *r, const struct conf *conf, struct err *e)
{
	struct err warning;
	bool watched = false;

	r->conf = conf;
	r->db = db_new(&(struct db_options) {
		.conninfo = conf_string(conf, CONF_DATABASE),
		.role = "fsa_reconcile",
		.application_name = "fsa-reconcile",
		.prepare = conf_bool(conf, CONF_DATABASE_PREPARE),
		.timeout_ms = conf_number(conf, CONF_DATABASE_TIMEOUT),
	});
	if (desired_context_load(conf, &r->desired, e) < 0 ||
	    keyring_load_private(conf_string(conf, CONF_CLUSTER_PRIVATE_KEY_FILE),
				 &r->cluster_private, e) < 0 ||
	    wake_new(conf_string(conf, CONF_WAKE_FILE), &r->wake, &watched, &warning, e) < 0)
		return -1;
	if (!watched)
		log_err(LOG_LEVEL_WARNING, "changes made during this pass wait for the next one",
			&warning);
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(conf_freep) struct conf *conf = NULL;
	CLEANUP(reconciler_clear) struct reconciler r = { 0 };
	struct options options;
	struct err e;
	int status;

	mem_init_libraries();
	if (!parse_options(argc, argv, &options, &status))
		return status;
	crypto_init();
	if (last_conf_load(options.config, &conf, &e) < 0) {
		notify_status("cannot start, nothing is reconciled: %s", e.message);
		return EX_CONFIG;
	}
	if (e.message[0] != '\0')
		notify_status("fsa.conf is wrong, it goes on by the last one that was right: %s",
			      e.message);
	if (reconciler_init(&r, conf, &e) < 0) {
		log_err(LOG_LEVEL_ERROR, "cannot start", &e);
		notify_status("cannot start, nothing is reconciled: %s", e.message);
		return EX_CONFIG;
	}
	log_set_level_name(conf_string(conf, CONF_LOG_LEVEL));
	if (metric_open(conf_string(conf, CONF_METRICS_DIR), "fsa-reconcile", &e) < 0)
		log_err(LOG_LEVEL_WARNING, "metrics are not recorded", &e);
	return options.every_ms > 0 ? run_until_stopped(&r, options.every_ms) : run_once(&r);
}
