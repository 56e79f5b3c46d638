/* fsactl user …: see and end what people can do. */
#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/user_parts.h"
#include "store/access.h"
#include "store/admin.h"
#include "store/api_token.h"
#include "store/kubeconfig_check.h"
#include "store/limit.h"

static const struct output_column list_columns[] = {
	{ "id", "ID" },
	{ "name", "NAME" },
	{ "providers", "LOGIN" },
	{ "role", "ROLE" },
	{ "projects", "PROJECTS" },
	{ "sessions", "SESSIONS" },
	{ "lastSeenAt", "LAST SEEN" },
	{ "invitedUntil", "INVITED UNTIL" },
	{ "disabledAt", "DISABLED" },
	{ "deletedAt", "BEING DELETED" },
};

static const struct output_column user_fields[] = {
	{ "id", "id" },
	{ "name", "name" },
	{ "role", "role" },
	{ "createdAt", "created" },
	{ "lastSeenAt", "last seen" },
	{ "invitedUntil", "invited until" },
	{ "disabledAt", "disabled" },
	{ "deletedAt", "being deleted since" },
};

static const struct output_column identity_columns[] = {
	{ "provider", "PROVIDER" },
	{ "providerUserId", "KNOWN THERE AS" },
	{ "isPrimary", "PRIMARY" },
	{ "createdAt", "CREATED" },
};

static const struct output_column cluster_columns[] = {
	{ "name", "NAME" },           { "region", "REGION" },    { "server", "SERVER" },
	{ "namespace", "NAMESPACE" }, { "account", "ACCOUNT" },  { "expiresAt", "EXPIRES" },
	{ "expired", "EXPIRED" },     { "updatedAt", "STORED" },
};

static const struct output_column check_columns[] = {
	{ "name", "CHECKED" },
	{ "status", "RESULT" },
	{ "headline", "TOLD" },
	{ "detail", "DETAIL" },
};

static const struct output_column session_columns[] = {
	{ "provider", "LOGIN" },    { "createdAt", "SINCE" }, { "lastSeenAt", "LAST SEEN" },
	{ "expiresAt", "EXPIRES" }, { "address", "FROM" },    { "userAgent", "WITH" },
};

static const struct output_column token_columns[] = {
	{ "name", "NAME" },         { "scope", "SCOPE" },
	{ "createdAt", "CREATED" }, { "lastUsedAt", "LAST USED" },
	{ "expiresAt", "EXPIRES" },
};

static const struct output_column project_columns[] = {
	{ "id", "ID" },
	{ "name", "NAME" },
	{ "status", "STATUS" },
	{ "causes", "CAUSE" },
};

int command_user_list(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *rows = NULL;

	if (admin_users(db, NULL, &rows, e) < 0)
		return -1;
	output_list(call, list_columns, ARRAY_SIZE(list_columns), rows);
	return 0;
}

/* Reads everything about one user, as one object. */
static int read_user(struct db *db, const char *user_id, json_t **ret_user, struct err *e)
{
	const struct admin_project_filter all = { .user_id = user_id, .all = true };
	CLEANUP(json_decrefp) json_t *users = NULL;
	CLEANUP(json_decrefp) json_t *identities = NULL;
	CLEANUP(json_decrefp) json_t *clusters = NULL;
	CLEANUP(json_decrefp) json_t *sessions = NULL;
	CLEANUP(json_decrefp) json_t *tokens = NULL;
	CLEANUP(json_decrefp) json_t *projects = NULL;
	CLEANUP(json_decrefp) json_t *limits = NULL;
	json_t *check;

	if (admin_users(db, user_id, &users, e) < 0 ||
	    admin_identities(db, user_id, &identities, e) < 0 ||
	    admin_clusters(db, user_id, &clusters, e) < 0 ||
	    admin_sessions(db, user_id, &sessions, e) < 0 ||
	    api_token_list(db, user_id, &tokens, e) < 0 ||
	    admin_projects(db, &all, &projects, e) < 0 || limit_list(db, user_id, &limits, e) < 0 ||
	    kubeconfig_check_get(db, user_id, &check, e) < 0)
		return -1;
	json_t *user = json_incref(json_array_get(users, 0));
	(void)json_object_set(user, "identities", identities);
	(void)json_object_set(user, "clusters", clusters);
	(void)json_object_set_new(user, "kubeconfigCheck", check != NULL ? check : json_null());
	(void)json_object_set(user, "sessionList", sessions);
	(void)json_object_set(user, "tokens", tokens);
	(void)json_object_set(user, "projectList", projects);
	(void)json_object_set(user, "limits", limits);
	*ret_user = user;
	return 0;
}

