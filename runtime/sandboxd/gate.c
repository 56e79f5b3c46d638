#include "sandboxd/gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/passage.h"
#include "sandboxd/problem.h"

enum { LETTERS = 12, PORT_TERMINAL = 7681, SITE_MAX = 256, USED_MAX = 256 };

#define PARAMETER "fsa_token"
/* A browser accepts the second only by TLS and for exactly one host, so no other host sets it. */
#define COOKIE     "fsa-port"
#define COOKIE_TLS "__Host-" COOKIE

static char site_origin[SITE_MAX];

void gate_init(const char *site)
{
	bool is_origin = site != NULL && strlen(site) < SITE_MAX &&
			 (strncmp(site, "https://", 8) == 0 || strncmp(site, "http://", 7) == 0);

	for (const char *at = site; is_origin && *at != '\0'; at++)
		is_origin = *at > ' ' && *at < 0x7f;
	memcpy(site_origin, is_origin ? site : "", is_origin ? strlen(site) + 1 : 1);
}

/* ---- the address --------------------------------------------------------------------------- */

/* The port that a host name is for; 0: none. */
static unsigned port_of(const char *host)
{
	char digits[8] = "";
	uint64_t port;

	if (host == NULL || strspn(host, "abcdefghijklmnopqrstuvwxyz") != LETTERS ||
	    host[LETTERS] != '-')
		return 0;
	size_t length = strcspn(host + LETTERS + 1, ".");
	if (length == 0 || length >= sizeof(digits))
		return 0;
	memcpy(digits, host + LETTERS + 1, length);
	return parse_u64(digits, 1, UINT16_MAX, &port) ? (unsigned)port : 0;
}

bool gate_is_called(const struct conn *c)
{
	return port_of(c->request.values[HEADER_HOST]) != 0;
}

/* The host without a port of its own. The caller frees. */
static char *host_of(const struct conn *c)
{
	const char *host = c->request.values[HEADER_HOST];

	return mem_strndup(host, strcspn(host, ":"));
}

/* ---- tokens -------------------------------------------------------------------------------- */

/* 0: it is good for this address. */
static int check_token(const char *token, const char *host, struct grant *ret_grant, struct err *e)
{
	int64_t now = time(NULL);

	if (token_check_visit(token, host, now, ret_grant, e) == 0 && ret_grant->until == 0)
		return 0;
	if (token_check(token, now, ret_grant, e) < 0)
		return -1;
	if ((ret_grant->scopes & SCOPE_PORTS) != 0)
		return 0;
	return problem(e, "MISSING_SCOPE", "the token lacks the scope %s", scope_name(SCOPE_PORTS));
}

/* The token of a program: in a header of ours, or as the Bearer. Another Bearer is the
 * application's own. Returns 1 if there is none. */
static int check_header(struct conn *c, const char *host, struct err *e)
{
	const char *own = c->request.values[HEADER_TOKEN];
	const char *header = c->request.values[HEADER_AUTHORIZATION];

	if (own != NULL)
		return check_token(own, host, &c->grant, e);
	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return 1;
	if (check_token(header + 7, host, &c->grant, e) == 0)
		return 0;
	return strcmp(e->code, "MISSING_SCOPE") == 0 ? -1 : 1;
}

bool gate_has_authorization(const struct conn *c)
{
	CLEANUP(cleanup_free) char *host = host_of(c);
	const char *header = c->request.values[HEADER_AUTHORIZATION];
	struct grant grant;
	struct err e;

	return header != NULL && strncasecmp(header, "Bearer ", 7) == 0 &&
	       (check_token(header + 7, host, &grant, &e) == 0 ||
		strcmp(e.code, "MISSING_SCOPE") == 0);
}

static bool is_own_cookie(const char *pair)
{
	return strncmp(pair, COOKIE "=", sizeof(COOKIE)) == 0 ||
	       strncmp(pair, COOKIE_TLS "=", sizeof(COOKIE_TLS)) == 0;
}

/* Another host of the domain may have set a cookie of this name: any good one will do. */
static bool has_cookie(struct conn *c, const char *host)
{
	const char *header = c->request.values[HEADER_COOKIE];
	CLEANUP(cleanup_free) char *copy = mem_strdup(header != NULL ? header : "");
	char *rest = copy, *pair;
	struct err e;

	while ((pair = strsep(&rest, ";")) != NULL) {
		pair += strspn(pair, " ");
		if (is_own_cookie(pair) &&
		    token_check_visit(strchr(pair, '=') + 1, host, time(NULL), &c->grant, &e) ==
			    0 &&
		    c->grant.until == 0)
			return true;
	}
	return false;
}

