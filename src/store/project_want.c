/* What users want of a project's resources: the part of project.h that the reconciler acts upon. */
#include "base/cleanup.h"
#include "store/internal.h"
#include "store/project.h"

enum sandbox_column { SANDBOX_ID, SANDBOX_DESIRED, SANDBOX_IS_GIVEN };

enum statement {
	STATEMENT_DELETE,
	STATEMENT_WANT,
	STATEMENT_FIND_SANDBOX,
	STATEMENT_CREATE_SANDBOX,
	STATEMENT_REQUEST_ENV,
	STATEMENT_RESTART,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_DELETE] = { "project_delete",
		"UPDATE projects SET deleted_at = now(), updated_at = now()"
		" WHERE id = $1" },
	/* $1 project, $2 desired, $3 kind (NULL: all), $4 whether what is on its way out may come
	 * back. What is wanted already and under way stays; what is told to run, or in ERROR, is
	 * told so again when it was looked at after this. All rows of the project are due. A start
	 * gives the terminal another token, unless the stop before it was held up: that is taken
	 * back, and the pod stays (store/risk.c). */
	[STATEMENT_WANT] = { "resources_want",
		"WITH old AS ("
		" SELECT id, status, told_status($2::desired, status) AS told,"
		"  desired <> $2::desired OR status = 'RUNNING' AS anew,"
		"  desired <> $2::desired AND $2::desired = 'RUNNING'"
		"   AND NOT (status = 'STOPPING'"
		"    AND warnings @> '[{\"code\": \"HOME_VOLUME_GOING\"}]') AS starts"
		" FROM resources WHERE project_id = $1"
		"  AND kind = coalesce($3::resource_kind, kind)"
		"  AND (desired <> 'GONE' OR $4::boolean)"
		"  AND (desired <> $2::desired OR ($2::desired = 'RUNNING'"
		"   AND status IN ('RUNNING', 'STOPPED', 'ERROR')))"
		"), hurried AS ("
		" UPDATE resources SET due_at = now() WHERE project_id = $1"
		"  AND due_at > now() AND id NOT IN (SELECT id FROM old)"
		"), wanted AS ("
		" UPDATE resources r SET desired = $2::desired, status = old.told,"
		"  generation = r.generation + old.anew::integer,"
		"  verify = r.verify OR old.status = 'RUNNING',"
		"  stage = CASE WHEN $2::desired = 'RUNNING' THEN first_stage($1)"
		"   ELSE r.stage END,"
		"  status_since = CASE WHEN r.status = old.told"
		"   THEN r.status_since ELSE now() END,"
		"  cause_kind = NULL, cause_code = NULL, cause_message = NULL,"
		"  cause_since = NULL, attempts = 0, due_at = now(),"
		"  updated_at = now()"
		" FROM old WHERE r.id = old.id"
		" RETURNING r.id, r.project_id, r.kind, r.status, r.stage"
		"), renewed AS ("
		" UPDATE sandboxes s SET access_generation = s.access_generation + 1"
		" FROM old WHERE s.resource_id = old.id AND old.starts"
		") INSERT INTO events (project_id, kind, status, stage)"
		" SELECT w.project_id, w.kind, w.status, w.stage"
		" FROM wanted w JOIN old USING (id) WHERE w.status <> old.status" },
	[STATEMENT_FIND_SANDBOX] = { "sandbox_find",
		"SELECT id, desired, id = $2::uuid FROM resources"
		" WHERE project_id = $1 AND kind = 'SANDBOX'" },
	/* $1 project, $2 user, $3 and $4 the sandbox and its terminal's token, $5 the request's
	 * variables. A trigger completes it. */
	[STATEMENT_CREATE_SANDBOX] = { "sandbox_create",
		"WITH r AS ("
		" INSERT INTO resources (id, project_id, user_id, kind, stage)"
		" SELECT $3, $1, $2, 'SANDBOX', first_stage($1)"
		" FROM kubeconfigs WHERE user_id = $2"
		" RETURNING id, project_id, kind, status, stage"
		"), s AS ("
		" INSERT INTO sandboxes (resource_id, terminal_token_sealed,"
		"  request_env_sealed)"
		" SELECT id, $4, $5 FROM r"
		") INSERT INTO events (project_id, kind, status, stage)"
		" SELECT project_id, kind, status, stage FROM r"
		" RETURNING id" },
	[STATEMENT_REQUEST_ENV] = { "sandbox_request_env",
		"UPDATE sandboxes SET request_env_sealed = $2"
		" WHERE resource_id = $1" },
	[STATEMENT_RESTART] = { "sandbox_restart",
		"UPDATE sandboxes SET restarts = restarts + 1,"
		"  access_generation = access_generation + 1"
		" WHERE resource_id = $1" },
};
/* clang-format on */

/* ---- steps, all inside a transaction in which the project is locked -------------------------- */

struct wish {
	enum desired desired;
	const char *kind; /* NULL: all resources */
	bool revive;      /* also what is to go, and has not gone yet */
};

static int want(struct db *tx, const char *project_id, const struct wish *wish, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_WANT],
			DB_ARGS(DB_TEXT(project_id), DB_TEXT(desired_name(wish->desired)),
				DB_TEXT(wish->kind), DB_BOOL(wish->revive)),
			NULL, e);
}

/* The project's sandbox: ret_sandbox has no row if there is none. `given_id` may be NULL. */
static int find_sandbox(struct db *tx, const char *project_id, const char *given_id,
			PGresult **ret_sandbox, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_FIND_SANDBOX],
			DB_ARGS(DB_TEXT(project_id), DB_TEXT(given_id)), ret_sandbox, e);
}