int command_user_show(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *user = NULL;
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0 || read_user(db, id, &user, e) < 0)
		return -1;
	if (output_json(call, user))
		return 0;
	output_fields(user_fields, ARRAY_SIZE(user_fields), user);
	output_table("identities", identity_columns, ARRAY_SIZE(identity_columns),
		     json_object_get(user, "identities"));
	output_table("cluster", cluster_columns, ARRAY_SIZE(cluster_columns),
		     json_object_get(user, "clusters"));
	output_table("kubeconfig", check_columns, ARRAY_SIZE(check_columns),
		     json_object_get(json_object_get(user, "kubeconfigCheck"), "checks"));
	output_table("sessions", session_columns, ARRAY_SIZE(session_columns),
		     json_object_get(user, "sessionList"));
	output_table("API tokens", token_columns, ARRAY_SIZE(token_columns),
		     json_object_get(user, "tokens"));
	output_table("projects", project_columns, ARRAY_SIZE(project_columns),
		     json_object_get(user, "projectList"));
	output_table("limits", user_limit_columns, user_limit_column_count,
		     json_object_get(user, "limits"));
	return 0;
}

static int set_disabled(const struct call *call, bool disabled, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *users = NULL;
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    admin_set_disabled(tx, id, disabled, e) < 0 ||
	    administrator_note(tx, disabled ? "admin.user.disable" : "admin.user.enable", "user",
			       id, e) < 0 ||
	    admin_users(tx, id, &users, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	if (!output_json(call, json_array_get(users, 0)))
		(void)printf(disabled ? "disabled %s: all sessions have ended, terminals have "
					"other tokens\n"
				      : "enabled %s: a login is possible again\n",
			     id);
	return 0;
}

int command_user_disable(const struct call *call, struct err *e)
{
	return set_disabled(call, true, e);
}

int command_user_enable(const struct call *call, struct err *e)
{
	return set_disabled(call, false, e);
}

static int end_sessions(const struct call *call, struct db *db, const char *user_id, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *done = NULL;
	struct access_ended ended;

	if (db_begin(db, &tx, e) < 0 || access_end_all(tx, user_id, NULL, &ended, e) < 0 ||
	    administrator_note(tx, "admin.user.end-sessions", "user", user_id, e) < 0 ||
	    db_commit(&tx, e) < 0)
		return -1;
	done = json_pack("{s:I, s:I, s:I}", "ended", (json_int_t)ended.sessions, "tokens",
			 (json_int_t)ended.tokens, "terminals", (json_int_t)ended.terminals);
	if (!output_json(call, done))
		(void)printf("ended %lld sessions, deleted %lld API tokens, renewed the tokens of "
			     "%lld terminals\n",
			     (long long)ended.sessions, (long long)ended.tokens,
			     (long long)ended.terminals);
	return 0;
}

int command_user_sessions(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *rows = NULL;
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0)
		return -1;
	if (call->options[OPTION_END] != NULL)
		return end_sessions(call, db, id, e);
	if (admin_sessions(db, id, &rows, e) < 0)
		return -1;
	output_list(call, session_columns, ARRAY_SIZE(session_columns), rows);
	return 0;
}