char *gate_clean_cookies(const char *cookies)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(cookies);
	char *clean = mem_strdup(""), *rest = copy, *pair;

	while ((pair = strsep(&rest, ";")) != NULL) {
		pair += strspn(pair, " ");
		if (is_own_cookie(pair))
			continue;
		char *longer = mem_printf("%s%s%s", clean, *clean == '\0' ? "" : "; ", pair);
		free(clean);
		clean = longer;
	}
	return clean;
}

/* ---- pages of other sites -------------------------------------------------------------------- */

static bool is(const char *value, const char *expected)
{
	return value != NULL && strcmp(value, expected) == 0;
}

static bool only_reads(const struct conn *c)
{
	return c->request.method == HTTP_GET || c->request.method == HTTP_HEAD;
}

/* A cookie comes with requests that any page causes. The other sandboxes of the domain are "the
 * same site" to a browser, so SameSite does not keep their pages out. Their links may lead here. */
static bool is_foreign(const struct conn *c)
{
	char *const *values = c->request.values;
	const char *origin = values[HEADER_ORIGIN], *site = values[HEADER_FETCH_SITE];
	const char *own = origin != NULL ? strstr(origin, "://") : NULL;

	if (origin != NULL && (own == NULL || strcasecmp(own + 3, values[HEADER_HOST]) != 0))
		return true;
	if (site == NULL || is(site, "same-origin") || is(site, "none"))
		return false;
	return !only_reads(c) || !is(values[HEADER_FETCH_MODE], "navigate") ||
	       !is(values[HEADER_FETCH_DEST], "document");
}

/* ---- the token of an address ---------------------------------------------------------------- */

/* Tokens of the site are good for one visit, and for a minute: a link in a browser's history or in
 * a log lets nobody in. */
static struct {
	char id[TOKEN_ID_MAX];
	int64_t expires;
} used[USED_MAX];

static bool is_used(const struct grant *grant)
{
	for (size_t i = 0; i < USED_MAX; i++)
		if (used[i].expires > time(NULL) && strcmp(used[i].id, grant->id) == 0)
			return true;
	return false;
}

static int check_entrance(const char *token, const char *host, struct grant *ret_grant,
			  struct err *e)
{
	if (token_check_visit(token, host, time(NULL), ret_grant, e) < 0 || ret_grant->until == 0)
		return check_token(token, host, ret_grant, e);
	if (ret_grant->id[0] != '\0' && !is_used(ret_grant))
		return 0;
	return problem(e, "UNAUTHORIZED", "the token was used already: open the address again");
}

/* Notes that a token is used, and makes its right last as long as it says. */
static int use(struct grant *grant, struct err *e)
{
	for (size_t i = 0; grant->until > 0; i++) {
		if (i == USED_MAX)
			return problem(e, "TOO_MANY", "too many visits begin: try again");
		if (used[i].expires > time(NULL))
			continue;
		memcpy(used[i].id, grant->id, sizeof(used[i].id));
		used[i].expires = grant->expires;
		grant->expires = grant->until;
		break;
	}
	return 0;
}

/* Whether it is a visit that ends with being sent to the address without the token. */
static bool is_entrance(const struct conn *c)
{
	CLEANUP(cleanup_free)
	char *token = request_only_parameter(c->request.query, PARAMETER);

	return token != NULL && only_reads(c) && c->request.values[HEADER_UPGRADE] == NULL;
}

char *gate_clean_query(const char *query)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(query != NULL ? query : "");
	char *clean = mem_strdup(""), *rest = copy, *pair;

	while (query != NULL && (pair = strsep(&rest, "&")) != NULL) {
		if (strncmp(pair, PARAMETER "=", sizeof(PARAMETER)) == 0)
			continue;
		char *longer = mem_printf("%s%c%s", clean, *clean == '\0' ? '?' : '&', pair);
		free(clean);
		clean = longer;
	}
	return clean;
}

/* As the ingress says. What a client claims here concerns its own cookie. */
static bool came_by_tls(const struct conn *c)
{
	static const char header[] = "\r\nX-Forwarded-Proto: https";
	const char *lines = c->request.lines.data;

	return strncasecmp(lines, header + 2, sizeof(header) - 3) == 0 ||
	       strcasestr(lines, header) != NULL;
}

