/* Changes to the desired state of a project's resources, on which the reconciler acts: a part of
 * project.h. */
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/limit.h"
#include "store/project.h"

enum sandbox_column { SANDBOX_ID, SANDBOX_DESIRED };
enum database_column { DATABASE_DESIRED };
enum create_column { CREATE_HAS_CLUSTER, CREATE_IS_MADE };

enum statement {
	STATEMENT_DELETE,
	STATEMENT_RESTORE,
	STATEMENT_ENDED,
	STATEMENT_SET_DESIRED,
	STATEMENT_FIND_SANDBOX,
	STATEMENT_CREATE_SANDBOX,
	STATEMENT_REQUEST_ENV,
	STATEMENT_RESIZE,
	STATEMENT_CHANGE_IMAGE,
	STATEMENT_RESTART,
	STATEMENT_FIND_DATABASE,
	STATEMENT_CREATE_DATABASE,
	STATEMENT_BEGIN_DATABASE,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_DELETE] = { "project_delete",
		"UPDATE projects SET deleted_at = now(), updated_at = now(), trash_until ="
		"  CASE WHEN NOT $2::boolean"
		"  THEN now() + nullif(operator_duration('trash_time'), '0') END"
		" WHERE id = $1 RETURNING trash_until IS NOT NULL" },
	[STATEMENT_RESTORE] = { "project_restore",
		"UPDATE projects SET deleted_at = NULL, trash_until = NULL, updated_at = now(),"
		" name = coalesce($3, name),"
		" expires_at = CASE WHEN expires_at > now() THEN expires_at END"
		" WHERE id = $1 AND user_id = $2 AND trash_until IS NOT NULL RETURNING id" },
	/* The transaction may have begun before the end for which it waited. */
	[STATEMENT_ENDED] = { "project_ended",
		"SELECT FROM projects WHERE id = $1"
		" AND (deletes_at IS NOT NULL OR expires_at <= now())" },
	/* $1 project, $2 desired, $3 kind (NULL: all), $4 whether what is being deleted may come
	 * back, $5 which sandboxes. What is desired already and under way stays as it is; what is
	 * RUNNING or in ERROR shows that again only when it has been observed after this. All rows
	 * of the project are due. A start gives the terminal another token, unless the stop before
	 * it was held up: that stop is taken back, and the pod stays (store/risk.c). */
	[STATEMENT_SET_DESIRED] = { "resources_set_desired",
		"WITH old AS ("
		" SELECT id, status, told_status($2::desired, status) AS shown,"
		"  desired <> $2::desired OR status = 'RUNNING' AS anew,"
		"  desired <> $2::desired AND $2::desired = 'RUNNING'"
		"   AND NOT (status = 'STOPPING'"
		"    AND warnings @> '[{\"code\": \"HOME_VOLUME_GOING\"}]') AS starts"
		" FROM resources WHERE project_id = $1"
		"  AND kind = coalesce($3::resource_kind, kind)"
		"  AND (kind <> 'SANDBOX' OR " STORE_IS_CHOSEN("resources", "$5") ")"
		"  AND (desired <> 'GONE' OR $4::boolean)"
		"  AND (desired <> $2::desired OR ($2::desired = 'RUNNING'"
		"   AND status IN ('RUNNING', 'STOPPED', 'ERROR')))"
		"), woken AS ("
		" UPDATE resources SET due_at = now() WHERE project_id = $1"
		"  AND due_at > now() AND id NOT IN (SELECT id FROM old)"
		"), changed AS ("
		" UPDATE resources r SET desired = $2::desired, status = old.shown,"
		"  generation = r.generation + old.anew::integer,"
		"  verify = r.verify OR old.status = 'RUNNING',"
		"  stage = CASE WHEN $2::desired = 'RUNNING' THEN first_stage($1)"
		"   ELSE r.stage END,"
		"  status_since = CASE WHEN r.status = old.shown"
		"   THEN r.status_since ELSE now() END,"
		"  cause_kind = NULL, cause_code = NULL, cause_message = NULL,"
		"  cause_since = NULL, attempts = 0, due_at = now(),"
		"  updated_at = now()"
		" FROM old WHERE r.id = old.id"
		" RETURNING r.id, r.project_id, r.kind, r.status, r.stage"
		"), renewed AS ("
		" UPDATE sandboxes s SET access_generation = s.access_generation + 1"
		" FROM old WHERE s.resource_id = old.id AND old.starts"
		") INSERT INTO events (project_id, kind, resource_id, status, stage)"
		" SELECT c.project_id, c.kind, c.id, c.status, c.stage"
		" FROM changed c JOIN old USING (id) WHERE c.status <> old.status" },
	[STATEMENT_FIND_SANDBOX] = { "sandbox_find",
		"SELECT id, desired FROM resources r"
		" WHERE project_id = $1 AND kind = 'SANDBOX' AND " STORE_IS_CHOSEN("r", "$2") },
	/* $1 project, $2 user, $3 and $4 the sandbox and its terminal's token, $5 the request's
	 * variables, $6 whether it is an additional one, $7 its name, $8 its size. Triggers
	 * complete it, and insert nothing if the project has reached its limit of sandboxes. */
	[STATEMENT_CREATE_SANDBOX] = { "sandbox_create",
		"WITH cluster AS ("
		STORE_CLUSTER_OF("$1")
		"), r AS ("
		" INSERT INTO resources (id, project_id, user_id, kind, stage, additional)"
		" SELECT $3, $1, $2, 'SANDBOX', first_stage($1), $6::boolean FROM cluster"
		" RETURNING id, project_id, kind, status, stage"
		"), s AS ("
		" INSERT INTO sandboxes (resource_id, terminal_token_sealed,"
		"  request_env_sealed, display_name, size, chosen_image)"
		" SELECT id, $4, $5, $7, $8, $9 FROM r"
		"), noted AS ("
		" INSERT INTO events (project_id, kind, resource_id, status, stage)"
		" SELECT project_id, kind, id, status, stage FROM r"
		") SELECT EXISTS (SELECT FROM cluster), EXISTS (SELECT FROM r)" },
	[STATEMENT_REQUEST_ENV] = { "sandbox_request_env",
		"UPDATE sandboxes SET request_env_sealed = $2"
		" WHERE resource_id = $1" },
	[STATEMENT_RESIZE] = { "sandbox_resize",
		"UPDATE sandboxes s SET size = $3 FROM resources r"
		" WHERE r.id = s.resource_id AND r.project_id = $1 AND r.desired <> 'GONE'"
		"  AND " STORE_IS_CHOSEN("r", "$2") " RETURNING 1" },
	[STATEMENT_CHANGE_IMAGE] = { "sandbox_change_image",
		"UPDATE sandboxes s SET chosen_image = $3 FROM resources r"
		" WHERE r.id = s.resource_id AND r.project_id = $1 AND r.desired <> 'GONE'"
		"  AND " STORE_IS_CHOSEN("r", "$2") " RETURNING 1" },
	[STATEMENT_RESTART] = { "sandbox_restart",
		"UPDATE sandboxes s SET restarts = restarts + 1,"
		"  access_generation = access_generation + 1"
		" FROM resources r WHERE r.id = s.resource_id AND r.project_id = $1"
		"  AND r.desired <> 'GONE' AND " STORE_IS_CHOSEN("r", "$2")
		" RETURNING 1" },
	[STATEMENT_FIND_DATABASE] = { "database_find",
		"SELECT desired FROM resources WHERE project_id = $1 AND kind = 'DATABASE'" },
	/* $1 project, $2 user, $3 the database. A trigger completes it. */
	[STATEMENT_CREATE_DATABASE] = { "database_create",
		"WITH cluster AS ("
		STORE_CLUSTER_OF("$1")
		"), r AS ("
		" INSERT INTO resources (id, project_id, user_id, kind, stage)"
		" SELECT $3, $1, $2, 'DATABASE', 'database' FROM cluster RETURNING id"
		"), d AS ("
		" INSERT INTO databases (resource_id) SELECT id FROM r"
		") SELECT EXISTS (SELECT FROM cluster)" },
	/* $1 project, $2 its new database. If no sandbox is desired to run, the database is
	 * stopped: starting a sandbox starts it, too (start_database()). */
	[STATEMENT_BEGIN_DATABASE] = { "database_begin",
		"WITH project AS ("
		" SELECT EXISTS (SELECT FROM resources WHERE project_id = $1"
		"  AND kind = 'SANDBOX' AND desired = 'RUNNING') AS runs"
		"), begun AS ("
		" UPDATE resources SET desired = CASE WHEN runs THEN desired ELSE 'STOPPED' END,"
		"  status = CASE WHEN runs THEN status ELSE 'STOPPED' END"
		" FROM project WHERE id = $2"
		" RETURNING project_id, kind, id, status, stage"
		") INSERT INTO events (project_id, kind, resource_id, status, stage)"
		" SELECT project_id, kind, id, status, stage FROM begun" },
};
/* clang-format on */

