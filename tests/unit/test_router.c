/* Tests the router with a fake store: what a request may reach, and in which order. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "store/api_token.h"
#include "store/audit.h"
#include "store/idempotency.h"
#include "store/maintenance.h"
#include "store/membership.h"
#include "web/json.h"
#include "web/router.h"
#include "web_fixture.h"

#define USER              "11111111-1111-4111-8111-111111111111"
#define PROJECT           "22222222-2222-4222-8222-222222222222"
#define OTHER             "33333333-3333-4333-8333-333333333333"
#define TOKEN             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define API_TOKEN(letter) "fsa_" letter "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ORIGIN            "http://fsa.test"

struct db {
	int begun, committed, rolled_back;
};

static struct db database;
static struct {
	int handled, audited;
	bool away; /* PostgreSQL */
	bool unprepared;
	int released;
	bool maintained;
	int budgets[2]; /* what is left of each if `metered` */
	bool metered;
	char audit_action[32], audit_object[64], audit_token[64], audit_owner[64];
	const char *owner; /* of every project; NULL: USER */
	enum project_role role;
	bool stranger;
	bool is_removed_meanwhile; /* while a handler is at work */
	int changes_begun;         /* how many transactions had begun when a change did last */
	char key[64];
	uint8_t fingerprint[32];
	int status;
	char *body;
} world;

int session_find(struct db *db, const uint8_t token_hash_given[TOKEN_HASH_BYTES], uint64_t idle_ms,
		 struct session *ret_session, struct err *e)
{
	uint8_t known[TOKEN_HASH_BYTES];

	ck_assert_ptr_eq(db, &database);
	ck_assert_uint_eq(idle_ms, 1000);
	token_hash(TOKEN, known);
	if (world.away)
		return err_set(e, ERR_UNAVAILABLE, NULL, "away");
	if (memcmp(known, token_hash_given, sizeof(known)) != 0)
		return err_set(e, ERR_UNAUTHENTICATED, NULL, "no such session");
	memset(ret_session, 0, sizeof(*ret_session));
	strcpy(ret_session->user_id, USER);
	return 0;
}

int api_token_find(struct db *db, const uint8_t token_hash_given[TOKEN_HASH_BYTES],
		   struct session *ret_session, struct err *e)
{
	uint8_t reads[TOKEN_HASH_BYTES], writes[TOKEN_HASH_BYTES];

	ck_assert_ptr_eq(db, &database);
	token_hash(API_TOKEN("R"), reads);
	token_hash(API_TOKEN("W"), writes);
	memset(ret_session, 0, sizeof(*ret_session));
	strcpy(ret_session->user_id, USER);
	strcpy(ret_session->api_token_id, OTHER);
	ret_session->read_only = memcmp(reads, token_hash_given, sizeof(reads)) == 0;
	if (ret_session->read_only || memcmp(writes, token_hash_given, sizeof(writes)) == 0)
		return 0;
	return err_set(e, ERR_UNAUTHENTICATED, NULL, "no such token");
}

int project_access_get(struct db *db, const char *user_id, const char *project_id,
		       struct project_access *ret_access, struct err *e)
{
	ck_assert_ptr_eq(db, &database);
	ck_assert_str_eq(user_id, USER);
	ck_assert_uint_eq(strlen(project_id), STORE_ID_LENGTH);
	if (world.stranger)
		return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND", "Project not found");
	strcpy(ret_access->owner_id, world.owner ? world.owner : USER);
	ret_access->role = world.role;
	return 0;
}

int session_find_for(struct db *db, const uint8_t token_hash_given[TOKEN_HASH_BYTES],
		     uint64_t idle_ms, const char *project_id, struct session *ret_session,
		     struct project_access *ret_access, struct err *e)
{
	struct err none;

	if (session_find(db, token_hash_given, idle_ms, ret_session, e) < 0)
		return -1;
	if (project_access_get(db, USER, project_id, ret_access, &none) < 0)
		ret_access->owner_id[0] = '\0';
	return 0;
}

