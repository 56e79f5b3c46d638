#include "store/membership.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"

enum access_column { ACCESS_OWNER, ACCESS_ROLE };

enum statement {
	STATEMENT_ACCESS,
	STATEMENT_SHARED,
	STATEMENT_LIST,
	STATEMENT_SET_ROLE,
	STATEMENT_END,
	STATEMENT_NOTE_TOKEN,
};

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_ACCESS] = { "project_access_get",
		"SELECT p.user_id, (SELECT a.role FROM project_access a"
		"  WHERE a.project_id = p.id AND a.user_id = $2)"
		" FROM projects p WHERE p.id = $1" },
	/* The names of columns are members of what is shown. */
	[STATEMENT_SHARED] = { "project_access_shared",
		"SELECT a.project_id AS id, a.role, u.name AS owner"
		" FROM project_access a JOIN users u ON u.id = a.owner_id"
		" WHERE a.user_id = $1 AND a.role <> 'owner'" },
	[STATEMENT_LIST] = { "membership_list",
		"SELECT u.id, u.name, a.role, iso8601(coalesce(m.added_at, p.created_at)) AS \"addedAt\""
		" FROM project_access a JOIN users u ON u.id = a.user_id"
		" JOIN projects p ON p.id = a.project_id"
		" LEFT JOIN project_members m ON m.project_id = a.project_id AND m.user_id = a.user_id"
		" WHERE a.project_id = $1 AND a.owner_id = $2"
		" ORDER BY a.role, lower(u.name), u.id" },
	[STATEMENT_SET_ROLE] = { "membership_set_role",
		"UPDATE project_members SET role = $3::project_role"
		" WHERE project_id = $1 AND user_id = $2 RETURNING true" },
	[STATEMENT_END] = { "membership_end",
		"DELETE FROM project_members WHERE project_id = $1 AND user_id = $2 RETURNING true" },
	[STATEMENT_NOTE_TOKEN] = { "membership_note_token",
		"UPDATE project_members SET token_until ="
		"  greatest(token_until, now() + $3::bigint * interval '1 second')"
		" WHERE project_id = $1 AND user_id = $2" },
};
/* clang-format on */

int project_access_get(struct db *db, const char *user_id, const char *project_id,
		       struct project_access *ret_access, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct project_access access = { .role = PROJECT_OWNER };

	if (db_query(db, &statements[STATEMENT_ACCESS],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	bool found = db_rows(r) > 0;
	const char *role = found ? db_text(r, 0, ACCESS_ROLE) : project_role_name(PROJECT_OWNER);
	if (role == NULL)
		return store_project_not_found(e);
	if (!project_role_parse(role, &access.role))
		return err_set(e, ERR_INTERNAL, NULL, "the role %s is none of this version's",
			       role);
	(void)snprintf(access.owner_id, sizeof(access.owner_id), "%s",
		       found ? db_text(r, 0, ACCESS_OWNER) : user_id);
	*ret_access = access;
	return 0;
}

int project_access_hold(struct db *tx, const char *user_id, const char *project_id,
			struct project_access *ret_access, struct err *e)
{
	if (project_access_get(tx, user_id, project_id, ret_access, e) < 0)
		return -1;
	if (ret_access->role == PROJECT_OWNER)
		return 0;
	/* Somebody may have removed them before the project was locked. */
	if (store_lock_project(tx, ret_access->owner_id, project_id, NULL, e) < 0)
		return -1;
	return project_access_get(tx, user_id, project_id, ret_access, e);
}

int project_access_shared(struct db *db, const char *user_id, json_t **ret_shared, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;
	size_t index;
	json_t *row;

	if (store_rows(db, &statements[STATEMENT_SHARED], DB_ARGS(DB_TEXT(user_id)), &rows, e) < 0)
		return -1;
	json_t *shared = json_object();
	json_array_foreach(rows, index, row)
	{
		CLEANUP(json_decrefp) json_t *id = json_incref(json_object_get(row, "id"));
		json_object_del(row, "id");
		json_object_set(shared, json_string_value(id), row);
	}
	*ret_shared = shared;
	return 0;
}

int membership_list(struct db *db, const char *owner_id, const char *project_id,
		    json_t **ret_members, struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(db, &statements[STATEMENT_LIST],
		       DB_ARGS(DB_TEXT(project_id), DB_TEXT(owner_id)), &rows, e) < 0)
		return -1;
	if (json_array_size(rows) == 0)
		return store_project_not_found(e);
	*ret_members = STEAL(rows);
	return 0;
}

/* Changes the row of one member, in a project of that owner. */
static int change(struct db *tx, const struct db_statement *statement, const char *owner_id,
		  const char *project_id, const struct db_args *args, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (store_lock_project(tx, owner_id, project_id, NULL, e) < 0 ||
	    db_query(tx, statement, args, &r, e) < 0)
		return -1;
	if (db_rows(r) > 0)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "MEMBER_NOT_FOUND", "This project has no such member");
}

int membership_set_role(struct db *tx, const char *owner_id, const char *project_id,
			const char *member_id, enum project_role role, struct err *e)
{
	return change(
		tx, &statements[STATEMENT_SET_ROLE], owner_id, project_id,
		DB_ARGS(DB_TEXT(project_id), DB_TEXT(member_id), DB_TEXT(project_role_name(role))),
		e);
}

int membership_end(struct db *tx, const char *owner_id, const char *project_id,
		   const char *member_id, struct err *e)
{
	return change(tx, &statements[STATEMENT_END], owner_id, project_id,
		      DB_ARGS(DB_TEXT(project_id), DB_TEXT(member_id)), e);
}

int membership_note_token(struct db *tx, const char *project_id, const char *member_id,
			  int64_t lifetime_s, struct err *e)
{
	return db_query(tx, &statements[STATEMENT_NOTE_TOKEN],
			DB_ARGS(DB_TEXT(project_id), DB_TEXT(member_id), DB_INT(lifetime_s)), NULL,
			e);
}
