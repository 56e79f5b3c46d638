#include "sandboxd/route.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "sandboxd/gate.h"
#include "sandboxd/problem.h"
#include "sandboxd/websocket.h"

#define CORS_PREFLIGHT                                                                             \
	"Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE\r\n"                          \
	"Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, "   \
	"If-None-Match, Range, Tus-Resumable, Upload-Length, Upload-Offset\r\n"                    \
	"Access-Control-Max-Age: 600\r\n"

/* ---- finding the route --------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *path, char *parameter, size_t size)
{
	const char *hole = strchr(pattern, ':');
	size_t before = hole == NULL ? 0 : (size_t)(hole - pattern);
	size_t length;

	if (hole == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	length = strcspn(path + before, "/");
	if (length == 0 || length >= size || strcmp(path + before + length, hole + 1) != 0)
		return false;
	memcpy(parameter, path + before, length);
	parameter[length] = '\0';
	return true;
}

static int find(struct conn *c, struct err *e)
{
	bool is_path = false;

	for (const struct route *r = routes; r->path != NULL; r++) {
		if (!matches(r->path, c->request.path, c->parameter, sizeof(c->parameter)))
			continue;
		if (r->method == c->request.method ||
		    (r->method == HTTP_GET && c->request.method == HTTP_HEAD && !r->websocket)) {
			c->route = r;
			return 0;
		}
		is_path = true;
	}
	if (is_path)
		return problem(e, "METHOD_NOT_ALLOWED", "this path does not support %s",
			       http_method_str(c->request.method));
	return problem(e, "NOT_FOUND", "there is nothing at this address");
}

/* ---- authorization ------------------------------------------------------------------------- */

/* Programs send no Origin. Pages may be those of the site that made the token, or the sandbox's
 * own. */
static int check_origin(const struct conn *c, struct err *e)
{
	const char *origin = c->request.values[HEADER_ORIGIN];
	const char *host = c->request.values[HEADER_HOST];
	const char *own = origin != NULL ? strstr(origin, "://") : NULL;

	if (origin == NULL || strcmp(origin, c->grant.issuer) == 0 ||
	    (host != NULL && own != NULL && strcasecmp(own + 3, host) == 0))
		return 0;
	return problem(e, "CROSS_SITE", "pages of another site may not use a sandbox");
}

static int check_grant(struct conn *c, const char *token, struct err *e)
{
	if (token_check(token, time(NULL), &c->grant, e) < 0 || check_origin(c, e) < 0)
		return -1;
	c->granted = true;
	if ((c->grant.scopes & c->route->scope) == 0)
		return problem(e, "MISSING_SCOPE", "the token lacks the scope %s",
			       scope_name(c->route->scope));
	return 0;
}

/* Returns the token that a browser's WebSocket offers as a subprotocol. */
static char *offered_token(const struct conn *c)
{
	static const char prefix[] = "fsa.token.";
	char *list = c->request.values[HEADER_WS_PROTOCOL];
	char *at = list != NULL ? strstr(list, prefix) : NULL;

	return at != NULL && c->route->websocket ? at + sizeof(prefix) - 1 : NULL;
}

/* Other subprotocols may follow. */
static int check_offered(struct conn *c, char *token, struct err *e)
{
	char *end = token + strcspn(token, ", "), after = *end;

	*end = '\0';
	int done = check_grant(c, token, e);
	*end = after;
	return done;
}

static int authenticate(struct conn *c, struct err *e)
{
	const char *header = c->request.values[HEADER_AUTHORIZATION];
	char *offered = offered_token(c);

	if (c->route->scope == SCOPE_NONE)
		return 0;
	if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0)
		return check_grant(c, header + 7, e);
	/* A proxy such as a Kubernetes API server keeps Authorization for itself. */
	if (c->request.values[HEADER_TOKEN] != NULL)
		return check_grant(c, c->request.values[HEADER_TOKEN], e);
	if (offered != NULL)
		return check_offered(c, offered, e);
	if (c->route->websocket && header == NULL)
		return 0; /* its first message is the token */
	return problem(e, "UNAUTHORIZED",
		       "a token is needed: Authorization: Bearer TOKEN, made at "
		       "the site by POST /api/sandbox/{projectId}/tokens");
}

/* The response to the real request depends on its token; a preflight has none. */
static const struct route preflight = { .method = HTTP_OPTIONS };

int route_begin(struct conn *c, struct err *e)
{
	if (gate_is_called(c)) {
		c->route = &gate_route;
		return gate_admit(c, e);
	}
	buf_release(&c->request.lines);
	if (c->request.method == HTTP_OPTIONS && c->request.values[HEADER_ORIGIN] != NULL) {
		c->route = &preflight;
		return 0;
	}
	if (find(c, e) < 0 || authenticate(c, e) < 0)
		return -1;
	if (c->route->scope == SCOPE_NONE)
		return 0;
	if (request_parse_query(&c->request, e) < 0)
		return -1;
	return request_check_names(&c->request, c->route->parameters ? c->route->parameters : "",
				   e);
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void answer_preflight(struct conn *c)
{
	conn_send(c, "", 0);
	c->complete = true;
	conn_begin(c, 204, NULL, CORS_PREFLIGHT, 0);
	c->answered = true;
}

static int handle_json(struct conn *c, struct err *e)
{
	json_error_t error;
	json_t *body = json_loadb(c->body.data != NULL ? c->body.data : "", c->body.length,
				  JSON_REJECT_DUPLICATES, &error);
	int done;

	if (!json_is_object(body))
		done = problem(e, "INVALID_REQUEST", "the body is not a JSON object: %s",
			       error.text);
	else
		done = c->route->handle(c, body, e);
	json_decref(body);
	return done;
}

int route_handle(struct conn *c, struct err *e)
{
	if (c->route == &preflight) {
		answer_preflight(c);
		return 0;
	}
	if (c->route->websocket) {
		if ((c->granted && conn_check_token(c, e) < 0) || websocket_accept(c, e) < 0)
			return -1;
		return c->granted ? c->route->handle(c, NULL, e) : 0;
	}
	return c->route->body == BODY_JSON ? handle_json(c, e) : c->route->handle(c, NULL, e);
}

int route_take_token(struct conn *c, const char *token, struct err *e)
{
	bool first = !c->granted;

	c->granted = false;
	if (token == NULL)
		return problem(e, "UNAUTHORIZED", "token must be a string");
	if (check_grant(c, token, e) < 0 || (first && conn_check_token(c, e) < 0)) {
		c->granted = false;
		return -1;
	}
	return first ? c->route->handle(c, NULL, e) : 0;
}
