#ifndef FSA_WEB_ROUTE_H
#define FSA_WEB_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"
#include "domain/role.h"
#include "store/session.h"
#include "web/field.h"
#include "web/request.h"
#include "web/response.h"

/*
 * Route tables: what a program answers, as data. A row says everything the router (router.h) does
 * before and after its handler; nobody has to read the handler to know its callers and its input.
 * `api.fcgi --routes` prints the table, and a test walks it.
 */
enum { ROUTE_PARAMS_MAX = 3, ROUTE_BODY_MAX = 16384 };

enum route_auth {
	ROUTE_OPEN,    /* anybody */
	ROUTE_SESSION, /* a session, else 401; what changes something with a cookie: CSRF check */
	ROUTE_VISITOR, /* anybody, with a session (else `session` is NULL) or without */
	ROUTE_LOCAL,   /* through the web server's local listener (FSA_LISTENER), else 404 */
};

enum route_flag {
	/* Changes something: refused when it comes from another site. */
	ROUTE_CHANGES = 1 << 0,
	/* The handler runs in a transaction that ends with a line of the audit (`action`). Needs
	 * ROUTE_SESSION. */
	ROUTE_TRANSACTION = 1 << 1,
	/* The reconciler has something to do afterwards. */
	ROUTE_WAKES = 1 << 2,
	/* Browsers come here by themselves: one that wants a page gets errors as a page. */
	ROUTE_PAGE = 1 << 3,
	/* Parameters of the query that its table does not have are left out, not refused, because
	 * somebody else's protocol says so (RFC 6749, section 4.1.2). */
	ROUTE_EXTENSIBLE = 1 << 4,
	/* What it reads may all be secret: nothing for an API token that may only read. */
	ROUTE_SECRET = 1 << 5,
	/* Also while the site is under maintenance: it lets people in, or ends access. */
	ROUTE_ALWAYS = 1 << 6,
	/* Not charged to the user's budget (store/budget.h): it asks for the password, which has
	 * limits of its own, and ends all other access. */
	ROUTE_UNMETERED = 1 << 7,
	/* Accepts an Idempotency-Key: the response is kept, sealed, in the same transaction, and is
	 * sent again if the request is repeated. Needs ROUTE_TRANSACTION. */
	ROUTE_IDEMPOTENT = 1 << 8,
	/* For users with the role "admin", by a session of theirs; for everybody else there is
	 * nothing at this path. What it changes is noted in the audit by the functions of the
	 * database that change it (store/admin_site.h). Needs ROUTE_SESSION. */
	ROUTE_ADMIN = 1 << 9,
};

/* One request on its way through a handler. Everything lives until the handler returns. */
struct call {
	const struct router *router;
	const struct request *request;
	const struct route *route;
	struct response *response;
	struct db *db;                 /* in the router's transaction for ROUTE_TRANSACTION */
	const struct session *session; /* NULL for ROUTE_OPEN and ROUTE_LOCAL */
	uint8_t session_hash[TOKEN_HASH_BYTES]; /* its token's */
	/* Of the path's project, for the store, and what the caller is to it (store/membership.h).
	 * Without a project: the caller, their own. */
	char owner_id[STORE_ID_LENGTH + 1];
	enum project_role role;
	void *context;                        /* the program's own, see program.h */
	const json_t *body, *query;           /* what passed the route's tables */
	const char *params[ROUTE_PARAMS_MAX]; /* of the path, in the pattern's order: UUIDs */
	char object_id[STORE_ID_LENGTH + 1];  /* for the audit, when the path does not have it */
	void *prepared;                       /* of `prepare`, for the handler */
	bool quiet; /* of ROUTE_WAKES: the handler has left nothing to do for the reconciler */
	json_t *audit_detail; /* what the audit's line says in addition; the router's to free */
};

/* Seals, or opens, what the router keeps of an answer; appends to `ret`. For contexts, see
 * crypto/seal.h. */
typedef int route_keep_fn(const struct call *c, const char *context, const void *data,
			  size_t length, struct buf *ret, struct err *e);

/* Sets the response and returns 0, or -1 with the error to be answered instead. */
typedef int route_fn(struct call *c, struct err *e);

struct route {
	const char *pattern; /* "/api/projects/:projectId/start"; a ":name" is a UUID */
	enum method method;  /* GET answers HEAD, too */
	enum route_auth auth;
	unsigned flags;
	/* With a ":projectId": who may, if not only its owner. A role gives what those after it
	 * give. */
	enum project_role role;
	/* Runs before the transaction, and is not undone with it: what takes long (hashing, another
	 * server), or has to be counted even if it fails. NULL: nothing to prepare. What it leaves
	 * in `prepared` is given to `release` after the request. */
	route_fn *prepare;
	void (*release)(void *prepared);
	route_fn *handler;
	const struct field *body;  /* NULL: takes none */
	const struct field *query; /* NULL: takes none */
	size_t body_max;           /* 0: ROUTE_BODY_MAX */
	const char *action;        /* of the audit: "project.create" */
};

/* Rows of a kind, with a session: what reads, and what changes something in a transaction. */
#define ROUTE_READ(path, fn, ...)                                                                  \
	{                                                                                          \
		.method = METHOD_GET, .pattern = (path), .auth = ROUTE_SESSION, .handler = (fn),   \
		__VA_ARGS__                                                                        \
	}
#define ROUTE_CHANGE(also, verb, path, fn, what, ...)                                              \
	{                                                                                          \
		.method = (verb), .pattern = (path), .auth = ROUTE_SESSION, .handler = (fn),       \
		.flags = ROUTE_CHANGES | ROUTE_TRANSACTION | (also), .action = (what), __VA_ARGS__ \
	}
#define ROUTES_END                                                                                 \
	{                                                                                          \
		.pattern = NULL                                                                    \
	}

struct route_match {
	const struct route *route;
	unsigned methods; /* bits 1 << METHOD_…: what the path can do, HEAD and OPTIONS included */
	char params[ROUTE_PARAMS_MAX][STORE_ID_LENGTH + 1]; /* lower case */
};

/* The row for method and path. ERR_NOT_FOUND: no such path (a trailing '/' makes another path, and
 * an id must be a UUID); ERR_METHOD: the path has other methods, which `methods` lists. */
int route_find(const struct route *routes, enum method method, const char *path,
	       struct route_match *ret_match, struct err *e);
/* The Allow header of a set of methods. The caller frees. */
char *route_allow(unsigned methods);
/* The value of the parameter called `name`, NULL if the route has none. */
const char *route_param(const struct route *route, const char *const *params, const char *name);

/* The table as JSON lines: method, pattern, auth, mutation, transaction, idempotent, role where the
 * path has a project, and JSON Schemas of body and query where it takes them. */
void routes_print(const struct route *routes, FILE *out);

#endif