int project_access_hold(struct db *tx, const char *user_id, const char *project_id,
			struct project_access *ret_access, struct err *e)
{
	ck_assert_int_gt(tx->begun, tx->committed + tx->rolled_back);
	ck_assert_int_eq(world.changes_begun,
			 tx->begun); /* locks are taken in one order everywhere */
	return project_access_get(tx, user_id, project_id, ret_access, e);
}

int idempotency_begin(struct db *tx, const char *user_id, const char *key,
		      const uint8_t fingerprint[32], uint64_t ttl_ms,
		      struct idempotent_answer *ret_answer, struct err *e)
{
	ck_assert_ptr_eq(tx, &database);
	ck_assert_str_eq(user_id, USER);
	ck_assert_uint_eq(ttl_ms, 2000);
	memset(ret_answer, 0, sizeof(*ret_answer));
	if (world.body == NULL || strcmp(world.key, key) != 0) {
		memcpy(world.fingerprint, fingerprint, sizeof(world.fingerprint));
		return 0;
	}
	if (memcmp(world.fingerprint, fingerprint, sizeof(world.fingerprint)) != 0)
		return err_set(e, ERR_UNPROCESSABLE, "IDEMPOTENCY_KEY_REUSED", "another request");
	ret_answer->replayed = true;
	ret_answer->http_status = world.status;
	ret_answer->sealed = BUF_INIT(1000);
	return buf_append(&ret_answer->sealed, world.body, strlen(world.body), e);
}

int idempotency_finish(struct db *tx, const char *user_id, const char *key, int http_status,
		       const struct buf *sealed, struct err *e)
{
	(void)tx, (void)user_id, (void)e;
	strcpy(world.key, key);
	world.status = http_status;
	free(world.body);
	world.body = mem_strdup(sealed->data);
	return 0;
}

int idempotency_answer_lost(struct err *e)
{
	return err_set(e, ERR_CONFLICT, "IDEMPOTENCY_ANSWER_LOST", "lost");
}

/* A seal that can be recognized: every byte is inverted. */
static int turn_over(const struct call *c, const char *context, const void *data, size_t length,
		     struct buf *ret, struct err *e)
{
	const char *bytes = data;

	ck_assert_str_eq(c->session->user_id, USER);
	ck_assert_int_eq(strncmp(context, "answer:" USER ":k", strlen("answer:" USER ":k")), 0);
	for (size_t i = 0; i < length; i++) {
		char turned = (char)~bytes[i];
		if (buf_append(ret, &turned, 1, e) < 0)
			return -1;
	}
	return 0;
}

int maintenance_begin_change(struct db *db, struct err *e)
{
	world.changes_begun = db->begun;
	return world.maintained ? err_set(e, ERR_MAINTENANCE, NULL, "moving house") : 0;
}

int budget_take(struct db *db, const char *user_id, enum budget budget,
		const struct budget_limit *limit, struct err *e)
{
	ck_assert_ptr_eq(db, &database);
	ck_assert_int_eq(db->begun, db->committed + db->rolled_back); /* in no transaction */
	ck_assert_str_eq(user_id, USER);
	ck_assert_uint_eq(limit->burst, 7);
	if (!world.metered || world.budgets[budget]-- > 0)
		return 0;
	(void)err_set(e, ERR_RATE_LIMITED, "TOO_MANY_CHANGES", "too much");
	e->retry_after_s = 3;
	return -1;
}

int audit_add(struct db *db, const struct audit_entry *entry, struct err *e)
{
	(void)db, (void)e;
	world.audited++;
	strcpy(world.audit_action, entry->action);
	strcpy(world.audit_object, entry->object_id ? entry->object_id : "");
	const char *with = json_string_value(json_object_get(entry->detail, "apiToken"));
	strcpy(world.audit_token, with ? with : "");
	strcpy(world.audit_owner, entry->owner_id ? entry->owner_id : "");
	ck_assert_str_eq(entry->address, "192.0.2.7");
	return 0;
}

int db_begin(struct db *db, struct db **ret_tx, struct err *e)
{
	(void)e;
	db->begun++;
	*ret_tx = db;
	return 0;
}

