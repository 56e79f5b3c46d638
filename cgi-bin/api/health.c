#include "api.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "db/migrate.h"
#include "web/json.h"
#include "web/router.h"

/* The process serves: nothing else is looked at, so that an orchestrator does not restart it for
 * what a restart does not help. */
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

static int check_owner_key(const struct call *c, struct err *e)
{
	return api_key_check(c, API_OWNER, e);
}

static int check_cluster_public(const struct call *c, struct err *e)
{
	return api_key_check(c, API_CLUSTER_PUBLIC, e);
}

/* What a request may need. */
static const struct {
	const char *name;
	int (*check)(const struct call *c, struct err *e);
} parts[] = {
	{ "database", check_database },
	{ "migrations", check_migrations },
	{ "ownerPrivateKey", check_owner_key },
	{ "clusterPublicKey", check_cluster_public },
};

/* Which part is missing is for everybody to see, why is in the log: anybody may ask. */
int ready_read(struct call *c, struct err *e)
{
	json_t *checks = json_object();
	bool ready = true;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		bool passed = parts[i].check(c, e) == 0;
		if (!passed)
			log_err(LOG_LEVEL_WARNING, parts[i].name, e);
		json_object_set_new(checks, parts[i].name, json_string(passed ? "ok" : "failed"));
		ready = ready && passed;
	}
	if (!ready)
		response_header(c->response, "Retry-After", "1");
	response_json(
		c->response, ready ? 200 : 503,
		json_pack("{s:s, s:o}", "status", ready ? "ready" : "not ready", "checks", checks));
	return 0;
}