/* ---- steps, all inside a transaction in which the project is locked -------------------------- */

struct request {
	enum desired desired;
	enum { EVERYTHING, SANDBOXES, DATABASES } of;
	const char *sandbox_id; /* one of SANDBOXES */
	bool revive;            /* whether to undo a deletion that is not complete */
};

static int check_lifetime(struct db *tx, const char *project_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *ended = NULL;

	if (db_query(tx, &statements[STATEMENT_ENDED], DB_ARGS(DB_TEXT(project_id)), &ended, e) < 0)
		return -1;
	if (db_rows(ended) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "PROJECT_ENDED",
		       "The project has ended: give it more time before you start it");
}

static int set_desired(struct db *tx, const char *project_id, const struct request *request,
		       struct err *e)
{
	static const char *const kinds[] = { NULL, "SANDBOX", "DATABASE" };
	struct err failed;

	if (request->desired == DESIRED_RUNNING && check_lifetime(tx, project_id, e) < 0)
		return -1;
	if (db_query(tx, &statements[STATEMENT_SET_DESIRED],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(desired_name(request->desired)),
			     DB_TEXT(kinds[request->of]), DB_BOOL(request->revive),
			     DB_TEXT(request->sandbox_id)),
		     NULL, &failed) < 0)
		return store_explain_conflict(&failed, e);
	return 0;
}