int db_commit(struct db **tx, struct err *e)
{
	(void)e;
	(*tx)->committed++;
	*tx = NULL;
	return 0;
}

void db_rollback_guard(struct db **tx)
{
	if (*tx != NULL)
		(*tx)->rolled_back++;
}

static int answer(struct call *c, struct err *e)
{
	(void)e;
	world.handled++;
	world.stranger = world.is_removed_meanwhile;
	response_json(c->response, 200,
		      json_pack("{s:i, s:s*, s:s*}", "n", world.handled, "id", c->params[0], "user",
				c->session ? c->session->user_id : NULL));
	return 0;
}

/* Acts for the project's owner. */
static int own(struct call *c, struct err *e)
{
	ck_assert_str_eq(c->owner_id, world.owner ? world.owner : USER);
	ck_assert_int_eq(c->role, world.role);
	return answer(c, e);
}

static int refuse(struct call *c, struct err *e)
{
	response_header(c->response, "X-Left-Over", "1");
	return err_set(e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND", "Project not found");
}

static int violate(struct call *c, struct err *e)
{
	(void)c;
	return err_set(e, ERR_INVALID, "projects_name_check",
		       "PostgreSQL: new row for relation \"projects\" ... (23514)");
}

static int prepare_token(struct call *c, struct err *e)
{
	ck_assert_int_eq(c->db->begun,
			 c->db->committed + c->db->rolled_back); /* in no transaction */
	c->prepared = mem_strdup("prepared");
	return world.unprepared ? err_set(e, ERR_FORBIDDEN, "WRONG_PASSWORD", "another one") : 0;
}

static void release_token(void *prepared)
{
	world.released++;
	free(prepared);
}

static int make_token(struct call *c, struct err *e)
{
	ck_assert_str_eq(c->prepared, "prepared");
	ck_assert_int_gt(c->db->begun, c->db->committed + c->db->rolled_back);
	return answer(c, e);
}

static const struct field name_field[] = {
	{ .name = "name", .type = FIELD_STRING, .required = true, .min = 1, .max = 8 },
	FIELDS_END,
};
static const struct field limit_field[] = {
	{ .name = "limit", .type = FIELD_INTEGER, .min = 1, .max = 9 },
	FIELDS_END,
};

#define OPEN(verb, path, bits, ...)                                                                \
	{                                                                                          \
		.method = (verb), .pattern = (path), .flags = (bits), .handler = answer,           \
		__VA_ARGS__                                                                        \
	}
#define KEPT(...) ROUTE_CHANGE(ROUTE_IDEMPOTENT, __VA_ARGS__)
/* clang-format off */
static const struct route routes[] = {
	OPEN(METHOD_GET, "/open", 0),
	OPEN(METHOD_POST, "/register", ROUTE_CHANGES, .body = name_field),
	OPEN(METHOD_POST, "/login", ROUTE_CHANGES | ROUTE_ALWAYS, .body = name_field),
	ROUTE_READ("/p", answer, .query = limit_field),
	KEPT(METHOD_POST, "/p", answer, "project.create", .body = name_field, .body_max = 40),
	ROUTE_READ("/p/:projectId", answer),
	KEPT(METHOD_DELETE, "/p/:projectId", answer, "project.delete"),
	KEPT(METHOD_POST, "/p/:projectId/fail", refuse, "project.fail"),
	KEPT(METHOD_POST, "/p/:projectId/violate", violate, "project.fail"),
	ROUTE_CHANGE(0, METHOD_POST, "/token", make_token, "token.create", .prepare = prepare_token,
		     .release = release_token),
	OPEN(METHOD_POST, "/end", ROUTE_CHANGES | ROUTE_ALWAYS, .auth = ROUTE_SESSION),
	OPEN(METHOD_POST, "/password", ROUTE_CHANGES | ROUTE_UNMETERED, .auth = ROUTE_SESSION),
	ROUTE_READ("/p/:projectId/e/:envId", answer),
	ROUTE_READ("/p/:projectId/seen", answer, .role = PROJECT_VIEWER),
	KEPT(METHOD_POST, "/p/:projectId/edit", own, "project.change", .role = PROJECT_EDITOR),
	ROUTES_END,
};
/* clang-format on */

static struct router router = {
	.routes = routes,
	.takes_api_tokens = true,
	.db = &database,
	.public_origin = ORIGIN,
	.wake_file = "/nonexistent/wake",
	.session_idle_ms = 1000,
	.idempotency_ttl_ms = 2000,
	.budget = { .burst = 7, .per_minute = 1 },
	.seal = turn_over,
	.unseal = turn_over,
};

static struct exchange x;

static void begin(const char *method, const char *url, const char *body)
{
	exchange_begin(&x, method, url, body);
}

static void begin_logged_in(const char *method, const char *url, const char *body)
{
	begin(method, url, body);
	exchange_set(&x, "HTTP_COOKIE", "fsa=" TOKEN);
	exchange_set(&x, "HTTP_SEC_FETCH_SITE", "same-origin");
}

static int served(void)
{
	router_serve(&router, &x.io);
	exchange_end(&x);
	return exchange_status(&x);
}

static const char *error_code(void)
{
	static char code[64];
	CLEANUP(json_decrefp) json_t *body = json_loads(exchange_body(&x), 0, NULL);
	const char *found = field_string(body, "errorCode");

	strcpy(code, found ? found : "");
	return code;
}

static void set_up(void)
{
	log_set_level_name("error");
	free(world.body);
	memset(&world, 0, sizeof(world));
	memset(&database, 0, sizeof(database));
}

START_TEST(paths_and_methods_are_found_exactly)
{
	static const struct {
		const char *method, *path;
		int status;
	} cases[] = {
		{ "GET", "/open", 200 },
		{ "GET", "/open?", 200 },
		{ "GET", "/%6fpen", 200 },
		{ "GET", "/open/", 404 },
		{ "GET", "//open", 404 },
		{ "GET", "/x/../open", 404 },
		{ "GET", "/opens", 404 },
		{ "GET", "/", 404 },
		{ "GET", "", 400 },
		{ "GET", "*", 400 },
		{ "POST", "/open", 405 },
		{ "BREW", "/open", 405 },
		{ "get", "/open", 405 },
		{ "GET", "/p/nope", 404 },
		{ "GET", "/p/" PROJECT "/", 404 },
		{ "GET", "/p/" PROJECT "/e/" OTHER, 200 },
		{ "GET", "/p/" PROJECT "/e", 404 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_logged_in(cases[i].method, cases[i].path, NULL);
		int status = served();
		ck_assert_msg(status == cases[i].status, "%s %s: %d", cases[i].method,
			      cases[i].path, status);
	}
}
END_TEST

START_TEST(a_path_lists_its_methods)
{
	begin("PUT", "/p", NULL);
	ck_assert_int_eq(served(), 405);
	ck_assert_str_eq(exchange_header(&x, "Allow"), "GET, HEAD, POST, OPTIONS");
	begin("OPTIONS", "/p/" PROJECT, NULL);
	ck_assert_int_eq(served(), 204);
	ck_assert_str_eq(exchange_header(&x, "Allow"), "GET, HEAD, DELETE, OPTIONS");
	ck_assert_str_eq(exchange_body(&x), "");
	begin("OPTIONS", "/nothing", NULL);
	ck_assert_int_eq(served(), 404);
	ck_assert_int_eq(world.handled, 0);
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
	begin("HEAD", "/open", NULL);
	ck_assert_int_eq(served(), 200);
	ck_assert_str_eq(exchange_header(&x, "Content-Length"), "7");
	ck_assert_str_eq(exchange_body(&x), "");
	ck_assert_int_eq(world.handled, 1);
}
END_TEST

START_TEST(without_a_session_nothing_is_read_or_done)
{
	begin("POST", "/p", "{\"name\":\"a\"}");
	exchange_set(&x, "HTTP_COOKIE", "fsa=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
	ck_assert_int_eq(served(), 401);
	ck_assert_str_eq(exchange_header(&x, "WWW-Authenticate"), "Bearer");
	ck_assert_uint_eq(x.body_read, 0);
	begin("GET", "/p", NULL);
	ck_assert_int_eq(served(), 401);
	ck_assert_int_eq(world.handled + database.begun, 0);
}
END_TEST

START_TEST(a_change_from_another_site_is_refused_before_its_body_is_read)
{
	begin_logged_in("POST", "/p", "{\"name\":\"a\"}");
	exchange_set(&x, "HTTP_SEC_FETCH_SITE", "cross-site");
	ck_assert_int_eq(served(), 403);
	ck_assert_uint_eq(x.body_read, 0);
	begin("POST", "/p", "{\"name\":\"a\"}");
	exchange_set(&x, "HTTP_COOKIE", "fsa=" TOKEN);
	ck_assert_int_eq(served(), 403);
	begin("POST", "/login", "{\"name\":\"a\"}");
	exchange_set(&x, "HTTP_ORIGIN", "http://evil.test");
	ck_assert_int_eq(served(), 403);
	ck_assert_int_eq(world.handled, 0);

	begin("POST", "/p", "{\"name\":\"a\"}");
	exchange_set(&x, "HTTP_AUTHORIZATION", "Bearer " TOKEN);
	exchange_set(&x, "HTTP_SEC_FETCH_SITE", "cross-site");
	ck_assert_int_eq(served(), 200);
	begin("POST", "/login", "{\"name\":\"a\"}");
	ck_assert_int_eq(served(), 200);
	begin_logged_in("GET", "/p", NULL);
	exchange_set(&x, "HTTP_SEC_FETCH_SITE", "cross-site");
	ck_assert_int_eq(served(), 200);
}
END_TEST

static int delete_with(const char *authorization)
{
	begin("DELETE", "/p/" PROJECT, NULL);
	exchange_set(&x, "HTTP_AUTHORIZATION", authorization);
	return served();
}

START_TEST(an_api_token_does_what_its_scope_says)
{
	begin("GET", "/p", NULL);
	exchange_set(&x, "HTTP_AUTHORIZATION", "Bearer " API_TOKEN("R"));
	ck_assert_int_eq(served(), 200);
	ck_assert_int_eq(delete_with("Bearer " API_TOKEN("R")), 403);
	ck_assert_str_eq(error_code(), "SCOPE");
	ck_assert_int_eq(world.audited, 0);
	ck_assert_int_eq(delete_with("Bearer " API_TOKEN("W")), 200);
	ck_assert_str_eq(world.audit_token, OTHER);
	ck_assert_int_eq(delete_with("Bearer " API_TOKEN("X")), 401);
	ck_assert_int_eq(delete_with("Bearer " TOKEN), 200);
	ck_assert_str_eq(world.audit_token, "");
}
END_TEST

START_TEST(where_credentials_are_managed_an_api_token_is_not_enough)
{
	router.takes_api_tokens = false;
	int status = delete_with("Bearer " API_TOKEN("W"));
	router.takes_api_tokens = true;
	ck_assert_int_eq(status, 403);
	ck_assert_str_eq(error_code(), "SESSION_REQUIRED");
	ck_assert_int_eq(world.handled, 0);
}
END_TEST

START_TEST(bodies_and_queries_must_fit_their_tables)
{
	static const struct {
		const char *method, *url, *body;
		int status;
		const char *code;
	} cases[] = {
		{ "POST", "/p", NULL, 400, "MISSING_FIELD" },
		{ "POST", "/p", "{\"name\":\"a\",\"x\":1}", 400, "UNKNOWN_FIELD" },
		{ "POST", "/p", "{\"name\":\"a\"", 400, "INVALID_JSON" },
		{ "POST", "/p", "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", 413,
		  "TOO_LARGE" },
		{ "POST", "/p?limit=1", "{\"name\":\"a\"}", 400, "UNKNOWN_FIELD" },
		{ "GET", "/p?limit=0", NULL, 400, "INVALID_FIELD" },
		{ "GET", "/p?limit=%zz", NULL, 400, "INVALID_URL" },
		{ "DELETE", "/p/" PROJECT, "{\"a\":1}", 400, "UNKNOWN_FIELD" },
		{ "DELETE", "/p/" PROJECT, "{}", 200, "" },
		{ "DELETE", "/p/" PROJECT, NULL, 200, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_logged_in(cases[i].method, cases[i].url, cases[i].body);
		ck_assert_int_eq(served(), cases[i].status);
		ck_assert_str_eq(error_code(), cases[i].code);
	}
	begin_logged_in("POST", "/p", "name=a");
	exchange_set(&x, "CONTENT_TYPE", "application/x-www-form-urlencoded");
	ck_assert_int_eq(served(), 415);
}
END_TEST

START_TEST(a_change_is_one_transaction_with_its_audit)
{
	begin_logged_in("DELETE", "/p/" PROJECT, NULL);
	ck_assert_int_eq(served(), 200);
	ck_assert_int_eq(database.begun, 1);
	ck_assert_int_eq(database.committed, 1);
	ck_assert_int_eq(database.rolled_back, 0);
	ck_assert_str_eq(world.audit_action, "project.delete");
	ck_assert_str_eq(world.audit_object, PROJECT);
	begin_logged_in("POST", "/p/" PROJECT "/fail", NULL);
	ck_assert_int_eq(served(), 404);
	ck_assert_int_eq(database.committed, 1);
	ck_assert_int_eq(database.rolled_back, 1);
	ck_assert_int_eq(world.audited, 1);
	ck_assert_str_eq(error_code(), "PROJECT_NOT_FOUND");
	ck_assert_ptr_nonnull(strstr(x.answer, "\"projectId\":\"" PROJECT "\""));
	ck_assert_ptr_null(strstr(x.answer, "X-Left-Over"));
}
END_TEST

static int edit(const char *key)
{
	begin_logged_in("POST", "/p/" PROJECT "/edit", NULL);
	exchange_set(&x, "HTTP_IDEMPOTENCY_KEY", key);
	return served();
}

START_TEST(a_member_does_what_their_role_gives_for_the_owner)
{
	static const struct {
		const char *method, *path;
		int status[PROJECT_ROLE_COUNT]; /* of owner, editor, viewer */
	} cases[] = {
		{ "GET", "/p/" PROJECT "/seen", { 200, 200, 200 } },
		{ "POST", "/p/" PROJECT "/edit", { 200, 200, 403 } },
		{ "DELETE", "/p/" PROJECT, { 200, 403, 403 } },
		{ "GET", "/p/" PROJECT, { 200, 403, 403 } },
		{ "GET", "/p", { 200, 200, 200 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int role = 0; role < PROJECT_ROLE_COUNT; role++) {
			int handled = world.handled;
			world.role = (enum project_role)role;
			world.owner = role == PROJECT_OWNER ? USER : OTHER;
			begin_logged_in(cases[i].method, cases[i].path, NULL);
			ck_assert_int_eq(served(), cases[i].status[role]);
			ck_assert_int_eq(world.handled - handled, cases[i].status[role] == 200);
		}
	}
	world.role = PROJECT_EDITOR;
	ck_assert_int_eq(edit("k1"), 200);
	ck_assert_str_eq(world.audit_owner, OTHER);
	world.role = PROJECT_VIEWER;
	ck_assert_int_eq(edit("k1"), 403); /* what was answered before is not answered again */
	ck_assert_str_eq(error_code(), "PROJECT_ROLE");
	world.stranger = true;
	ck_assert_int_eq(edit("k1"), 404);
}
END_TEST

START_TEST(who_is_removed_during_a_read_gets_nothing_of_it)
{
	world.role = PROJECT_VIEWER;
	world.owner = OTHER;
	world.is_removed_meanwhile = true;
	begin_logged_in("GET", "/p/" PROJECT "/seen", NULL);
	ck_assert_int_eq(served(), 404);
	ck_assert_int_eq(world.handled, 1);
	ck_assert_str_eq(error_code(), "PROJECT_NOT_FOUND");
}
END_TEST

START_TEST(slow_work_is_done_before_the_transaction)
{
	begin_logged_in("POST", "/token", NULL);
	ck_assert_int_eq(served(), 200);
	ck_assert_int_eq(database.committed, 1);
	ck_assert_str_eq(world.audit_action, "token.create");
	world.unprepared = true;
	begin_logged_in("POST", "/token", NULL);
	ck_assert_int_eq(served(), 403);
	ck_assert_int_eq(database.begun, 1);
	ck_assert_int_eq(world.handled, 1);
	ck_assert_int_eq(world.released, 2);
	world.maintained = true;
	begin_logged_in("POST", "/token", NULL);
	ck_assert_int_eq(served(), 503);
	ck_assert_int_eq(world.released, 2);
}
END_TEST

START_TEST(where_no_answer_is_kept_a_key_means_nothing)
{
	for (int i = 0; i < 2; i++) {
		begin_logged_in("POST", "/token", NULL);
		exchange_set(&x, "HTTP_IDEMPOTENCY_KEY", "k1");
		ck_assert_int_eq(served(), 200);
	}
	ck_assert_int_eq(world.handled, 2);
	ck_assert_ptr_null(world.body);
}
END_TEST

static int create(const char *key, const char *name)
{
	CLEANUP(cleanup_free) char *body = mem_printf("{\"name\":\"%s\"}", name);

	begin_logged_in("POST", "/p", body);
	exchange_set(&x, "HTTP_IDEMPOTENCY_KEY", key);
	return served();
}

START_TEST(a_key_that_was_used_gives_the_same_answer)
{
	ck_assert_int_eq(create("\"k1\"", "a"), 200);
	ck_assert_str_eq(exchange_header(&x, "Idempotent-Replayed"), "");
	CLEANUP(cleanup_free) char *first = mem_strdup(exchange_body(&x));
	ck_assert_int_eq(create("k1", "a"), 200); /* quotes are ignored */
	ck_assert_str_eq(exchange_body(&x), first);
	ck_assert_str_eq(exchange_header(&x, "Idempotent-Replayed"), "true");
	ck_assert_int_eq(world.handled, 1);
	ck_assert_int_eq(database.rolled_back, 1);
	ck_assert_int_eq(create("k1", "b"), 422);
	ck_assert_int_eq(world.handled, 1);
	ck_assert_int_eq(create("k2", "b"), 200);
	ck_assert_int_eq(world.handled, 2);
}
END_TEST

START_TEST(under_maintenance_people_read_and_log_in_and_change_nothing)
{
	static const struct {
		const char *method, *url, *body;
		int status;
	} cases[] = {
		{ "GET", "/p", NULL, 200 },
		{ "POST", "/login", "{\"name\":\"a\"}", 200 },
		{ "POST", "/register", "{\"name\":\"a\"}", 503 },
		{ "POST", "/p", "{\"name\":\"a\"}", 503 },
		{ "DELETE", "/p/" PROJECT, NULL, 503 },
	};

	world.maintained = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int handled = world.handled, committed = database.committed;
		begin_logged_in(cases[i].method, cases[i].url, cases[i].body);
		ck_assert_int_eq(served(), cases[i].status);
		ck_assert_int_eq(world.handled - handled, cases[i].status == 200);
		ck_assert_int_eq(database.committed, committed);
	}
	ck_assert_str_eq(error_code(), "MAINTENANCE");
	ck_assert_int_eq(world.audited, 0);
}
END_TEST

START_TEST(a_used_up_budget_is_refused_before_anything_is_begun)
{
	static const struct {
		const char *method, *url, *body;
		int status;
	} cases[] = {
		{ "POST", "/p", "{\"name\":\"a\"}", 200 },
		{ "POST", "/p", "{\"name\":\"a\"}", 429 },
		{ "POST", "/end", "", 200 },
		{ "POST", "/end", "", 429 },
		{ "POST", "/password", "", 200 },
		{ "GET", "/p", NULL, 200 },
		{ "POST", "/login", "{\"name\":\"a\"}", 200 },
	};

	world.metered = true;
	world.budgets[BUDGET_CHANGES] = world.budgets[BUDGET_ENDS_OF_ACCESS] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int handled = world.handled, begun = database.begun;
		begin_logged_in(cases[i].method, cases[i].url, cases[i].body);
		ck_assert_int_eq(served(), cases[i].status);
		ck_assert_int_eq(world.handled - handled, cases[i].status == 200);
		if (cases[i].status == 429) {
			ck_assert_int_eq(database.begun, begun);
			ck_assert_str_eq(error_code(), "TOO_MANY_CHANGES");
			ck_assert_str_eq(exchange_header(&x, "Retry-After"), "3");
		}
	}
	ck_assert_int_eq(world.audited, 1);
}
END_TEST

START_TEST(a_key_must_be_a_key)
{
	char long_key[300];

	memset(long_key, 'k', sizeof(long_key));
	long_key[256] = '\0';
	ck_assert_int_eq(create(long_key, "a"), 400);
	long_key[255] = '\0';
	ck_assert_int_eq(create(long_key + 200, "a"), 200);
	ck_assert_int_eq(create("", "a"), 400);
	ck_assert_int_eq(create("\"\"", "a"), 400);
	ck_assert_int_eq(create("a b", "a"), 400);
	ck_assert_int_eq(create("k\xc3\xa9", "a"), 400);
	ck_assert_int_eq(create("\"a\\\"b\"", "a"), 400);
	ck_assert_int_eq(world.handled, 1);
}
END_TEST

START_TEST(a_constraints_error_is_not_shown)
{
	begin_logged_in("POST", "/p/00000000-0000-4000-8000-000000000002/violate", "");
	ck_assert_int_eq(served(), 400);
	ck_assert_str_eq(error_code(), "INVALID");
	ck_assert_ptr_null(strstr(exchange_body(&x), "PostgreSQL"));
	ck_assert_ptr_null(strstr(exchange_body(&x), "_check"));
}
END_TEST

START_TEST(without_the_database_a_request_is_503)
{
	world.away = true;
	log_set_level_name("error");
	begin_logged_in("GET", "/p", NULL);
	ck_assert_int_eq(served(), 503);
	ck_assert_str_eq(exchange_header(&x, "Retry-After"), "1");
	begin("GET", "/open", NULL);
	ck_assert_int_eq(served(), 200);
}
END_TEST

START_TEST(ids_are_the_same_in_either_case)
{
	begin_logged_in("GET", "/p/ABCDEF00-1111-4111-8111-111111111111", NULL);
	ck_assert_int_eq(served(), 200);
	ck_assert_ptr_nonnull(strstr(x.answer, "\"abcdef00-1111-4111-8111-111111111111\""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("router");
	TCase *tc = tcase_create("router");

	crypto_init();
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, paths_and_methods_are_found_exactly);
	tcase_add_test(tc, a_path_lists_its_methods);
	tcase_add_test(tc, head_is_get_without_the_body);
	tcase_add_test(tc, without_a_session_nothing_is_read_or_done);
	tcase_add_test(tc, a_change_from_another_site_is_refused_before_its_body_is_read);
	tcase_add_test(tc, an_api_token_does_what_its_scope_says);
	tcase_add_test(tc, where_credentials_are_managed_an_api_token_is_not_enough);
	tcase_add_test(tc, bodies_and_queries_must_fit_their_tables);
	tcase_add_test(tc, a_change_is_one_transaction_with_its_audit);
	tcase_add_test(tc, a_member_does_what_their_role_gives_for_the_owner);
	tcase_add_test(tc, who_is_removed_during_a_read_gets_nothing_of_it);
	tcase_add_test(tc, slow_work_is_done_before_the_transaction);
	tcase_add_test(tc, where_no_answer_is_kept_a_key_means_nothing);
	tcase_add_test(tc, a_key_that_was_used_gives_the_same_answer);
	tcase_add_test(tc, a_used_up_budget_is_refused_before_anything_is_begun);
	tcase_add_test(tc, under_maintenance_people_read_and_log_in_and_change_nothing);
	tcase_add_test(tc, a_key_must_be_a_key);
	tcase_add_test(tc, a_constraints_error_is_not_shown);
	tcase_add_test(tc, without_the_database_a_request_is_503);
	tcase_add_test(tc, ids_are_the_same_in_either_case);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
