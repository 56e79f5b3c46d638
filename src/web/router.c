#include "web/router.h"

#include <ctype.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "store/budget.h"
#include "store/contexts.h"
#include "store/idempotency.h"
#include "store/maintenance.h"
#include "store/membership.h"
#include "web/csrf.h"
#include "web/idempotency_key.h"
#include "web/json.h"
#include "web/page.h"
#include "web/session.h"
#include "web/wake.h"

enum {
	LARGE_ANSWER = 131072,
	SEALED_OVERHEAD_MAX = 1024, /* for the seal and its context */
};

/* A call and what it owns. */
struct serving {
	struct call call;
	struct request *request;
	struct route_match match;
	struct session session;
	struct project_access access; /* if it was read with the session; else owner_id is "" */
	json_t *body, *query;
	struct response *response;
};

/* With what the user is to the path's project, if that may be read so early: a change reads it in
 * its transaction. */
static int find_session(struct serving *s, struct err *e)
{
	const struct router *router = s->call.router;
	const struct route *route = s->match.route;
	const char *project_id = route_param(route, s->call.params, "projectId");

	if (project_id == NULL || (route->flags & ROUTE_TRANSACTION) != 0)
		return session_find(router->db, s->call.session_hash, router->session_idle_ms,
				    &s->session, e);
	return session_find_for(router->db, s->call.session_hash, router->session_idle_ms,
				project_id, &s->session, &s->access, e);
}

/* Identifies the user, with one statement, and the credential. */
static int identify(struct serving *s, enum credential *ret_credential, struct err *e)
{
	const struct router *router = s->call.router;
	char token[API_TOKEN_LENGTH + 1];
	uint8_t *hash = s->call.session_hash;

	if (session_token(s->request, router->secure, token, ret_credential, e) < 0)
		return -1;
	token_hash(token, hash);
	explicit_bzero(token, sizeof(token));
	if (*ret_credential != CREDENTIAL_API_TOKEN) {
		if (find_session(s, e) < 0)
			return -1;
	} else if (!router->takes_api_tokens) {
		return err_set(e, ERR_FORBIDDEN, "SESSION_REQUIRED",
			       "an API token cannot do this: log in");
	} else if (api_token_find(router->db, hash, &s->session, e) < 0) {
		return -1;
	}
	s->call.session = &s->session;
	memcpy(s->call.owner_id, s->session.user_id, sizeof(s->call.owner_id));
	return 0;
}

/* Who has no session, or one that has ended, is a visitor like any other. */
static int identify_if_needed(struct serving *s, enum credential *ret_credential, struct err *e)
{
	enum route_auth auth = s->match.route->auth;

	if (auth != ROUTE_SESSION && auth != ROUTE_VISITOR)
		return 0;
	if (identify(s, ret_credential, e) == 0)
		return 0;
	return auth == ROUTE_VISITOR && e->kind == ERR_UNAUTHENTICATED ? 0 : -1;
}

static int authenticate(struct serving *s, struct err *e)
{
	enum credential credential = CREDENTIAL_NONE;

	if (identify_if_needed(s, &credential, e) < 0)
		return -1;
	if (s->session.read_only && (s->match.route->flags & (ROUTE_CHANGES | ROUTE_SECRET)) != 0)
		return err_set(e, ERR_FORBIDDEN, "SCOPE",
			       "this API token may read, not change anything or see secrets: make "
			       "one with the scope \"write\"");
	if ((s->match.route->flags & ROUTE_CHANGES) == 0)
		return 0;
	if (credential == CREDENTIAL_BEARER || credential == CREDENTIAL_API_TOKEN)
		return 0;
	return csrf_check(request_variable(s->request, "HTTP_SEC_FETCH_SITE"),
			  request_variable(s->request, "HTTP_ORIGIN"),
			  s->call.router->public_origin, credential == CREDENTIAL_COOKIE, e);
}

/* The same response as for a path that does not exist: a user without the role learns nothing. */
static int check_role(const struct serving *s, struct err *e)
{
	if ((s->match.route->flags & ROUTE_ADMIN) == 0 || s->session.is_admin)
		return 0;
	return err_set(e, ERR_NOT_FOUND, NULL, "there is nothing at this path");
}

/* Reads what the route's tables allow. A route with a body may be called without one if none of its
 * fields is required. */
static int read_fields(struct serving *s, struct err *e)
{
	const struct route *route = s->match.route;
	size_t length;

	bool extensible = (route->flags & ROUTE_EXTENSIBLE) != 0;
	if (fields_from_query(route->query, request_query(s->request), extensible, &s->query, e) <
	    0)
		return -1;
	s->call.query = s->query;
	if (route->method == METHOD_GET)
		return 0;
	if (request_read_body(s->request, route->body_max ? route->body_max : ROUTE_BODY_MAX, e) <
		    0 ||
	    request_require_json(s->request, e) < 0)
		return -1;
	const char *text = request_body(s->request, &length);
	if (length == 0)
		s->body = json_object();
	else if (json_read_object(text, length, &s->body, e) < 0)
		return -1;
	s->call.body = s->body;
	return fields_check(route->body, s->body, e);
}

