/* fsactl user rename: renames a user. */
#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "domain/user.h"
#include "store/admin.h"

int command_user_rename(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *users = NULL;
	CLEANUP(json_decrefp) json_t *detail = NULL;
	CLEANUP(cleanup_free) char *old = NULL;
	const char *name = call->arguments[1];
	char id[STORE_ID_LENGTH + 1];

	if (admin_find_user(db, call->arguments[0], id, e) < 0 || user_name_check(name, e) < 0 ||
	    db_begin(db, &tx, e) < 0 || admin_rename_user(tx, id, name, &old, e) < 0)
		return -1;
	detail = json_pack("{s:s, s:s}", "from", old, "to", name);
	if (administrator_note_detail(tx, "admin.user.rename", "user", id, detail, e) < 0 ||
	    admin_users(tx, id, &users, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	if (!output_json(call, json_array_get(users, 0)))
		(void)printf("%s is called %s from now on, and logs in as such\n", id, name);
	return 0;
}
