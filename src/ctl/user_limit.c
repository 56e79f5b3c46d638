/* fsactl user limit: limits of one user that differ from the defaults. */
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/user_parts.h"
#include "store/admin.h"
#include "store/limit.h"

const struct output_column user_limit_columns[] = {
	{ "kind", "LIMIT" },
	{ "limit", "AT MOST" },
	{ "used", "USED" },
	{ "isException", "EXCEPTION" },
};
const size_t user_limit_column_count = ARRAY_SIZE(user_limit_columns);

/* -1: the default. */
static int read_value(const char *text, int64_t *ret_value, struct err *e)
{
	uint64_t number;

	*ret_value = -1;
	if (strcmp(text, "default") == 0)
		return 0;
	if (!parse_u64(text, 0, LIMIT_MAX, &number))
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is neither a number from 0 to %d nor \"default\"", text,
			       LIMIT_MAX);
	*ret_value = (int64_t)number;
	return 0;
}

static int set(struct db *db, const char *user_id, const char *name, const char *text,
	       struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *detail = json_pack("{s:s, s:s}", "limit", name, "to", text);
	enum limit_kind kind;
	int64_t value;

	if (limit_find(name, &kind, e) < 0 || read_value(text, &value, e) < 0 ||
	    db_begin(db, &tx, e) < 0 || limit_set(tx, user_id, kind, value, e) < 0 ||
	    administrator_note_detail(tx, "admin.user.limit", "user", user_id, detail, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

int command_user_limit(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *limits = NULL;
	char id[STORE_ID_LENGTH + 1];

	if (call->argument_count == 2)
		return err_set(e, ERR_INVALID, "USAGE",
			       "%s: a number, or \"default\", has to follow", call->arguments[1]);
	if (admin_find_user(db, call->arguments[0], id, e) < 0)
		return -1;
	if (call->argument_count == 3 && set(db, id, call->arguments[1], call->arguments[2], e) < 0)
		return -1;
	if (limit_list(db, id, &limits, e) < 0)
		return -1;
	output_list(call, user_limit_columns, user_limit_column_count, limits);
	return 0;
}
