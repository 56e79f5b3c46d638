#include "auth.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/access.h"
#include "web/router.h"
#include "web/session.h"

/* What somebody sees of their own sessions, and how they end them, one by one or all at once. */

const struct field auth_sessions_query[] = {
	{ .name = "others", .type = FIELD_BOOL },
	FIELDS_END,
};

int auth_sessions_get(struct call *c, struct err *e)
{
	json_t *sessions = NULL;

	if (session_list(c->db, c->session->user_id, c->session_hash, c->router->session_idle_ms,
			 &sessions, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", sessions));
	return 0;
}

/* A line of the audit, the commit, and the answer. */
static int ended(struct call *c, struct db **tx, const struct access_ended *done, bool own,
		 struct err *e)
{
	const struct router *router = c->router;

	c->db = *tx;
	if (call_audit(c, "session.delete", c->session->user_id, c->session->identity_id, e) < 0 ||
	    db_commit(tx, e) < 0)
		return -1;
	response_json(c->response, 200, access_ended_json(done));
	if (own)
		session_drop_cookie(c->response, router->secure, router->framed);
	return 0;
}

/* Sessions, API tokens and the tokens of terminals. DELETE ?others=true keeps the session that
 * asks. */
int auth_sessions_delete(struct call *c, struct err *e)
{
	bool others = field_bool(c->query, "others", false);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct access_ended done;

	if (db_begin(c->db, &tx, e) < 0 ||
	    access_end_all(tx, c->session->user_id, others ? c->session_hash : NULL, &done, e) < 0)
		return -1;
	return ended(c, &tx, &done, !others, e);
}

int auth_session_delete(struct call *c, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	struct access_ended done = { .sessions = 1 };

	if (db_begin(c->db, &tx, e) < 0 ||
	    session_end(tx, c->session->user_id, c->params[0], e) < 0 ||
	    access_renew_terminals(tx, c->session->user_id, &done.terminals, e) < 0)
		return -1;
	return ended(c, &tx, &done, false, e);
}
