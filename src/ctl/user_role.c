/* fsactl user role: who may use the console's administration. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "store/admin.h"

static int check_role(const char *role, struct err *e)
{
	if (strcmp(role, "admin") == 0 || strcmp(role, "user") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "USAGE", "there is no role \"%s\"; there are: admin, user",
		       role);
}

int command_user_role(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *users = NULL;
	const char *role = call->arguments[1];
	CLEANUP(json_decrefp) json_t *detail = json_pack("{s:s}", "to", role);
	char id[STORE_ID_LENGTH + 1];

	if (check_role(role, e) < 0 || admin_find_user(db, call->arguments[0], id, e) < 0 ||
	    db_begin(db, &tx, e) < 0 || admin_set_role(tx, id, role, e) < 0 ||
	    administrator_note_detail(tx, "admin.user.role", "user", id, detail, e) < 0 ||
	    admin_users(tx, id, &users, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	if (!output_json(call, json_array_get(users, 0)))
		(void)printf(strcmp(role, "admin") == 0
				     ? "%s may use the console's administration\n"
				     : "%s may not use the console's administration any more\n",
			     id);
	return 0;
}