static int start_database(struct db *tx, const char *project_id, struct err *e)
{
	const struct request running = { .desired = DESIRED_RUNNING, .of = DATABASES };

	return set_desired(tx, project_id, &running, e);
}

/* `ret_sandbox` has no rows if there is none. */
static int find_sandbox(struct db *tx, const char *project_id, const char *sandbox_id,
			PGresult **ret_sandbox, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_FIND_SANDBOX],
			DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id)), ret_sandbox, e);
}

/* Checks that the sandbox is not being deleted, or already has the requested desired state. */
static int check_sandbox(struct db *tx, const char *project_id, const char *sandbox_id,
			 enum desired desired, struct err *e)
{
	CLEANUP(db_result_free) PGresult *sandbox = NULL;
	enum desired now = DESIRED_GONE;

	if (find_sandbox(tx, project_id, sandbox_id, &sandbox, e) < 0)
		return -1;
	if (db_rows(sandbox) == 0)
		return store_sandbox_not_found(e);
	if (store_desired(sandbox, 0, SANDBOX_DESIRED, &now, e) < 0)
		return -1;
	return now == DESIRED_GONE && desired != DESIRED_GONE ? store_sandbox_not_found(e) : 0;
}

static int mark_deleted(struct db *tx, const char *id, bool permanent, bool *ret_trash,
			struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_DELETE], DB_ARGS(DB_TEXT(id), DB_BOOL(permanent)),
		     &r, e) < 0)
		return -1;
	*ret_trash = db_bool(r, 0, 0);
	return 0;
}

/* ---- the project ----------------------------------------------------------------------------- */

/* Without resources it is gone at once, unless it is kept in the trash. */
static int delete_project(struct db *tx, const char *project_id, bool permanent, struct err *e)
{
	CLEANUP(json_decrefp) json_t *ids = json_pack("[s]", project_id);
	bool trash = false;

	if (mark_deleted(tx, project_id, permanent, &trash, e) < 0)
		return -1;
	const struct request request = { .desired = trash ? DESIRED_STOPPED : DESIRED_GONE };
	if (set_desired(tx, project_id, &request, e) < 0 ||
	    store_settle_project(tx, project_id, e) < 0)
		return -1;
	return store_remove_projects(tx, ids, e);
}

