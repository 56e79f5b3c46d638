#include "store/import.h"

#include "base/cleanup.h"
#include "store/internal.h"

enum statement {
	STATEMENT_USER,
	STATEMENT_IDENTITY,
	STATEMENT_SETTING,
	STATEMENT_PROJECT,
	STATEMENT_SANDBOX,
	STATEMENT_DATABASE,
	STATEMENT_VARIABLE,
};

/* The end of each statement: whether the row was inserted, and whether one with this id existed. */
#define OUTCOME(table)                                                                             \
	" SELECT EXISTS (SELECT FROM made), EXISTS (SELECT FROM " table " WHERE id = $1)"

/* If the name is NULL, a trigger generates one. */
#define RESOURCE(kind, name)                                                                       \
	"WITH r AS ("                                                                              \
	" INSERT INTO resources (id, project_id, user_id, kind, name, namespace, server,"          \
	"  desired, status)"                                                                       \
	" SELECT $1, $2, $3, " kind ", " name ", namespace, server, 'STOPPED', 'STOPPED'"          \
	" FROM clusters WHERE id = $3"                                                             \
	" ON CONFLICT DO NOTHING RETURNING id"                                                     \
	"), made AS ("

/* SQL is laid out by hand. The columns are not those of store/column.h, which are for reading: they
 * are those that version 0.4 had, and newer columns get their defaults. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_USER] = { "import_user",
		"WITH made AS (INSERT INTO users (id, name, created_at)"
		" VALUES ($1, left($2, 64), $3) ON CONFLICT DO NOTHING RETURNING id)"
		OUTCOME("users") },
	[STATEMENT_IDENTITY] = { "import_identity",
		"WITH made AS (INSERT INTO identities (id, user_id, provider, provider_user_id,"
		"  password_hash, token_sealed, is_primary)"
		" SELECT $1, $2, $3::auth_provider, $4, $5, $6,"
		"  NOT EXISTS (SELECT FROM identities WHERE user_id = $2)"
		" ON CONFLICT DO NOTHING RETURNING id)" OUTCOME("identities") },
	[STATEMENT_SETTING] = { "import_setting",
		"WITH made AS (INSERT INTO user_config (user_id, key, value_sealed)"
		" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING user_id)"
		" SELECT EXISTS (SELECT FROM made), true" },
	[STATEMENT_PROJECT] = { "import_project",
		"WITH made AS (INSERT INTO projects (id, user_id, name, description, kube_name,"
		"  github_repo, status, created_at)"
		" VALUES ($1, $2, $3, left($4, 2000), $5, $6, 'STOPPED', $7)"
		" ON CONFLICT DO NOTHING RETURNING id)" OUTCOME("projects") },
	[STATEMENT_SANDBOX] = { "import_sandbox",
		RESOURCE("'SANDBOX'", "NULL")
		" INSERT INTO sandboxes (resource_id, terminal_token_sealed)"
		" SELECT id, $4 FROM r"
		" RETURNING resource_id)" OUTCOME("resources") },
	[STATEMENT_DATABASE] = { "import_database",
		RESOURCE("'DATABASE'", "$4")
		" INSERT INTO databases (resource_id, version, storage_size,"
		"  cpu_request, cpu_limit, memory_request, memory_limit, form)"
		" SELECT id, $5, $6, $7, $8, $9, $10, 'KUBEBLOCKS_0_8' FROM r"
		" RETURNING resource_id)" OUTCOME("resources") },
	[STATEMENT_VARIABLE] = { "import_variable",
		"WITH made AS (INSERT INTO environment (id, project_id, key, category,"
		"  is_secret, value_sealed)"
		" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id)"
		OUTCOME("environment") },
};
/* clang-format on */

static int run(struct db *tx, enum statement statement, const struct db_args *args,
	       enum import_outcome *ret_outcome, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[statement], args, &r, e) < 0)
		return -1;
	*ret_outcome = db_bool(r, 0, 0)   ? IMPORT_ADDED
		       : db_bool(r, 0, 1) ? IMPORT_THERE
					  : IMPORT_TAKEN;
	return 0;
}

int import_user(struct db *tx, const struct import_user *u, enum import_outcome *ret_outcome,
		struct err *e)
{
	return run(tx, STATEMENT_USER,
		   DB_ARGS(DB_TEXT(u->id), DB_TEXT(u->name), DB_TEXT(u->created_at)), ret_outcome,
		   e);
}

int import_identity(struct db *tx, const struct import_identity *i,
		    enum import_outcome *ret_outcome, struct err *e)
{
	return run(tx, STATEMENT_IDENTITY,
		   DB_ARGS(DB_TEXT(i->id), DB_TEXT(i->user_id), DB_TEXT(i->provider),
			   DB_TEXT(i->provider_user_id), DB_TEXT(i->password_hash),
			   DB_BYTES(i->token_sealed, i->token_sealed_length)),
		   ret_outcome, e);
}

int import_setting(struct db *tx, const struct import_setting *s, enum import_outcome *ret_outcome,
		   struct err *e)
{
	return run(tx, STATEMENT_SETTING,
		   DB_ARGS(DB_TEXT(s->user_id), DB_TEXT(s->key),
			   DB_BYTES(s->value_sealed, s->value_sealed_length)),
		   ret_outcome, e);
}

int import_project(struct db *tx, const struct import_project *project,
		   enum import_outcome *ret_outcome, struct err *e)
{
	return run(tx, STATEMENT_PROJECT,
		   DB_ARGS(DB_TEXT(project->id), DB_TEXT(project->user_id), DB_TEXT(project->name),
			   DB_TEXT(project->description), DB_TEXT(project->kube_name),
			   DB_TEXT(project->github_repo), DB_TEXT(project->created_at)),
		   ret_outcome, e);
}

int import_sandbox(struct db *tx, const char *user_id, const char *project_id,
		   const struct sandbox_new *s, enum import_outcome *ret_outcome, struct err *e)
{
	return run(tx, STATEMENT_SANDBOX,
		   DB_ARGS(DB_TEXT(s->id), DB_TEXT(project_id), DB_TEXT(user_id),
			   DB_BYTES(s->terminal_token_sealed, s->terminal_token_sealed_length)),
		   ret_outcome, e);
}

int import_database(struct db *tx, const char *user_id, const char *project_id,
		    const struct import_database *d, enum import_outcome *ret_outcome,
		    struct err *e)
{
	return run(tx, STATEMENT_DATABASE,
		   DB_ARGS(DB_TEXT(d->id), DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(d->name),
			   DB_TEXT(d->version), DB_TEXT(d->storage_size), DB_TEXT(d->cpu_request),
			   DB_TEXT(d->cpu_limit), DB_TEXT(d->memory_request),
			   DB_TEXT(d->memory_limit)),
		   ret_outcome, e);
}

int import_variable(struct db *tx, const struct import_variable *v,
		    enum import_outcome *ret_outcome, struct err *e)
{
	return run(tx, STATEMENT_VARIABLE,
		   DB_ARGS(DB_TEXT(v->id), DB_TEXT(v->project_id), DB_TEXT(v->key),
			   DB_TEXT(v->category), DB_BOOL(v->is_secret),
			   DB_BYTES(v->value_sealed, v->value_sealed_length)),
		   ret_outcome, e);
}
