#include "store/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

/* How long to wait at the limit, until something may have been deleted. */
enum { RETRY_AFTER_S = 30 };

enum statement {
	STATEMENT_OF,
	STATEMENT_LIST,
	STATEMENT_EXCEPT,
	STATEMENT_DEFAULT,
};

/* SQL is laid out by hand. The names of columns are members of what is shown. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_OF] = { "limit_of", "SELECT limit_of($1, $2, $3)" },
	[STATEMENT_LIST] = { "limit_list",
		"SELECT k.kind, limit_of($1, k.kind, k.option) AS limit,"
		" limit_used($1, k.kind) AS used,"
		" EXISTS (SELECT FROM user_limits l WHERE l.user_id = $1 AND l.kind = k.kind)"
		"  AS \"isException\""
		" FROM jsonb_each_text($2::jsonb) AS k (kind, option) ORDER BY k.kind" },
	[STATEMENT_EXCEPT] = { "limit_except",
		"INSERT INTO user_limits (user_id, kind, value) VALUES ($1, $2, $3)"
		" ON CONFLICT (user_id, kind) DO UPDATE"
		" SET value = excluded.value, updated_at = now()" },
	[STATEMENT_DEFAULT] = { "limit_default",
		"DELETE FROM user_limits WHERE user_id = $1 AND kind = $2" },
};
/* clang-format on */

static const struct limit_spec specs[LIMIT_KIND_COUNT] = {
	[LIMIT_PROJECTS] = { "projects", CONF_PROJECTS_PER_USER, "PROJECT_QUOTA", "projects",
			     "delete one for good" },
	[LIMIT_CLUSTERS] = { "clusters", CONF_CLUSTERS_PER_USER, "CLUSTER_QUOTA", "clusters",
			     "remove one first" },
	[LIMIT_SANDBOXES] = { "sandboxes", CONF_SANDBOXES_PER_PROJECT, "SANDBOX_QUOTA",
			      "sandboxes of a project", "delete one first" },
	[LIMIT_PORTS] = { "ports", CONF_PORTS_PER_SANDBOX, "PORT_QUOTA", "ports of a sandbox",
			  "close one first" },
	[LIMIT_RUNNING] = { "running", CONF_RUNNING_PER_USER, "RUNNING_QUOTA", "running sandboxes",
			    "stop one first" },
	[LIMIT_CPU] = { "cpu", CONF_CPU_PER_USER, "CPU_QUOTA", "millicores of CPU",
			"stop something first" },
	[LIMIT_MEMORY] = { "memory", CONF_MEMORY_PER_USER, "MEMORY_QUOTA", "MiB of memory",
			   "stop something first" },
	[LIMIT_STORAGE] = { "storage", CONF_STORAGE_PER_USER, "STORAGE_QUOTA", "GiB of volumes",
			    "delete something for good first" },
	[LIMIT_STARTS] = { "starts", CONF_STARTS_PER_USER, "START_QUOTA",
			   "starts of sandboxes an hour", "wait" },
};

/* Of the name of a constraint, and of the message about it: "3 of 2". */
#define CONSTRAINT "limit_"
#define MESSAGE    "PostgreSQL: "

const struct limit_spec *limit_spec(enum limit_kind kind)
{
	return &specs[kind];
}

int limit_find(const char *name, enum limit_kind *ret_kind, struct err *e)
{
	CLEANUP(cleanup_free) char *names = NULL;

	for (int kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
		if (strcmp(specs[kind].name, name) == 0) {
			*ret_kind = (enum limit_kind)kind;
			return 0;
		}
		char *longer = names ? mem_printf("%s, %s", names, specs[kind].name)
				     : mem_strdup(specs[kind].name);
		free(names);
		names = longer;
	}
	return err_set(e, ERR_INVALID, "USAGE", "there is no limit \"%s\"; there are: %s", name,
		       names);
}

int limit_reached(struct db *db, const char *user_id, enum limit_kind kind, struct err *e)
{
	const struct limit_spec *spec = &specs[kind];
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_OF],
		     DB_ARGS(DB_TEXT(user_id), DB_TEXT(spec->name),
			     DB_TEXT(conf_spec(spec->option)->name)),
		     &r, e) < 0)
		return -1;
	(void)err_set(e, ERR_RATE_LIMITED, spec->code,
		      "Your limit of %lld %s is reached: %s, or ask the site's administrator for "
		      "more",
		      (long long)db_int(r, 0, 0), spec->what, spec->cure);
	if (e != NULL)
		e->retry_after_s = RETRY_AFTER_S;
	return -1;
}

bool limit_explain(const struct err *failed, struct err *e)
{
	const char *message = failed->message;
	enum limit_kind kind;
	char *rest = NULL;
	struct err unknown;

	if (strncmp(failed->code, CONSTRAINT, strlen(CONSTRAINT)) != 0 ||
	    strncmp(message, MESSAGE, strlen(MESSAGE)) != 0 ||
	    limit_find(failed->code + strlen(CONSTRAINT), &kind, &unknown) < 0)
		return false;
	long long used = strtoll(message + strlen(MESSAGE), &rest, 10);
	long long allowed = strtoll(rest + strspn(rest, " of"), NULL, 10);
	const struct limit_spec *spec = &specs[kind];
	(void)err_set(e, ERR_RATE_LIMITED, spec->code,
		      "Your limit is %lld %s, and this would make it %lld: %s, or ask the site's "
		      "administrator for more",
		      allowed, spec->what, used, spec->cure);
	if (e != NULL)
		e->retry_after_s = RETRY_AFTER_S;
	return true;
}

int limit_list(struct db *db, const char *user_id, json_t **ret_limits, struct err *e)
{
	CLEANUP(json_decrefp) json_t *kinds = json_object();

	for (int kind = 0; kind < LIMIT_KIND_COUNT; kind++)
		(void)json_object_set_new(kinds, specs[kind].name,
					  json_string(conf_spec(specs[kind].option)->name));
	return store_rows(db, &statements[STATEMENT_LIST],
			  DB_ARGS(DB_TEXT(user_id), DB_JSON(kinds)), ret_limits, e);
}

int limit_set(struct db *db, const char *user_id, enum limit_kind kind, int64_t value,
	      struct err *e)
{
	const char *name = specs[kind].name;

	if (value < 0)
		return db_query(db, &statements[STATEMENT_DEFAULT],
				DB_ARGS(DB_TEXT(user_id), DB_TEXT(name)), NULL, e);
	return db_query(db, &statements[STATEMENT_EXCEPT],
			DB_ARGS(DB_TEXT(user_id), DB_TEXT(name), DB_INT(value)), NULL, e);
}