int call_audit(const struct call *c, const char *action, const char *user_id,
	       const char *identity_id, struct err *e)
{
	CLEANUP(cleanup_free) char *object_type = mem_strndup(action, strcspn(action, "."));
	const char *token = c->session != NULL ? c->session->api_token_id : "";
	CLEANUP(json_decrefp)
	json_t *detail = c->audit_detail != NULL ? json_copy(c->audit_detail) : json_object();

	if (token[0] != '\0')
		json_object_set_new(detail, "apiToken", json_string(token));
	bool for_owner =
		user_id != NULL && c->owner_id[0] != '\0' && strcmp(c->owner_id, user_id) != 0;
	struct audit_entry entry = {
		.user_id = user_id,
		.owner_id = for_owner ? c->owner_id : NULL,
		.identity_id = identity_id,
		.action = action,
		.object_type = object_type,
		.object_id = c->object_id[0] != '\0' ? c->object_id : c->params[0],
		.address = request_client(c->request),
		.request_id = request_id(c->request),
		.detail = detail,
	};

	return audit_add(c->db, &entry, e);
}

static char *answer_context(const struct serving *s, const char *key)
{
	return mem_printf(CONTEXT_ANSWER, s->session.user_id, key);
}

/* Keeps the response for the next request with this key. */
static int keep_answer(struct serving *s, const char *key, struct err *e)
{
	const char *body = response_body(s->response);
	size_t length = strlen(body);
	CLEANUP(cleanup_free) char *context = answer_context(s, key);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(length + SEALED_OVERHEAD_MAX);

	if (s->call.router->seal(&s->call, context, body, length, &sealed, e) < 0)
		return -1;
	return idempotency_finish(s->call.db, s->session.user_id, key, response_status(s->response),
				  &sealed, e);
}

static int replay_answer(struct serving *s, const char *key, const struct idempotent_answer *answer,
			 struct err *e)
{
	CLEANUP(cleanup_free) char *context = answer_context(s, key);
	CLEANUP(buf_wipe) struct buf body = BUF_INIT(answer->sealed.length);
	struct err lost;

	if (s->call.router->unseal(&s->call, context, answer->sealed.data, answer->sealed.length,
				   &body, &lost) < 0)
		return idempotency_answer_lost(e);
	response_text(s->response, answer->http_status, body.data ? body.data : "");
	response_header(s->response, "Idempotent-Replayed", "true");
	return 0;
}

/* Before anything is begun: a user whose budget is used up leaves no trace. */
static int spend(struct serving *s, struct err *e)
{
	const struct router *router = s->call.router;
	unsigned flags = s->match.route->flags;

	if (s->call.session == NULL || (flags & ROUTE_CHANGES) == 0 ||
	    (flags & ROUTE_UNMETERED) != 0)
		return 0;
	return budget_take(router->db, s->session.user_id,
			   (flags & ROUTE_ALWAYS) != 0 ? BUDGET_ENDS_OF_ACCESS : BUDGET_CHANGES,
			   &router->budget, e);
}

/* Reads are possible during maintenance. */
static int may_change(struct serving *s, struct err *e)
{
	unsigned kind = s->match.route->flags & (ROUTE_CHANGES | ROUTE_ALWAYS);

	return kind == ROUTE_CHANGES ? maintenance_begin_change(s->call.db, e) : 0;
}

/* May change something itself, such as the number of attempts. */
static int prepare(struct serving *s, struct err *e)
{
	route_fn *fn = s->match.route->prepare;

	return fn == NULL || (may_change(s, e) == 0 && fn(&s->call, e) == 0) ? 0 : -1;
}

/* Changes by administrators are recorded where they are made. */
static int note_change(const struct serving *s, struct err *e)
{
	if ((s->match.route->flags & ROUTE_ADMIN) != 0)
		return 0;
	return call_audit(&s->call, s->match.route->action, s->session.user_id,
			  s->session.identity_id, e);
}

/* Whether what the caller is to the path's project is enough. */
static int compare_role(struct serving *s, struct err *e)
{
	enum project_role least = s->match.route->role;

	if (s->access.role > least)
		return err_set(e, ERR_FORBIDDEN, "PROJECT_ROLE",
			       "You are %s of this project: this is for its %s",
			       s->access.role == PROJECT_EDITOR ? "an editor" : "a viewer",
			       least == PROJECT_OWNER ? "owner" : "owner and editors");
	memcpy(s->call.owner_id, s->access.owner_id, sizeof(s->call.owner_id));
	s->call.role = s->access.role;
	return 0;
}

