#include "auth.h"

#include "db/migrate.h"
#include "store/user.h"
#include "store/writable.h"
#include "web/json.h"

/* No user can have this name. */
#define NOBODY "-"

/* Makes the database queries of a login, without hashing a password, which is expensive on purpose.
 * nginx requests it for /readyz. */
int auth_ready(struct call *c, struct err *e)
{
	struct password_identity found;

	if (migrate_check(c->db, e) < 0 || user_find_password(c->db, NOBODY, &found, e) < 0 ||
	    writable_check_rights(c->db, WRITABLE_BY_AUTH, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:s}", "status", "ok"));
	return 0;
}
