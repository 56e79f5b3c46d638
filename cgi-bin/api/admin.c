/* The console's administration, for users with that role: see ROUTE_ADMIN. */
#include "api.h"

#include <string.h>

#include "base/cleanup.h"
#include "domain/cause.h"
#include "domain/user.h"
#include "store/admin.h"
#include "store/admin_site.h"
#include "store/host_health.h"
#include "store/invitation.h"
#include "store/limit.h"
#include "store/maintenance.h"
#include "web/json.h"
#include "web/router.h"
#include "web/session.h"

enum { KEYWORD_MAX = 100, SHOWN_MAX = 200 };

const struct field admin_users_query[] = {
	{ .name = "keyword", .type = FIELD_STRING, .max = KEYWORD_MAX },
	FIELDS_END,
};

static void answer_page(struct call *c, const struct admin_page *page)
{
	response_json(
		c->response, 200,
		json_pack("{s:o, s:I}", "items", page->items, "total", (json_int_t)page->total));
}

int admin_users_get(struct call *c, struct err *e)
{
	struct admin_page page;

	if (admin_page_users(c->db, field_string(c->query, "keyword"), SHOWN_MAX, &page, e) < 0)
		return -1;
	answer_page(c, &page);
	return 0;
}

static json_t *text(const char *words)
{
	return words != NULL ? json_string(words) : json_null();
}

/* Replaces the stored cause by its texts, and adds what the site's operator can do about it. */
static void describe_cause(json_t *row)
{
	const char *kind = field_string(row, "causeKind");
	const char *code = field_string(row, "causeCode");
	const char *stored = field_string(row, "causeMessage");
	const struct cause_text *words = cause_text_of(kind, code);
	json_t *cause =
		kind == NULL ? json_null()
			     : json_pack("{s:s, s:s?, s:o, s:o, s:o}", "kind", kind, "code", code,
					 "headline", text(words ? words->headline : NULL), "action",
					 text(words ? cause_advice(words->kind, code) : NULL),
					 "message", text(cause_message(kind, stored)));

	json_object_set_new(row, "cause", cause);
	json_object_del(row, "causeKind");
	json_object_del(row, "causeCode");
	json_object_del(row, "causeMessage");
}

int admin_stuck_get(struct call *c, struct err *e)
{
	struct admin_page page;
	size_t i;
	json_t *row;

	if (admin_page_stuck(c->db, SHOWN_MAX, &page, e) < 0)
		return -1;
	json_array_foreach(page.items, i, row) describe_cause(row);
	answer_page(c, &page);
	return 0;
}

/* What the database knows about the site; fsactl doctor reports what a host knows about itself. */
int admin_state_get(struct call *c, struct err *e)
{
	CLEANUP(json_decrefp) json_t *counts = NULL;
	CLEANUP(json_decrefp) json_t *queue = NULL;
	CLEANUP(json_decrefp) json_t *hosts = NULL;
	CLEANUP(json_decrefp) json_t *maintenance = NULL;

	if (admin_counts(c->db, &counts, e) < 0 || admin_queue(c->db, &queue, e) < 0 ||
	    admin_hosts(c->db, &hosts, e) < 0 || maintenance_get(c->db, &maintenance, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:O, s:O, s:O, s:O}", "counts", counts, "queue", queue, "hosts",
				hosts, "maintenance", maintenance));
	return 0;
}