static int check_access(struct serving *s, struct err *e)
{
	const char *project_id = route_param(s->match.route, s->call.params, "projectId");

	if (s->call.session == NULL || project_id == NULL)
		return 0;
	if (s->access.owner_id[0] == '\0' &&
	    project_access_get(s->call.db, s->session.user_id, project_id, &s->access, e) < 0)
		return -1;
	return compare_role(s, e);
}

/* Again, of a member, who may have been removed: for a change with the project locked from then on,
 * which comes after the lock of maintenance, as everywhere; after a read, because it may have read
 * what came after the removal, as a terminal's new token. */
static int check_member(struct serving *s, struct err *e)
{
	bool changes = (s->match.route->flags & ROUTE_TRANSACTION) != 0;

	if (s->access.owner_id[0] == '\0' || s->access.role == PROJECT_OWNER)
		return 0;
	const char *project_id = route_param(s->match.route, s->call.params, "projectId");
	if ((changes ? project_access_hold : project_access_get)(s->call.db, s->session.user_id,
								 project_id, &s->access, e) < 0)
		return -1;
	return compare_role(s, e);
}

/* Runs the handler in a transaction; if the key was used before, gives that response instead. */
static int run_in_transaction(struct serving *s, const char *key, bool *ret_replayed, struct err *e)
{
	const struct session *session = &s->session;
	uint8_t fingerprint[32];
	struct idempotent_answer answer = { .replayed = false };
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(s->call.router->db, &tx, e) < 0)
		return -1;
	s->call.db = tx;
	if (check_access(s, e) < 0)
		return -1;
	if (key[0] != '\0') {
		idempotency_fingerprint(s->request, fingerprint);
		if (idempotency_begin(tx, session->user_id, key, fingerprint,
				      s->call.router->idempotency_ttl_ms, &answer, e) < 0)
			return -1;
	}
	if (answer.replayed) {
		*ret_replayed = true;
		int result = replay_answer(s, key, &answer, e);
		buf_release(&answer.sealed);
		return result;
	}
	if (may_change(s, e) < 0 || check_member(s, e) < 0 ||
	    s->match.route->handler(&s->call, e) < 0 || note_change(s, e) < 0)
		return -1;
	if (key[0] != '\0' && keep_answer(s, key, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

/* The reconciler also runs by itself: a file that cannot be touched costs seconds, not work. Logged
 * once, until it works again. */
static void wake_reconciler(const char *path)
{
	static bool failed;
	struct err e;

	if (wake(path, &e) == 0) {
		failed = false;
	} else if (!failed) {
		failed = true;
		log_err(LOG_LEVEL_WARNING, "the reconciler cannot be woken", &e);
	}
}

static int run(struct serving *s, struct err *e)
{
	const struct route *route = s->match.route;
	char key[IDEMPOTENCY_KEY_MAX + 1] = "";
	bool replayed = false;
	int result;

	if ((route->flags & ROUTE_IDEMPOTENT) != 0 && idempotency_key_read(s->request, key, e) < 0)
		return -1;
	if (spend(s, e) < 0 || prepare(s, e) < 0)
		return -1;
	if ((route->flags & ROUTE_TRANSACTION) != 0)
		result = run_in_transaction(s, key, &replayed, e);
	else
		result = may_change(s, e) < 0 || check_access(s, e) < 0 ||
					 route->handler(&s->call, e) < 0 || check_member(s, e) < 0
				 ? -1
				 : 0;
	if (result == 0 && !replayed && !s->call.quiet && (route->flags & ROUTE_WAKES) != 0)
		wake_reconciler(s->call.router->wake_file);
	return result;
}

/* The web server says so, in a variable that clients cannot set by a header (those begin with
 * HTTP_). The client's address is not used: behind a proxy, everybody's may be this machine's. */
static bool is_local(const struct request *r)
{
	const char *listener = request_variable(r, "FSA_LISTENER");

	return listener != NULL && strcmp(listener, "local") == 0;
}

static int find_route(struct serving *s, struct err *e)
{
	enum method method = request_method(s->request);

	if (route_find(s->call.router->routes, method, request_path(s->request), &s->match, e) < 0)
		return -1;
	if (s->match.route->auth == ROUTE_LOCAL && !is_local(s->request))
		return err_set(e, ERR_NOT_FOUND, NULL, "there is nothing at this path");
	s->call.route = s->match.route;
	for (size_t i = 0; i < ROUTE_PARAMS_MAX; i++)
		s->call.params[i] = s->match.params[i][0] ? s->match.params[i] : NULL;
	return 0;
}

static int serve(struct serving *s, const struct web_io *io, struct err *e)
{
	int head = request_read_head(io, &s->request, e);

	s->call.request = s->request;
	if (head < 0 || find_route(s, e) < 0)
		return -1;
	return authenticate(s, e) < 0 || check_role(s, e) < 0 || read_fields(s, e) < 0 ? -1
										       : run(s, e);
}

/* Existing paths answer OPTIONS, and name their methods if another one was requested. */
static void answer_method(struct serving *s)
{
	CLEANUP(cleanup_free) char *allow = route_allow(s->match.methods);

	if (request_method(s->request) == METHOD_OPTIONS)
		response_json(s->response, 204, NULL);
	response_header(s->response, "Allow", allow);
}

/* Codes are upper case, except for names of constraints (db/db.h): an error that a constraint or a
 * type of PostgreSQL found, none of our checks, and the store has no message for. The names and
 * PostgreSQL's messages are only logged. */
static void hide_constraint(const struct serving *s, struct err *e)
{
	static const char from_database[] = "PostgreSQL: ";

	if (!islower((unsigned char)e->code[0]) &&
	    (e->kind != ERR_INVALID ||
	     strncmp(e->message, from_database, strlen(from_database)) != 0))
		return;
	log_line(LOG_LEVEL_WARNING, "only a database constraint rejected this input",
		 LOG_STR("request", request_id(s->request)), LOG_STR("code", e->code),
		 LOG_STR("error", e->message));
	err_set(e, e->kind, NULL, "the request contradicts itself, or what is stored");
}

static bool problem_wanted(const struct request *request)
{
	const char *accept = request_variable(request, "HTTP_ACCEPT");

	return accept != NULL && strstr(accept, "application/problem+json") != NULL;
}

static void answer_error(struct serving *s, struct err *e)
{
	const char *id = request_id(s->request);
	const char *project =
		s->call.route ? route_param(s->call.route, s->call.params, "projectId") : NULL;

	hide_constraint(s, e);
	response_error(s->response, e, id, project, s->call.router->development);
	if (problem_wanted(s->request))
		response_problem(s->response);
	if (s->call.route && (s->call.route->flags & ROUTE_PAGE) != 0 && page_wanted(s->request))
		page_error(s->response, e, id, s->call.router->development);
	if (e->kind == ERR_METHOD)
		answer_method(s);
	if (response_status(s->response) >= 500 && e->kind != ERR_MAINTENANCE)
		log_line(e->kind == ERR_UNAVAILABLE ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
			 "request failed", LOG_STR("request", id),
			 LOG_STR("kind", err_kind_name(e->kind)), LOG_STR("code", e->code),
			 LOG_STR("error", e->message));
}

/* Logs the pattern, never the URL: a query may contain secrets, and the number of URLs is
 * unlimited. */
static void note_request(const struct serving *s, uint64_t us)
{
	enum method method = request_method(s->request);
	const char *route = s->call.route ? s->call.route->pattern : "-";
	int status = response_status(s->response);
	bool reads = method == METHOD_GET || method == METHOD_HEAD;
	bool expected = status < 500 || (s->call.route && s->call.route->auth == ROUTE_LOCAL);
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", status);
	metric_add(METRIC_HTTP_REQUESTS, 1, METRIC_LABELS(method_name(method), route, text));
	metric_observe_us(METRIC_HTTP_SECONDS, us, METRIC_LABELS(method_name(method), route));
	log_line(reads && expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "request",
		 LOG_STR("method", method_name(method)), LOG_STR("route", route),
		 LOG_INT("status", status), LOG_INT("us", us),
		 LOG_STR("request", request_id(s->request)),
		 LOG_STR("user", s->call.session ? s->session.user_id : "-"));
}

static void clear(struct serving *s)
{
	bool large = strlen(response_body(s->response)) > LARGE_ANSWER;

	if (s->call.prepared != NULL)
		s->match.route->release(s->call.prepared);
	json_decref(s->body);
	json_decref(s->query);
	json_decref(s->call.audit_detail);
	request_free(s->request);
	response_free(s->response);
	explicit_bzero(&s->session, sizeof(s->session));
	/* After a large response, a worker becomes as small as before. */
	if (large)
		(void)malloc_trim(0);
}

void router_serve(const struct router *router, const struct web_io *io)
{
	uint64_t started_us = clock_us();
	struct err e;
	struct response *response = response_new();
	struct serving s = {
		.call = { .router = router,
			  .db = router->db,
			  .context = router->context,
			  .response = response },
		.response = response,
	};

	if (serve(&s, io, &e) < 0)
		answer_error(&s, &e);
	(void)response_send(response, io, request_id(s.request),
			    request_method(s.request) == METHOD_HEAD);
	note_request(&s, clock_us() - started_us);
	clear(&s);
}
