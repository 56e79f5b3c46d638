#include "auth.h"

#include <string.h>

#include "base/cleanup.h"
#include "store/access.h"
#include "web/router.h"
#include "web/session.h"

/* How users list their sessions and end them, one by one or all at once. */

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

/* Ends sessions, API tokens and terminals' tokens. DELETE ?others=true keeps the session that sends
 * it. */
int auth_sessions_delete(struct call *c, struct err *e)
{
	bool others = field_bool(c->query, "others", false);
	struct access_ended ended;

	if (access_end_all(c->db, c->session->user_id, others ? c->session_hash : NULL, &ended, e) <
	    0)
		return -1;
	response_json(c->response, 200, access_ended_json(&ended));
	if (!others)
		session_drop_cookie(c->response, c->router->secure, c->router->framed);
	return 0;
}

int auth_session_delete(struct call *c, struct err *e)
{
	struct access_ended ended = { .sessions = 1 };

	if (session_end(c->db, c->session->user_id, c->params[0], e) < 0 ||
	    access_renew_terminals(c->db, c->session->user_id, &ended.terminals, e) < 0)
		return -1;
	response_json(c->response, 200, access_ended_json(&ended));
	return 0;
}