int project_delete(struct db *db, const char *user_id, const char *project_id, bool permanent,
		   struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	bool deleted = false;

	if (db_begin(db, &tx, e) < 0 ||
	    store_lock_project(tx, user_id, project_id, &deleted, e) < 0)
		return -1;
	if ((!deleted || permanent) && delete_project(tx, project_id, permanent, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int project_restore(struct db *db, const char *user_id, const char *project_id, const char *name,
		    struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(db, &statements[STATEMENT_RESTORE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(name)), &r,
		     &failed) < 0)
		return store_explain_conflict(&failed, e);
	return db_rows(r) > 0 ? 0 : store_project_not_found(e);
}

int project_set_desired(struct db *db, const char *user_id, const char *project_id,
			enum desired desired, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const struct request request = { .desired = desired };

	if (desired == DESIRED_GONE)
		return project_delete(db, user_id, project_id, true, e);
	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    set_desired(tx, project_id, &request, e) < 0 ||
	    store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

static int restart(struct db *tx, const char *project_id, const char *sandbox_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *restarted = NULL;
	const struct request running = { DESIRED_RUNNING, SANDBOXES, sandbox_id, false };

	if (db_query(tx, &statements[STATEMENT_RESTART],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id)), &restarted, e) < 0)
		return -1;
	if (db_rows(restarted) == 0)
		return store_sandbox_not_found(e);
	if (store_roll_sandboxes(tx, project_id, sandbox_id, e) < 0 ||
	    set_desired(tx, project_id, &running, e) < 0 || start_database(tx, project_id, e) < 0)
		return -1;
	return store_settle_project(tx, project_id, e);
}

int sandbox_restart(struct db *db, const char *user_id, const char *project_id,
		    const char *sandbox_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    restart(tx, project_id, sandbox_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int project_restart(struct db *db, const char *user_id, const char *project_id, struct err *e)
{
	return sandbox_restart(db, user_id, project_id, SANDBOX_ALL, e);
}

/* ---- one sandbox ----------------------------------------------------------------------------- */

static int create_sandbox(struct db *tx, const char *user_id, const char *project_id,
			  const struct sandbox_new *s, bool additional, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(tx, &statements[STATEMENT_CREATE_SANDBOX],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), STORE_SANDBOX(s),
			     DB_BYTES(s->request_env_sealed, s->request_env_sealed_length),
			     DB_BOOL(additional), DB_TEXT(s->display_name), DB_TEXT(s->size),
			     DB_TEXT(s->image)),
		     &r, &failed) < 0)
		return store_explain_conflict(&failed, e);
	if (!db_bool(r, 0, CREATE_HAS_CLUSTER))
		return store_kubeconfig_missing(e);
	return db_bool(r, 0, CREATE_IS_MADE) ? 0 : limit_reached(tx, user_id, LIMIT_SANDBOXES, e);
}

/* Chooses one sandbox's size or image, by a statement of that. */
static int choose(struct db *tx, enum statement statement, const char *project_id,
		  const char *sandbox_id, const char *name, struct err *e)
{
	CLEANUP(db_result_free) PGresult *chosen = NULL;
	struct err failed;

	if (db_query(tx, &statements[statement],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(sandbox_id), DB_TEXT(name)), &chosen,
		     &failed) < 0)
		return store_explain_conflict(&failed, e);
	if (db_rows(chosen) == 0)
		return store_sandbox_not_found(e);
	if (store_roll_sandboxes(tx, project_id, sandbox_id, e) < 0)
		return -1;
	return store_settle_project(tx, project_id, e);
}

