#ifndef FSA_WEB_ROUTER_H
#define FSA_WEB_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "store/budget.h"
#include "web/io.h"
#include "web/route.h"

/*
 * The router: serves one request by a route table. In this order, and the first that fails is the
 * answer: head, route, session, CSRF, body and query by their tables, the user's budget of changes;
 * then what the handler needs prepared; then the caller's role in the path's project, and the
 * handler; for ROUTE_TRANSACTION in a transaction around the role, Idempotency-Key, maintenance,
 * handler and audit. Of a member the role is read again, after the handler or, for a change, with
 * the project locked before it. Then the wake file, the answer, and a line in the log. It is the
 * only place that logs errors of requests and turns them into HTTP.
 *
 * Nothing of a request outlives it.
 */
struct router {
	const struct route *routes;
	struct db *db;
	void *context;
	bool development;
	bool secure; /* the site has https */
	bool framed; /* other sites may show ours in a frame */
	bool takes_api_tokens;
	const char *public_origin;
	const char *wake_file;
	uint64_t session_idle_ms;
	uint64_t idempotency_ttl_ms;
	struct budget_limit budget; /* of each user, for what changes something */
	/* For the responses that are kept for a repeated Idempotency-Key, which may contain what
	 * only their owner may see. NULL where no route is ROUTE_IDEMPOTENT. */
	route_keep_fn *seal, *unseal;
};

void router_serve(const struct router *router, const struct web_io *io);

/* A line of the audit, "session.create", about the object that the handler named or the path's
 * first id. The router does it for ROUTE_TRANSACTION; the handler of another route that changes
 * something does. `user_id` and `identity_id` NULL: an unknown user. The line says if an API token
 * was used. */
int call_audit(const struct call *c, const char *action, const char *user_id,
	       const char *identity_id, struct err *e);

#endif
