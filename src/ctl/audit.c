/* Reading the audit, and adding to it. */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
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

/* Who called sudo, if that is how we run: root is nobody in particular. */
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
	json_t *detail = json_pack("{s:s}", "administrator", administrator());
	const struct audit_entry entry = {
		.action = action,
		.object_type = object_type,
		.object_id = object_id,
		.detail = detail,
	};
	int result = audit_add(tx, &entry, e);

	json_decref(detail);
	return result;
}

int command_audit(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	struct admin_audit_filter filter = { .action = call->options[OPTION_ACTION] };
	char user_id[STORE_ID_LENGTH + 1];
	json_t *rows;

	if (call_number(call, OPTION_LIMIT, LINES_MAX, LINES_DEFAULT, &filter.limit, e) < 0)
		return -1;
	if (call->options[OPTION_USER] != NULL) {
		if (admin_find_user(db, call->options[OPTION_USER], user_id, e) < 0)
			return -1;
		filter.user_id = user_id;
	}
	if (admin_audit(db, &filter, &rows, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), rows);
	json_decref(rows);
	return 0;
}
