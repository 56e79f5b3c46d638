#include "store/project_invitation.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "store/internal.h"
#include "store/membership.h"

enum find_column { FOUND_ID, FOUND_PROJECT, FOUND_OWNER, FOUND_ROLE };

enum statement {
	STATEMENT_USER,
	STATEMENT_IS_MEMBER,
	STATEMENT_ADD,
	STATEMENT_LIST,
	STATEMENT_WITHDRAW,
	STATEMENT_LIST_OWN,
	STATEMENT_DECLINE,
	STATEMENT_FIND,
	STATEMENT_TAKE,
	STATEMENT_JOIN,
};

/* The names of columns are members of what is shown. */
#define SHOWN(i)                                                                                   \
	i ".id, " i ".role, (SELECT name FROM users WHERE id = " i ".user_id) AS name,"            \
	  " iso8601(" i ".created_at) AS \"createdAt\", iso8601(" i                                \
	  ".expires_at) AS \"expiresAt\""

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_USER] = { "project_invitation_user",
		"SELECT id FROM users WHERE lower(name) = lower($1) AND disabled_at IS NULL LIMIT 2" },
	[STATEMENT_IS_MEMBER] = { "project_invitation_is_member",
		"SELECT FROM project_access WHERE project_id = $1 AND user_id = $2" },
	/* $1 project, $2 role, $3 user or $4 the link's hash, $5 how many there may be. Those that
	 * have ended make room. */
	[STATEMENT_ADD] = { "project_invitation_add",
		"WITH ended AS ("
		" DELETE FROM project_invitations WHERE project_id = $1 AND expires_at <= now()"
		"  AND (user_id IS NULL OR user_id IS DISTINCT FROM $3)"
		"), made AS ("
		" INSERT INTO project_invitations AS i (project_id, role, user_id, token_hash)"
		" SELECT $1, $2::project_role, $3, $4 WHERE $5::bigint >"
		"  (SELECT count(*) FROM project_members WHERE project_id = $1) +"
		"  (SELECT count(*) FROM project_invitations WHERE project_id = $1"
		"    AND expires_at > now() AND (user_id IS NULL OR user_id IS DISTINCT FROM $3))"
		" ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role,"
		"  created_at = now(), expires_at = excluded.expires_at RETURNING *"
		") SELECT " SHOWN("made") " FROM made" },
	[STATEMENT_LIST] = { "project_invitation_list",
		"SELECT " SHOWN("i") " FROM project_invitations i JOIN projects p ON p.id = i.project_id"
		" WHERE p.id = $1 AND p.user_id = $2 AND i.expires_at > now() ORDER BY i.created_at, i.id" },
	[STATEMENT_WITHDRAW] = { "project_invitation_withdraw",
		"DELETE FROM project_invitations i USING projects p WHERE i.id = $3 AND p.id = $1"
		" AND i.project_id = p.id AND p.user_id = $2 RETURNING true" },
	[STATEMENT_LIST_OWN] = { "project_invitation_list_own",
		"SELECT i.id, i.role, p.name AS project, u.name AS owner,"
		" iso8601(i.created_at) AS \"createdAt\", iso8601(i.expires_at) AS \"expiresAt\""
		" FROM project_invitations i JOIN projects p ON p.id = i.project_id"
		" JOIN users u ON u.id = p.user_id"
		" WHERE i.user_id = $1 AND i.expires_at > now() AND p.deleted_at IS NULL"
		" ORDER BY i.created_at DESC, i.id LIMIT 100" },
	[STATEMENT_DECLINE] = { "project_invitation_decline",
		"DELETE FROM project_invitations WHERE id = $1 AND user_id = $2 RETURNING true" },
	[STATEMENT_FIND] = { "project_invitation_find",
		"SELECT i.id, i.project_id, p.user_id, i.role"
		" FROM project_invitations i JOIN projects p ON p.id = i.project_id"
		" JOIN users u ON u.id = p.user_id"
		" WHERE (i.id = $1 AND i.user_id = $2 OR i.token_hash = $3) AND i.expires_at > now()"
		"  AND u.disabled_at IS NULL" },
	[STATEMENT_TAKE] = { "project_invitation_take",
		"DELETE FROM project_invitations WHERE id = $1 AND expires_at > now() RETURNING role" },
	[STATEMENT_JOIN] = { "project_invitation_join",
		"INSERT INTO project_members (project_id, user_id, role)"
		" VALUES ($1, $2, $3::project_role)" },
};
/* clang-format on */

static int not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "INVITATION_NOT_FOUND", "There is no such invitation");
}

static int invalid(struct err *e)
{
	return err_set(e, ERR_FORBIDDEN, "INVITATION_INVALID",
		       "This invitation is not valid, or not any more: it works once, and for "
		       "seven days. Ask the project's owner for another one");
}

/* ---- inviting -------------------------------------------------------------------------------- */

static int check_is_no_member(struct db *tx, const char *project_id, const char *user_id,
			      struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_IS_MEMBER],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return 0;
	return err_set(e, ERR_CONFLICT, "ALREADY_MEMBER", "They are a member of this project");
}

static int find_user(struct db *db, const char *name, char ret_id[STORE_ID_LENGTH + 1],
		     struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_USER], DB_ARGS(DB_TEXT(name)), &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return err_set(e, ERR_NOT_FOUND, "USER_NOT_FOUND", "There is no user of this name");
	if (db_rows(r) > 1)
		return err_set(e, ERR_CONFLICT, "USER_AMBIGUOUS",
			       "Several users have this name: invite them by a link");
	(void)snprintf(ret_id, STORE_ID_LENGTH + 1, "%s", db_text(r, 0, 0));
	return 0;
}