int admin_health_get(struct call *c, struct err *e)
{
	json_t *hosts = NULL;

	if (host_health_list(c->db, &hosts, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", hosts));
	return 0;
}

int admin_samples_get(struct call *c, struct err *e)
{
	json_t *samples = NULL;

	if (admin_samples(c->db, &samples, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", samples));
	return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int check_kind(const char *name, struct err *e)
{
	enum limit_kind kind;

	return limit_find(name, &kind, e);
}

const struct field admin_limit_fields[] = {
	{ .name = "kind", .type = FIELD_STRING, .required = true, .max = 32, .check = check_kind },
	{ .name = "limit",
	  .type = FIELD_INTEGER,
	  .nullable = true,
	  .required = true,
	  .max = LIMIT_MAX },
	FIELDS_END,
};

/* The database requires the token itself, so that a program cannot claim to have seen one. */
static int read_token(const struct call *c, char ret_token[API_TOKEN_LENGTH + 1], struct err *e)
{
	enum credential credential;

	return session_token(c->request, c->router->secure, ret_token, &credential, e);
}

static struct admin_caller caller(const struct call *c, const char *token)
{
	return (struct admin_caller) { token, request_client(c->request), request_id(c->request) };
}

static int answer_limits(struct call *c, struct err *e)
{
	json_t *limits = NULL;

	if (admin_limits(c->db, c->params[0], &limits, e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:o}", "items", limits));
	return 0;
}

int admin_limits_get(struct call *c, struct err *e)
{
	return answer_limits(c, e);
}

int admin_limit_put(struct call *c, struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];
	enum limit_kind kind;

	if (limit_find(field_string(c->body, "kind"), &kind, e) < 0 || read_token(c, token, e) < 0)
		return -1;
	const struct admin_caller by = caller(c, token);
	int done = admin_change_limit(c->db, &by, c->params[0], kind,
				      field_integer(c->body, "limit", -1), e);
	explicit_bzero(token, sizeof(token));
	return done < 0 ? -1 : answer_limits(c, e);
}

static int change_access(struct call *c, bool disable, struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];

	if (read_token(c, token, e) < 0)
		return -1;
	const struct admin_caller by = caller(c, token);
	int done = admin_change_access(c->db, &by, c->params[0], disable, e);
	explicit_bzero(token, sizeof(token));
	if (done == 0)
		response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return done;
}

int admin_disable_post(struct call *c, struct err *e)
{
	return change_access(c, true, e);
}

int admin_enable_post(struct call *c, struct err *e)
{
	return change_access(c, false, e);
}

/* ---- invitations ----------------------------------------------------------------------------- */

const struct field admin_invitation_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = USER_NAME_MAX,
	  .pattern = "^[A-Za-z0-9][A-Za-z0-9._@-]*$",
	  .check = user_name_check },
	{ .name = "days", .type = FIELD_INTEGER, .min = 1, .max = INVITATION_DAYS_MAX },
	FIELDS_END,
};

static int invite(struct call *c, const char *name, const char *link_token, struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES];

	if (read_token(c, token, e) < 0)
		return -1;
	token_hash(link_token, hash);
	const struct admin_caller by = caller(c, token);
	int done =
		admin_invite(c->db, &by, name, hash,
			     (unsigned)field_integer(c->body, "days", INVITATION_DAYS_DEFAULT), e);
	explicit_bzero(token, sizeof(token));
	return done;
}

/* The only response that contains the link. */
int admin_invitation_post(struct call *c, struct err *e)
{
	const char *name = field_string(c->body, "name");
	char token[TOKEN_LENGTH + 1];
	json_t *made;

	token_make(token);
	if (invite(c, name, token, e) < 0 || admin_invitation(c->db, name, &made, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *link = invitation_link(conf_string(api_conf(c), CONF_PUBLIC_URL),
				     field_string(made, "name"), token);
	explicit_bzero(token, sizeof(token));
	(void)json_object_set_new(made, "link", json_string(link));
	explicit_bzero(link, strlen(link));
	response_json(c->response, 200, made);
	return 0;
}

int admin_invitation_delete(struct call *c, struct err *e)
{
	char token[API_TOKEN_LENGTH + 1];

	if (read_token(c, token, e) < 0)
		return -1;
	const struct admin_caller by = caller(c, token);
	int done = admin_end_invitation(c->db, &by, c->params[0], e);
	explicit_bzero(token, sizeof(token));
	if (done == 0)
		response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return done;
}
