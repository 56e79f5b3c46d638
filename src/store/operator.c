#include "store/operator.h"

#include "base/cleanup.h"
#include "store/internal.h"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statement_publish = {
	"operator_publish",
	"INSERT INTO operator_options AS o (name, value)"
	" SELECT name, value FROM jsonb_each_text($1::jsonb) AS given (name, value)"
	" ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	" WHERE o.value <> excluded.value"
};
/* clang-format on */

static const enum conf_option published[] = {
	CONF_INGRESS_DOMAIN,
	CONF_RUNTIME_IMAGE,
	CONF_HOME_SIZE,
	CONF_SANDBOX_CPU_REQUEST,
	CONF_SANDBOX_CPU_LIMIT,
	CONF_SANDBOX_MEMORY_REQUEST,
	CONF_SANDBOX_MEMORY_LIMIT,
	CONF_SANDBOX_STORAGE_LIMIT,
	CONF_POSTGRES_VERSION,
	CONF_POSTGRES_STORAGE,
	CONF_POSTGRES_CPU_REQUEST,
	CONF_POSTGRES_CPU_LIMIT,
	CONF_POSTGRES_MEMORY_REQUEST,
	CONF_POSTGRES_MEMORY_LIMIT,
	CONF_PROJECTS_PER_USER,
	CONF_CLUSTERS_PER_USER,
	CONF_SANDBOXES_PER_PROJECT,
	CONF_END_WARNING,
	CONF_END_GRACE,
	CONF_TRASH_TIME,
	CONF_PORTS_PER_SANDBOX,
	CONF_IDLE_TIME,
	CONF_IDLE_WARNING,
	CONF_RUNNING_PER_USER,
	CONF_CPU_PER_USER,
	CONF_MEMORY_PER_USER,
	CONF_STORAGE_PER_USER,
	CONF_STARTS_PER_USER,
	CONF_TOOLS_IMAGE,
};

int operator_publish(struct db *db, const struct conf *conf, struct err *e)
{
	CLEANUP(json_decrefp) json_t *options = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		const char *value = conf_string(conf, published[i]);
		if (value != NULL)
			(void)json_object_set_new(options, conf_spec(published[i])->name,
						  json_string(value));
	}
	return db_query(db, &statement_publish, DB_ARGS(DB_JSON(options)), NULL, e);
}