static int run_for_id(struct db *tx, enum statement statement, const char *id, struct err *e)
{
	return db_query(tx, &statements[statement], DB_ARGS(DB_TEXT(id)), NULL, e);
}

/* ---- the project ----------------------------------------------------------------------------- */

/* Deletion has been asked for. A project without resources goes at once. */
static int delete_project(struct db *tx, const char *project_id, struct err *e)
{
	CLEANUP(json_decrefp) json_t *ids = json_pack("[s]", project_id);

	if (run_for_id(tx, STATEMENT_DELETE, project_id, e) < 0)
		return -1;
	return store_remove_projects(tx, ids, e);
}

int project_want(struct db *db, const char *user_id, const char *project_id, enum desired desired,
		 struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const struct wish wish = { .desired = desired };
	bool deleted = false;

	if (db_begin(db, &tx, e) < 0 ||
	    store_lock_project(tx, user_id, project_id, &deleted, e) < 0)
		return -1;
	if (deleted && desired != DESIRED_GONE)
		return store_project_not_found(e);
	if (want(tx, project_id, &wish, e) < 0 || store_settle_project(tx, project_id, e) < 0)
		return -1;
	if (desired == DESIRED_GONE && !deleted && delete_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int project_restart(struct db *db, const char *user_id, const char *project_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *sandbox = NULL;
	const struct wish running = { .desired = DESIRED_RUNNING };

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    find_sandbox(tx, project_id, NULL, &sandbox, e) < 0)
		return -1;
	enum desired desired = DESIRED_GONE;
	if (db_rows(sandbox) > 0 && store_desired(sandbox, 0, SANDBOX_DESIRED, &desired, e) < 0)
		return -1;
	if (desired == DESIRED_GONE)
		return store_sandbox_not_found(e);
	if (run_for_id(tx, STATEMENT_RESTART, db_text(sandbox, 0, SANDBOX_ID), e) < 0 ||
	    store_roll_sandbox(tx, project_id, e) < 0 || want(tx, project_id, &running, e) < 0 ||
	    store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

/* ---- the sandbox ----------------------------------------------------------------------------- */

struct request_env {
	const void *sealed;
	size_t length;
};

static int create_sandbox(struct db *tx, const char *user_id, const char *project_id,
			  const struct sandbox_new *s, const struct request_env *env, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(tx, &statements[STATEMENT_CREATE_SANDBOX],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), STORE_SANDBOX(s),
			     DB_BYTES(env->sealed, env->length)),
		     &r, &failed) < 0)
		return store_explain_conflict(&failed, e);
	return db_rows(r) > 0 ? 0 : store_kubeconfig_missing(e);
}

static int set_request_env(struct db *tx, const char *id, const struct request_env *env,
			   struct err *e)
{
	return db_query(tx, &statements[STATEMENT_REQUEST_ENV],
			DB_ARGS(DB_TEXT(id), DB_BYTES(env->sealed, env->length)), NULL, e);
}

/* Starts the sandbox there is. One that is on its way out comes back under its own names, without
 * the variables of the request that made it. */
static int start_sandbox(struct db *tx, const char *project_id, const PGresult *sandbox,
			 const struct request_env *env, struct err *e)
{
	const char *id = db_text(sandbox, 0, SANDBOX_ID);
	const struct wish wish = { DESIRED_RUNNING, resource_kind_name(RESOURCE_SANDBOX), true };
	enum desired desired;

	if (env->sealed != NULL && !db_bool(sandbox, 0, SANDBOX_IS_GIVEN))
		return err_set(e, ERR_CONFLICT, "SANDBOX_REPLACED",
			       "The sandbox was replaced at this moment: try again");
	if (store_desired(sandbox, 0, SANDBOX_DESIRED, &desired, e) < 0)
		return -1;
	if ((env->sealed != NULL || desired == DESIRED_GONE) && set_request_env(tx, id, env, e) < 0)
		return -1;
	if (env->sealed != NULL && store_roll_sandbox(tx, project_id, e) < 0)
		return -1;
	return want(tx, project_id, &wish, e);
}

int sandbox_start(struct db *db, const char *user_id, const char *project_id,
		  const struct sandbox_new *s, const void *request_env_sealed,
		  size_t request_env_sealed_length, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *sandbox = NULL;
	const struct wish database = { .desired = DESIRED_RUNNING,
				       .kind = resource_kind_name(RESOURCE_DATABASE) };
	const struct request_env env = { request_env_sealed, request_env_sealed_length };

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    want(tx, project_id, &database, e) < 0 ||
	    find_sandbox(tx, project_id, s->id, &sandbox, e) < 0)
		return -1;
	int done = db_rows(sandbox) == 0 ? create_sandbox(tx, user_id, project_id, s, &env, e)
					 : start_sandbox(tx, project_id, sandbox, &env, e);
	if (done < 0 || store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int sandbox_terminate(struct db *db, const char *user_id, const char *project_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *sandbox = NULL;
	const struct wish gone = { .desired = DESIRED_GONE,
				   .kind = resource_kind_name(RESOURCE_SANDBOX) };

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    find_sandbox(tx, project_id, NULL, &sandbox, e) < 0)
		return -1;
	if (db_rows(sandbox) == 0)
		return store_sandbox_not_found(e);
	if (want(tx, project_id, &gone, e) < 0 || store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}
