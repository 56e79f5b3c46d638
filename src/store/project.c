#include "store/project.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/limit.h"

enum create_column { CREATE_ID, CREATE_HAS_CLUSTER };

enum statement {
	STATEMENT_CREATE,
	STATEMENT_CHANGE,
	STATEMENT_LIFETIME,
	STATEMENT_IDLE,
	STATEMENT_KEEP,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	/* One statement, for one round trip. $1 user, $2-$4 the project, $5 and $6 the sandbox and
	 * its terminal's token, $7 the database (NULL: none), $8 the size, $9 hours to its end, $10
	 * the image, $11 the cluster's name. Triggers complete the parts, and insert nothing when
	 * the user has as many projects as they may; one finds the resource of a sandbox, so `s`
	 * comes after `r`. */
	[STATEMENT_CREATE] = { "project_create",
		"WITH cluster AS ("
		" SELECT id FROM clusters WHERE user_id = $1 AND name = coalesce($11, 'default')"
		"  FOR KEY SHARE"
		"), p AS ("
		" INSERT INTO projects (user_id, name, description, kube_name, expires_at, cluster_id)"
		" SELECT $1, $2, $3, $4, now() + $9::bigint * interval '1 hour',"
		"  nullif(id, $1::uuid)"
		" FROM cluster RETURNING id"
		"), r AS ("
		" INSERT INTO resources (id, project_id, user_id, kind, stage)"
		" SELECT given.id, p.id, $1, given.kind, CASE WHEN $7::uuid IS NULL"
		"  THEN 'container'::stage ELSE 'database' END FROM p, (VALUES"
		"  ($5::uuid, 'SANDBOX'::resource_kind),"
		"  ($7::uuid, 'DATABASE')) AS given (id, kind)"
		" WHERE given.id IS NOT NULL RETURNING id, kind"
		"), s AS ("
		" INSERT INTO sandboxes (resource_id, terminal_token_sealed, size, chosen_image)"
		" SELECT id, $6, $8, $10 FROM r WHERE kind = 'SANDBOX'"
		"), d AS ("
		" INSERT INTO databases (resource_id) SELECT $7 FROM p"
		" WHERE $7::uuid IS NOT NULL"
		"), noted AS ("
		" INSERT INTO events (project_id, status)"
		" SELECT id, 'CREATING' FROM p"
		") SELECT (SELECT id FROM p), EXISTS (SELECT FROM cluster)" },
	[STATEMENT_CHANGE] = { "project_change",
		"UPDATE projects SET name = coalesce($3, name),"
		"  description = coalesce($4, description), wake = coalesce($5, wake),"
		"  updated_at = now()"
		" WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL"
		" RETURNING id" },
	[STATEMENT_LIFETIME] = { "project_lifetime",
		"UPDATE projects SET expires_at = now() + $3::bigint * interval '1 hour',"
		" updated_at = now()"
		" WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING id" },
	[STATEMENT_IDLE] = { "project_idle",
		"UPDATE projects SET idle_after = $3::bigint * interval '1 minute',"
		" updated_at = now()"
		" WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING id" },
	[STATEMENT_KEEP] = { "project_keep",
		"UPDATE projects SET keep_until = now() + $3::bigint * interval '1 hour',"
		" updated_at = now()"
		" WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING id" },
};
/* clang-format on */

#define HOURS(hours) ((hours) > 0 ? DB_INT(hours) : DB_NULL)

static int cluster_unknown(struct err *e)
{
	return err_set(e, ERR_UNPROCESSABLE, "CLUSTER_UNKNOWN",
		       "You have no cluster of this name: GET /api/clusters lists yours");
}

int store_explain_conflict(const struct err *failed, struct err *e)
{
	if (limit_explain(failed, e))
		return -1;
	if (strcmp(failed->code, "sandboxes_size") == 0)
		return err_set(e, ERR_UNPROCESSABLE, "SIZE_UNKNOWN",
			       "There is no such size: GET /api/sizes lists those that there are");
	if (strcmp(failed->code, "sandboxes_image") == 0)
		return err_set(
			e, ERR_UNPROCESSABLE, "IMAGE_UNKNOWN",
			"There is no such image: GET /api/images lists those that there are, and "
			"patterns of those that may be chosen");
	if (strcmp(failed->code, "projects_cluster") == 0) /* removed at this moment */
		return cluster_unknown(e);
	if (failed->kind != ERR_CONFLICT) {
		if (e != NULL)
			*e = *failed;
		return -1;
	}
	if (strcmp(failed->code, "projects_name") == 0)
		return err_set(e, ERR_CONFLICT, "PROJECT_EXISTS",
			       "You have a project of this name already");
	return err_set(e, ERR_CONFLICT, "NAME_COLLISION",
		       "A generated name is in use already: try again");
}

int store_kubeconfig_missing(struct err *e)
{
	return err_set(e, ERR_UNPROCESSABLE, "KUBECONFIG_MISSING",
		       "No kubeconfig is stored: put one in the settings first");
}

int project_create(struct db *db, const struct project_new *project,
		   char ret_project_id[STORE_ID_LENGTH + 1], struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(db, &statements[STATEMENT_CREATE],
		     DB_ARGS(DB_TEXT(project->user_id), DB_TEXT(project->name),
			     DB_TEXT(project->description), DB_TEXT(project->kube_name),
			     STORE_SANDBOX(project->sandbox), DB_TEXT(project->database_id),
			     DB_TEXT(project->sandbox->size), HOURS(project->lifetime_hours),
			     DB_TEXT(project->sandbox->image), DB_TEXT(project->cluster)),
		     &r, &failed) < 0)
		return store_explain_conflict(&failed, e);
	if (!db_bool(r, 0, CREATE_HAS_CLUSTER))
		return project->cluster != NULL ? cluster_unknown(e) : store_kubeconfig_missing(e);
	const char *id = db_text(r, 0, CREATE_ID);
	if (id == NULL)
		return limit_reached(db, project->user_id, LIMIT_PROJECTS, e);
	(void)snprintf(ret_project_id, STORE_ID_LENGTH + 1, "%s", id);
	return 0;
}

int project_change(struct db *db, const char *user_id, const char *project_id,
		   const struct project_change *change, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct err failed;

	if (db_query(db, &statements[STATEMENT_CHANGE],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id), DB_TEXT(change->name),
			     DB_TEXT(change->description), DB_TEXT(change->wake)),
		     &r, &failed) < 0)
		return store_explain_conflict(&failed, e);
	return db_rows(r) > 0 ? 0 : store_project_not_found(e);
}

/* One that has three parameters: project, user and a number (negative: NULL). */
static int set_number(struct db *db, enum statement statement, const char *user_id,
		      const char *project_id, int64_t number, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[statement],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id),
			     number >= 0 ? DB_INT(number) : DB_NULL),
		     &r, e) < 0)
		return -1;
	return db_rows(r) > 0 ? 0 : store_project_not_found(e);
}

int project_set_lifetime(struct db *db, const char *user_id, const char *project_id, unsigned hours,
			 struct err *e)
{
	return set_number(db, STATEMENT_LIFETIME, user_id, project_id,
			  hours > 0 ? (int64_t)hours : -1, e);
}

int project_set_idle(struct db *db, const char *user_id, const char *project_id, int64_t minutes,
		     struct err *e)
{
	return set_number(db, STATEMENT_IDLE, user_id, project_id, minutes, e);
}

int project_keep(struct db *db, const char *user_id, const char *project_id, unsigned hours,
		 struct err *e)
{
	return set_number(db, STATEMENT_KEEP, user_id, project_id, hours > 0 ? (int64_t)hours : -1,
			  e);
}