int sandbox_resize(struct db *db, const char *user_id, const char *project_id,
		   const char *sandbox_id, const char *size, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    choose(tx, STATEMENT_RESIZE, project_id, sandbox_id, size, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int sandbox_change_image(struct db *db, const char *user_id, const char *project_id,
			 const char *sandbox_id, const char *image, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    choose(tx, STATEMENT_CHANGE_IMAGE, project_id, sandbox_id, image, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

static int set_request_env(struct db *tx, const struct sandbox_new *s, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_REQUEST_ENV],
			DB_ARGS(DB_TEXT(s->id),
				DB_BYTES(s->request_env_sealed, s->request_env_sealed_length)),
			NULL, e);
}

/* Starts the first sandbox, which exists. If it was being deleted, it comes back with its own
 * names, without the variables of the request that made it. */
static int start_sandbox(struct db *tx, const char *project_id, const PGresult *sandbox,
			 const struct sandbox_new *s, struct err *e)
{
	const char *id = db_text(sandbox, 0, SANDBOX_ID);
	const struct sandbox_new there = { id, .request_env_sealed = s->request_env_sealed,
					   .request_env_sealed_length =
						   s->request_env_sealed_length };
	const struct request request = { DESIRED_RUNNING, SANDBOXES, id, true };
	bool has_env = s->request_env_sealed != NULL;
	enum desired desired;

	if (has_env && strcmp(id, s->id) != 0)
		return err_set(e, ERR_CONFLICT, "SANDBOX_REPLACED",
			       "The sandbox was replaced at this moment: try again");
	if (store_desired(sandbox, 0, SANDBOX_DESIRED, &desired, e) < 0)
		return -1;
	if ((has_env || desired == DESIRED_GONE) && set_request_env(tx, &there, e) < 0)
		return -1;
	if (has_env && store_roll_sandboxes(tx, project_id, id, e) < 0)
		return -1;
	return set_desired(tx, project_id, &request, e);
}

int sandbox_start(struct db *db, const char *user_id, const char *project_id,
		  const struct sandbox_new *s, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(db_result_free) PGresult *sandbox = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    start_database(tx, project_id, e) < 0 ||
	    find_sandbox(tx, project_id, SANDBOX_FIRST, &sandbox, e) < 0)
		return -1;
	int done = db_rows(sandbox) == 0 ? create_sandbox(tx, user_id, project_id, s, false, e)
					 : start_sandbox(tx, project_id, sandbox, s, e);
	if (done < 0 || store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int sandbox_add(struct db *db, const char *user_id, const char *project_id,
		const struct sandbox_new *s, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    create_sandbox(tx, user_id, project_id, s, true, e) < 0 ||
	    start_database(tx, project_id, e) < 0 || store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int sandbox_set_desired(struct db *db, const char *user_id, const char *project_id,
			const char *sandbox_id, enum desired desired, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const struct request request = { desired, SANDBOXES, sandbox_id, false };

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    check_sandbox(tx, project_id, sandbox_id, desired, e) < 0 ||
	    set_desired(tx, project_id, &request, e) < 0)
		return -1;
	if (desired == DESIRED_RUNNING && start_database(tx, project_id, e) < 0)
		return -1;
	if (store_settle_project(tx, project_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

/* ---- its database ---------------------------------------------------------------------------- */

/* `*ret_exists`: whether there is one; then `*ret_desired` is its desired state. */
static int find_database(struct db *tx, const char *project_id, bool *ret_exists,
			 enum desired *ret_desired, struct err *e)
{
	CLEANUP(db_result_free) PGresult *database = NULL;

	if (db_query(tx, &statements[STATEMENT_FIND_DATABASE], DB_ARGS(DB_TEXT(project_id)),
		     &database, e) < 0)
		return -1;
	*ret_exists = db_rows(database) > 0;
	return *ret_exists ? store_desired(database, 0, DATABASE_DESIRED, ret_desired, e) : 0;
}

static int create_database(struct db *tx, const char *user_id, const char *project_id,
			   const char *database_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(tx, &statements[STATEMENT_CREATE_DATABASE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(database_id)), &r,
		     &failed) < 0)
		return store_explain_conflict(&failed, e);
	if (!db_bool(r, 0, CREATE_HAS_CLUSTER))
		return store_kubeconfig_missing(e);
	if (db_query(tx, &statements[STATEMENT_BEGIN_DATABASE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(database_id)), NULL, e) < 0)
		return -1;
	return store_settle_project(tx, project_id, e);
}

int database_add(struct db *db, const char *user_id, const char *project_id,
		 const char *database_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	enum desired desired = DESIRED_RUNNING;
	bool exists;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    find_database(tx, project_id, &exists, &desired, e) < 0)
		return -1;
	if (desired == DESIRED_GONE)
		return err_set(e, ERR_CONFLICT, "DATABASE_GOING",
			       "The project's database is still being removed: add another one "
			       "when it is gone");
	if (!exists && create_database(tx, user_id, project_id, database_id, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int database_remove(struct db *db, const char *user_id, const char *project_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	const struct request gone = { DESIRED_GONE, DATABASES, NULL, false };
	enum desired desired = DESIRED_GONE;
	bool exists;

	if (db_begin(db, &tx, e) < 0 || store_lock_project(tx, user_id, project_id, NULL, e) < 0 ||
	    find_database(tx, project_id, &exists, &desired, e) < 0)
		return -1;
	if (!exists)
		return store_database_not_found(e);
	if (desired != DESIRED_GONE && (set_desired(tx, project_id, &gone, e) < 0 ||
					store_roll_sandboxes(tx, project_id, SANDBOX_ALL, e) < 0 ||
					store_settle_project(tx, project_id, e) < 0))
		return -1;
	return db_commit(&tx, e);
}
