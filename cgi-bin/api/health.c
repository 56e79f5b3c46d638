#include "api.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/lockfile.h"
#include "base/log.h"
#include "db/migrate.h"
#include "store/pass_host.h"
#include "store/maintenance.h"
#include "store/queue.h"
#include "web/json.h"
#include "web/router.h"

/* A pass runs every few seconds. */
enum { RECONCILER_LATE_MS = PASS_HOST_LATE_MS };

/* Only shows that the process serves: an orchestrator must not restart it for a fault that a
 * restart cannot repair. */
int health_read(struct call *c, struct err *e)
{
	(void)e;
	response_json(c->response, 200, json_pack("{s:s}", "status", "ok"));
	return 0;
}

static int check_database(const struct call *c, struct err *e)
{
	return db_ping(c->db, e);
}

static int check_migrations(const struct call *c, struct err *e)
{
	return migrate_check(c->db, e);
}

static int check_writes(const struct call *c, struct err *e)
{
	return api_writes_check(c, e);
}

/* nginx has asked auth.fcgi, which this program cannot reach. If its result is missing (the request
 * did not come through /readyz of the shipped configuration, or auth.fcgi is of the previous
 * version, which has no such route), logins are assumed to work. */
static int check_logins(const struct call *c, struct err *e)
{
	const char *status = request_variable(c->request, "FSA_LOGINS");

	if (status == NULL || strcmp(status, "200") == 0 || strcmp(status, "404") == 0)
		return 0;
	return err_set(
		e, ERR_UNAVAILABLE, NULL,
		"auth.fcgi answers nginx with \"%.40s\": does it run, and what is in its log?",
		status);
}

static int check_owner_key(const struct call *c, struct err *e)
{
	return api_key_check(c, API_OWNER, e);
}

static int check_cluster_public(const struct call *c, struct err *e)
{
	return api_key_check(c, API_CLUSTER_PUBLIC, e);
}

/* Whether any reconciler works, on whichever host: this host need not have one. It may be behind.
 * None can work if the database cannot be written to. */
static int check_reconciler(const struct call *c, struct err *e)
{
	struct queue_backlog backlog;
	uint64_t idle_ms;

	if (api_writes_check(c, e) < 0 || pass_host_idle(c->db, &idle_ms, e) < 0 ||
	    queue_backlog(c->db, 0, &backlog, e) < 0)
		return -1;
	if (idle_ms > RECONCILER_LATE_MS)
		return err_set(
			e, ERR_UNAVAILABLE, NULL,
			"no pass has been at work on any host for %llu s: does fsa-reconcile "
			"run?",
			(unsigned long long)(idle_ms / 1000));
	if (backlog.leased > 0 || backlog.oldest_ms <= RECONCILER_LATE_MS)
		return 0;
	return err_set(e, ERR_UNAVAILABLE, NULL,
		       "a resource has been due for %llu s, and no pass works on anything: does "
		       "fsa-reconcile run?",
		       (unsigned long long)(backlog.oldest_ms / 1000));
}

/* The parts that requests need, and those that only users wait for. Without the database, parts
 * that depend on it are not tried, as each would take a timeout. */
static const struct {
	const char *name;
	int (*check)(const struct call *c, struct err *e);
	bool is_needed, needs_database;
} parts[] = {
	{ "database", check_database, true, false },
	{ "migrations", check_migrations, true, true },
	{ "databaseWrites", check_writes, true, true },
	{ "ownerPrivateKey", check_owner_key, true, false },
	{ "clusterPublicKey", check_cluster_public, true, false },
	{ "logins", check_logins, true, false },
	{ "reconciler", check_reconciler, false, true },
};

static const char *status_word(bool ready, bool whole)
{
	if (!ready)
		return "not ready";
	return whole ? "ready" : "degraded";
}

/* Anybody may ask, so the response names the failing parts, and only the log says why. Only parts
 * that requests need cause a 503, which takes this host out of the balancer. */
int ready_read(struct call *c, struct err *e)
{
	json_t *checks = json_object();
	json_t *maintenance = NULL;
	bool ready = true, whole = true, has_database = true;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		bool tried = has_database || !parts[i].needs_database;
		bool passed = tried && parts[i].check(c, e) == 0;
		if (tried && !passed)
			log_err(LOG_LEVEL_WARNING, parts[i].name, e);
		if (parts[i].check == check_database)
			has_database = passed;
		json_object_set_new(checks, parts[i].name, json_string(passed ? "ok" : "failed"));
		whole = whole && passed;
		ready = ready && (passed || !parts[i].is_needed);
	}
	/* Without live updates, pages poll: this host can stay in service. */
	bool live = lockfile_is_held(conf_string(api_conf(c), CONF_EVENTS_STATE_FILE));
	json_object_set_new(checks, "liveUpdates", json_string(live ? "ok" : "off"));
	/* "neither": reads are served all the same */
	if (!has_database || maintenance_get(c->db, &maintenance, e) < 0)
		maintenance = json_null();
	if (!ready)
		response_header(c->response, "Retry-After", "1");
	response_json(c->response, ready ? 200 : 503,
		      json_pack("{s:s, s:o, s:o}", "status", status_word(ready, whole), "checks",
				checks, "maintenance", maintenance));
	return 0;
}