static int add(struct db *tx, const char *project_id, enum project_role role,
	       const struct db_arg user_id, const struct db_arg token_hash, json_t **ret_invitation,
	       struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (store_rows(tx, &statements[STATEMENT_ADD],
		       DB_ARGS(DB_TEXT(project_id), DB_TEXT(project_role_name(role)), user_id,
			       token_hash, DB_INT(PROJECT_MEMBERS_MAX)),
		       &rows, e) < 0)
		return -1;
	if (json_array_size(rows) == 0)
		return err_set(e, ERR_RATE_LIMITED, "MEMBER_QUOTA",
			       "A project has at most %d members, invitations included",
			       PROJECT_MEMBERS_MAX);
	*ret_invitation = json_incref(json_array_get(rows, 0));
	return 0;
}

int project_invite_user(struct db *tx, const char *owner_id, const char *project_id,
			const char *name, enum project_role role, json_t **ret_invitation,
			struct err *e)
{
	char user_id[STORE_ID_LENGTH + 1];

	if (store_lock_project(tx, owner_id, project_id, NULL, e) < 0 ||
	    find_user(tx, name, user_id, e) < 0 ||
	    check_is_no_member(tx, project_id, user_id, e) < 0)
		return -1;
	return add(tx, project_id, role, DB_TEXT(user_id), DB_NULL, ret_invitation, e);
}

int project_invite_by_link(struct db *tx, const char *owner_id, const char *project_id,
			   const uint8_t token_hash[TOKEN_HASH_BYTES], enum project_role role,
			   json_t **ret_invitation, struct err *e)
{
	if (store_lock_project(tx, owner_id, project_id, NULL, e) < 0)
		return -1;
	return add(tx, project_id, role, DB_NULL, DB_BYTES(token_hash, TOKEN_HASH_BYTES),
		   ret_invitation, e);
}

int project_invitation_list(struct db *db, const char *owner_id, const char *project_id,
			    json_t **ret_invitations, struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST],
			  DB_ARGS(DB_TEXT(project_id), DB_TEXT(owner_id)), ret_invitations, e);
}

int project_invitation_withdraw(struct db *tx, const char *owner_id, const char *project_id,
				const char *invitation_id, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (store_lock_project(tx, owner_id, project_id, NULL, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_WITHDRAW],
		     DB_ARGS(DB_TEXT(project_id), DB_TEXT(owner_id), DB_TEXT(invitation_id)), &r,
		     e) < 0)
		return -1;
	return db_rows(r) > 0 ? 0 : not_found(e);
}

/* ---- answering ------------------------------------------------------------------------------- */

int project_invitation_list_own(struct db *db, const char *user_id, json_t **ret_invitations,
				struct err *e)
{
	return store_rows(db, &statements[STATEMENT_LIST_OWN], DB_ARGS(DB_TEXT(user_id)),
			  ret_invitations, e);
}

int project_invitation_decline(struct db *tx, const char *user_id, const char *invitation_id,
			       struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_DECLINE],
		     DB_ARGS(DB_TEXT(invitation_id), DB_TEXT(user_id)), &r, e) < 0)
		return -1;
	return db_rows(r) > 0 ? 0 : not_found(e);
}

/* With the project locked, nobody else accepts or withdraws the invitation. */
static int take(struct db *tx, const PGresult *found,
		struct project_invitation_accepted *ret_accepted, struct err *e)
{
	CLEANUP(db_result_free) PGresult *taken = NULL;
	struct err failed;

	if (store_lock_project(tx, ret_accepted->owner_id, ret_accepted->project_id, NULL,
			       &failed) < 0) {
		if (failed.kind == ERR_NOT_FOUND)
			return invalid(e);
		*e = failed;
		return -1;
	}
	if (db_query(tx, &statements[STATEMENT_TAKE], DB_ARGS(DB_TEXT(db_text(found, 0, FOUND_ID))),
		     &taken, e) < 0)
		return -1;
	if (db_rows(taken) == 0)
		return invalid(e);
	return project_role_parse(db_text(taken, 0, 0), &ret_accepted->role)
		       ? 0
		       : err_set(e, ERR_INTERNAL, NULL, "a role that this version does not know");
}

int project_invitation_accept(struct db *tx, const char *user_id,
			      const struct project_invitation_key *key,
			      struct project_invitation_accepted *ret_accepted, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;
	struct project_invitation_accepted accepted = { .role = PROJECT_VIEWER };

	if (db_query(tx, &statements[STATEMENT_FIND],
		     DB_ARGS(DB_TEXT(key->id), DB_TEXT(user_id),
			     DB_BYTES(key->token_hash, key->token_hash ? TOKEN_HASH_BYTES : 0)),
		     &r, e) < 0)
		return -1;
	if (db_rows(r) == 0)
		return invalid(e);
	(void)snprintf(accepted.project_id, sizeof(accepted.project_id), "%s",
		       db_text(r, 0, FOUND_PROJECT));
	(void)snprintf(accepted.owner_id, sizeof(accepted.owner_id), "%s",
		       db_text(r, 0, FOUND_OWNER));
	if (take(tx, r, &accepted, e) < 0 ||
	    check_is_no_member(tx, accepted.project_id, user_id, e) < 0 ||
	    db_query(tx, &statements[STATEMENT_JOIN],
		     DB_ARGS(DB_TEXT(accepted.project_id), DB_TEXT(user_id),
			     DB_TEXT(project_role_name(accepted.role))),
		     NULL, e) < 0)
		return -1;
	*ret_accepted = accepted;
	return 0;
}
