/* Reading the audit, and adding to it. */
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "store/admin.h"
#include "store/audit.h"

enum { LINES_DEFAULT = 50, LINES_MAX = 100000 };

static const struct output_column columns[] = {
	{ "at", "AT" },
	{ "user", "USER" },
	{ "action", "ACTION" },
	{ "objectType", "OBJECT" },
	{ "objectId", "ID" },
	{ "address", "FROM" },
	{ "requestId", "REQUEST" },
	{ "detail", "DETAIL" },
};

/* Returns who called sudo, if that is how we run: root is nobody in particular. */
static const char *administrator(void)
{
	const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *entry = getpwuid(getuid());

	if (name != NULL)
		return name;
	return entry != NULL ? entry->pw_name : "unknown";
}

int administrator_note(struct db *tx, const char *action, const char *object_type,
		       const char *object_id, struct err *e)
{
	return administrator_note_to(tx, NULL, action, object_type, object_id, e);
}

int administrator_note_to(struct db *tx, const char *user_id, const char *action,
			  const char *object_type, const char *object_id, struct err *e)
{
	CLEANUP(json_decrefp) json_t *more = json_pack("{s:s*}", "user", user_id);

	return administrator_note_detail(tx, action, object_type, object_id, more, e);
}

int administrator_note_detail(struct db *tx, const char *action, const char *object_type,
			      const char *object_id, json_t *more, struct err *e)
{
	CLEANUP(json_decrefp)
	json_t *detail = json_pack("{s:s}", "administrator", administrator());
	const struct audit_entry entry = {
		.action = action,
		.object_type = object_type,
		.object_id = object_id,
		.detail = detail,
	};

	(void)json_object_update(detail, more);
	return audit_add(tx, &entry, e);
}

/* Parses a duration before now, or a time. */
static void read_since(const struct call *call, struct admin_audit_filter *filter)
{
	const char *since = call->options[OPTION_SINCE];

	if (since != NULL && !parse_duration_ms(since, &filter->since_ms))
		filter->since = since;
}

static int list(struct db *db, const struct admin_audit_filter *filter, json_t **ret_rows,
		struct err *e)
{
	if (admin_audit(db, filter, ret_rows, e) == 0)
		return 0;
	if (e->kind == ERR_INVALID && filter->since != NULL)
		err_set(e, ERR_INVALID, "USAGE",
			"--since: \"%s\" is neither a duration (30m, 2h, 7d) nor a time in UTC "
			"(2026-11-29, 2026-11-29T10:00Z)",
			filter->since);
	return -1;
}

/* Audit lines outlive their users, so an id need not belong to an existing user. */
static int find_user(struct db *db, const char *reference, char ret_user_id[STORE_ID_LENGTH + 1],
		     struct err *e)
{
	if (!parse_is_uuid(reference))
		return admin_find_user(db, reference, ret_user_id, e);
	for (size_t i = 0; i <= STORE_ID_LENGTH; i++)
		ret_user_id[i] = (char)tolower((unsigned char)reference[i]);
	return 0;
}

int command_audit(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	struct admin_audit_filter filter = { .action = call->options[OPTION_ACTION] };
	CLEANUP(json_decrefp) json_t *rows = NULL;
	char user_id[STORE_ID_LENGTH + 1];

	if (call_number(call, OPTION_LIMIT, LINES_MAX, LINES_DEFAULT, &filter.limit, e) < 0)
		return -1;
	if (call->options[OPTION_USER] != NULL) {
		if (find_user(db, call->options[OPTION_USER], user_id, e) < 0)
			return -1;
		filter.user_id = user_id;
	}
	read_since(call, &filter);
	if (list(db, &filter, &rows, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), rows);
	return 0;
}