static char *cookie_header(const struct conn *c, const char *host)
{
	CLEANUP(cleanup_free) char *value = token_make_visit(host, c->grant.expires);
	bool tls = came_by_tls(c);

	return mem_printf("Set-Cookie: %s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s\r\n",
			  tls ? COOKIE_TLS : COOKIE, value,
			  (long long)(c->grant.expires - time(NULL)), tls ? "; Secure" : "");
}

/* A browser would take a path that begins with "//" or "/\" to be another host. */
static const char *safe_path(const char *path)
{
	return path[1] == '/' || path[1] == '\\' ? "/" : path;
}

/* Whether a person waits for the page in a browser, which can be sent elsewhere first. */
static bool is_navigation(const struct conn *c)
{
	char *const *values = c->request.values;

	return c->request.method == HTTP_GET && is(values[HEADER_FETCH_MODE], "navigate") &&
	       is(values[HEADER_FETCH_DEST], "document") && values[HEADER_UPGRADE] == NULL;
}

/* What is behind # is for the site's page, and in no log of the site. */
static void send_to_site(struct conn *c)
{
	CLEANUP(cleanup_free) char *query = gate_clean_query(c->request.query);
	CLEANUP(cleanup_free)
	char *headers =
		mem_printf("Location: %s/visit#%s%s%s\r\n", site_origin,
			   c->request.values[HEADER_HOST], safe_path(c->request.path), query);

	conn_answer(c, 303, NULL, headers, "", 0);
}

static void let_in(struct conn *c)
{
	CLEANUP(cleanup_free) char *host = host_of(c);
	CLEANUP(cleanup_free) char *token = request_only_parameter(c->request.query, PARAMETER);
	CLEANUP(cleanup_free) char *query = gate_clean_query(c->request.query);
	CLEANUP(cleanup_free) char *cookie = NULL;
	struct err e;

	if (check_entrance(token, host, &c->grant, &e) == 0 && use(&c->grant, &e) == 0)
		cookie = cookie_header(c, host);
	CLEANUP(cleanup_free)
	char *headers = mem_printf("Location: %s%s\r\n%s", safe_path(c->request.path), query,
				   cookie != NULL ? cookie : "");
	conn_answer(c, 303, NULL, headers, "", 0);
}

/* ---- admission ------------------------------------------------------------------------------- */

/* Returns 1 if a browser is to be sent to the site. */
static int check(struct conn *c, const char *host, struct err *e)
{
	CLEANUP(cleanup_free) char *token = request_only_parameter(c->request.query, PARAMETER);
	int by_header = check_header(c, host, e);

	if (by_header <= 0)
		return by_header;
	if (has_cookie(c, host)) {
		if (!is_entrance(c) && is_foreign(c))
			return problem(e, "CROSS_SITE",
				       "pages of another site may not use this address");
		return 0;
	}
	if (is_entrance(c))
		return check_entrance(token, host, &c->grant, e);
	if (*site_origin != '\0' && is_navigation(c))
		return 1;
	return problem(e, "UNAUTHORIZED",
		       "this address is private: open it from its project, or send a token of the "
		       "sandbox (Authorization: Bearer TOKEN)");
}

int gate_admit(struct conn *c, struct err *e)
{
	CLEANUP(cleanup_free) char *host = host_of(c);

	if (port_of(host) == PORT_TERMINAL)
		return problem(e, "NOT_FOUND", "the terminal has another address");
	int checked = check(c, host, e);
	if (checked != 0)
		return checked < 0 ? -1 : 0;
	c->granted = true;
	c->grant.issuer[0] = '\0'; /* nor may the site's pages read what an application answers */
	return conn_check_token(c, e);
}

/* Once admitted, the head is passed on, or a browser's answer waits for the request's end. */
static int begin(struct conn *c, struct err *e)
{
	if (!c->granted || is_entrance(c))
		return 0;
	return passage_begin(c, port_of(c->request.values[HEADER_HOST]), e);
}

static int handle(struct conn *c, json_t *body, struct err *e)
{
	(void)body;
	(void)e;
	if (!c->granted)
		send_to_site(c);
	else if (is_entrance(c))
		let_in(c);
	else
		passage_complete(c);
	return 0;
}

const struct route gate_route = {
	.body = BODY_CHUNKS, .keep_upgrade = true, .begin = begin, .handle = handle
};
