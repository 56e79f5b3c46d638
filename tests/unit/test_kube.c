#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "kube/answer.h"
#include "kube/client.h"
#include "kube/resource.h"
#include "kube/rules.h"
#include "kube/status.h"
#include "kube/target.h"
#include "pki.h"
#include "tls_server.h"

/* ---- the meanings of refusals ---------------------------------------------------------------- */

static const struct {
	long status;
	const char *reason, *message; /* reason NULL: no Status; `message` is the body */
	enum err_kind kind;
	const char *code;
} refusals[] = {
	{ 401, "Unauthorized", "Unauthorized", ERR_KUBE_UNAUTHORIZED, "KUBE_UNAUTHORIZED" },
	{ 401, NULL, "<html>", ERR_KUBE_UNAUTHORIZED, "KUBE_UNAUTHORIZED" },
	{ 403, "Forbidden",
	  "statefulsets.apps is forbidden: User \"u\" cannot list resource \"statefulsets\"",
	  ERR_KUBE_FORBIDDEN, "KUBE_FORBIDDEN" },
	{ 403, "Forbidden",
	  "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: 1",
	  ERR_KUBE_QUOTA, "QUOTA_EXCEEDED" },
	{ 403, "Forbidden", "pods \"x\" is forbidden: failed quota: q: must specify limits.cpu",
	  ERR_KUBE_QUOTA, "QUOTA_INCOMPLETE" },
	{ 403, "Forbidden", "pods \"x\" is forbidden: status unknown for quota: q, resources: pods",
	  ERR_KUBE_QUOTA, "QUOTA_UNKNOWN" },
	{ 403, "Forbidden",
	  "pods \"x\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
	  ERR_KUBE_QUOTA, "LIMIT_RANGE" },
	{ 403, "Forbidden",
	  "pods \"x\" is forbidden: cpu max limit to request ratio per Container is 2, but 4",
	  ERR_KUBE_QUOTA, "LIMIT_RANGE" },
	{ 403, "Forbidden",
	  "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": …",
	  ERR_KUBE_ADMISSION, "POD_SECURITY" },
	{ 403, "Forbidden",
	  "unable to create new content in namespace ns because it is being terminated",
	  ERR_KUBE_CONFLICT, "NAMESPACE_TERMINATING" },
	{ 403, "Forbidden",
	  "admission webhook \"debt.sealos.io\" denied the request: 40001: account balance less "
	  "than 0",
	  ERR_KUBE_BILLING, "KUBE_BILLING" },
	{ 403, "40001: account balance less than 0", "40001: account balance less than 0",
	  ERR_KUBE_BILLING, "KUBE_BILLING" },
	{ 400, "BadRequest", "admission webhook \"v\" denied the request: 40301: host is taken",
	  ERR_KUBE_ADMISSION, "INGRESS_HOST_TAKEN" },
	{ 403, "Forbidden", "admission webhook \"v\" denied the request: 40300: no CNAME",
	  ERR_KUBE_ADMISSION, "INGRESS_CNAME" },
	{ 403, "Forbidden", "admission webhook \"v\" denied the request: 40302: no licence",
	  ERR_KUBE_ADMISSION, "INGRESS_LICENCE" },
	{ 403, "Forbidden", "admission webhook \"v\" denied the request: 40303: suffix",
	  ERR_KUBE_ADMISSION, "INGRESS_SUFFIX" },
	{ 422, "Invalid", "admission webhook \"v\" denied the request: no", ERR_KUBE_ADMISSION,
	  "WEBHOOK_DENIED" },
	{ 422, "Invalid",
	  "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: "
	  "…",
	  ERR_KUBE_ADMISSION, "POLICY_DENIED" },
	{ 404, "NotFound", "statefulsets.apps \"x\" not found", ERR_KUBE_NOT_FOUND,
	  "OBJECT_NOT_FOUND" },
	{ 404, "NotFound", "namespaces \"ns\" not found", ERR_KUBE_NOT_FOUND,
	  "NAMESPACE_NOT_FOUND" },
	{ 404, "NotFound", "the server could not find the requested resource", ERR_KUBE_NOT_FOUND,
	  "RESOURCE_TYPE_NOT_FOUND" },
	{ 404, NULL, "404 page not found\n", ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND" },
	{ 404, NULL, "<html>Not Found</html>", ERR_KUBE_PROTOCOL, "NOT_KUBERNETES" },
	{ 404, "", "gone", ERR_KUBE_PROTOCOL, "NOT_KUBERNETES" },
	{ 409, "AlreadyExists", "x already exists", ERR_KUBE_CONFLICT, "ALREADY_EXISTS" },
	{ 409, "AlreadyExists", "object is being deleted: x already exists", ERR_KUBE_CONFLICT,
	  "BEING_DELETED" },
	{ 409, "Conflict", "Precondition failed: UID in precondition: a, UID in object meta: b",
	  ERR_KUBE_CONFLICT, "UID_MISMATCH" },
	{ 409, "Conflict",
	  "Operation cannot be fulfilled on statefulsets.apps \"x\": the UID in the precondition "
	  "(a) "
	  "does not match the UID in record (b). The object might have been deleted",
	  ERR_KUBE_CONFLICT, "UID_MISMATCH" },
	{ 409, "Conflict",
	  "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.replicas",
	  ERR_KUBE_CONFLICT, "FIELD_CONFLICT" },
	{ 409, "Conflict", "the object has been modified", ERR_KUBE_CONFLICT, "KUBE_CONFLICT" },
	{ 410, "Expired", "The provided continue parameter is too old", ERR_KUBE_CONFLICT,
	  "EXPIRED" },
	{ 400, "BadRequest", "bad", ERR_KUBE_INVALID, "KUBE_INVALID" },
	{ 405, "MethodNotAllowed", "no", ERR_KUBE_INVALID, "KUBE_INVALID" },
	{ 408, NULL, "", ERR_KUBE_TIMEOUT, "KUBE_TIMEOUT" },
	{ 413, "RequestEntityTooLarge", "limit is 3145728", ERR_KUBE_INVALID, "OBJECT_TOO_LARGE" },
	{ 415, "UnsupportedMediaType", "no", ERR_KUBE_INVALID, "KUBE_INVALID" },
	{ 422, "Invalid", "Service \"x\" is invalid: spec.ports: Required value", ERR_KUBE_INVALID,
	  "KUBE_INVALID" },
	{ 429, "TooManyRequests", "Too many requests", ERR_KUBE_RATE_LIMITED, "KUBE_RATE_LIMITED" },
	{ 500, "InternalError",
	  "failed to create typed patch object (ns/x): .spec.affinity: field not "
	  "declared in schema",
	  ERR_KUBE_INVALID, "UNKNOWN_FIELD" },
	{ 500, "", "failed to create typed patch object (ns/x): .spec.replicas: expected numeric",
	  ERR_KUBE_INVALID, "WRONG_TYPE" },
	{ 500, "InternalError", "Internal error occurred: failed calling webhook \"w\": refused",
	  ERR_KUBE_SERVER, "WEBHOOK_FAILED" },
	{ 500, "InternalError", "etcdserver: request timed out", ERR_KUBE_SERVER, "KUBE_SERVER" },
	{ 502, NULL, "<html>Bad Gateway</html>", ERR_KUBE_SERVER, "KUBE_SERVER" },
	{ 503, "ServiceUnavailable", "no endpoints", ERR_KUBE_SERVER, "SERVICE_UNAVAILABLE" },
	{ 504, "Timeout", "request did not complete within the allotted timeout", ERR_KUBE_SERVER,
	  "SERVER_TIMEOUT" },
	{ 302, NULL, "", ERR_KUBE_PROTOCOL, "REDIRECT" },
	{ 101, NULL, "", ERR_KUBE_PROTOCOL, "KUBE_PROTOCOL" },
	{ 700, NULL, "", ERR_KUBE_PROTOCOL, "KUBE_PROTOCOL" },
};

START_TEST(a_refusal_has_a_kind_and_a_code)
{
	json_auto_t *body = NULL;
	struct err e = { 0 };

	if (refusals[_i].reason != NULL)
		body = json_pack("{s:s, s:s, s:s, s:s}", "kind", "Status", "apiVersion", "v1",
				 "reason", refusals[_i].reason, "message", refusals[_i].message);
	const struct kube_refusal refusal = { .http_status = refusals[_i].status,
					      .body = body,
					      .text = body ? "{…}" : refusals[_i].message };
	ck_assert_int_eq(kube_status_error(&refusal, &e), -1);
	ck_assert_msg(e.kind == refusals[_i].kind && strcmp(e.code, refusals[_i].code) == 0,
		      "%ld %s: %s", refusals[_i].status, refusals[_i].message, e.code);
	if (body != NULL)
		ck_assert_msg(strstr(e.message, refusals[_i].message), "%s", e.message);
}
END_TEST

START_TEST(retry_after_comes_from_header_or_body_and_is_capped)
{
	static const struct {
		unsigned header;
		int body;
		unsigned seconds;
	} cases[] = { { 0, 0, 0 }, { 5, 0, 5 },        { 5, 9, 5 },
		      { 0, 9, 9 }, { 0, 99999, 3600 }, { 0, -1, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *body = json_pack("{s:s, s:{s:i}}", "kind", "Status", "details",
					      "retryAfterSeconds", cases[i].body);
		const struct kube_refusal refusal = { .http_status = 429,
						      .body = body,
						      .text = "",
						      .retry_after_s = cases[i].header };
		struct err e = { 0 };
		kube_status_error(&refusal, &e);
		ck_assert_uint_eq(e.retry_after_s, cases[i].seconds);
	}
}
END_TEST

START_TEST(a_hostile_text_is_made_harmless)
{
	char shown[KUBE_TEXT_MAX], longer[2 * KUBE_TEXT_MAX];

	kube_status_text("a\r\nb\t\x1b[31mc\x7f\xc2\x85\xc3\xa9\n", NULL, shown);
	ck_assert_str_eq(shown, "a  b  [31mc   \xc3\xa9");
	kube_status_text("\xff\xfe", NULL, shown);
	ck_assert_str_eq(shown, "");
	kube_status_text("your token is s3cret, is it not?", "s3cret", shown);
	ck_assert_ptr_null(strstr(shown, "s3cret"));
	for (size_t start = 0; start < 3; start++) {
		memset(longer, 'x', start);
		for (size_t i = start; i + 3 < sizeof(longer); i += 3)
			memcpy(longer + i, "\xe2\x82\xac", 4);
		kube_status_text(longer, NULL, shown);
		ck_assert_uint_ge(strlen(shown), KUBE_TEXT_MAX - 4);
		ck_assert(parse_is_utf8(shown, strlen(shown)));
	}
}
END_TEST

START_TEST(resource_types_are_complete_and_found)
{
	for (int i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		enum kube_resource r = (enum kube_resource)i, other = KUBE_RESOURCE_COUNT;
		ck_assert_ptr_nonnull(kube_resource_plural(r));
		ck_assert(kube_resource_find(kube_resource_type(r)->api_version,
					     kube_resource_kind(r), &other));
		ck_assert_int_eq(other, i);
	}
	enum kube_resource none;
	ck_assert(!kube_resource_find("v1", "StatefulSet", &none));
	ck_assert(!kube_resource_find("", "", &none));
}
END_TEST

/* ---- valid responses ------------------------------------------------------------------------- */

static const char *code_of_answer(const char *body, const char *kind, const char *name)
{
	json_auto_t *json = NULL;
	const struct kube_expected expected = {
		.verb = "get", .plural = "pods", .name = name, .kind = kind, .secret = NULL
	};
	const struct http_answer answer = { .failure = HTTP_OK,
					    .message = "",
					    .status = 200,
					    .body = body,
					    .length = strlen(body) };
	static struct err e;

	if (kube_answer_read(&answer, &expected, &json, &e) == 0)
		return "";
	ck_assert_int_eq(e.kind, ERR_KUBE_PROTOCOL);
	ck_assert_int_eq(strncmp(e.message, "get pods/x: ", 12), 0);
	return e.code;
}

START_TEST(an_answer_must_be_the_object_that_was_asked_for)
{
#define POD(name) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name "\"}}"
	ck_assert_str_eq(code_of_answer(POD("x"), "Pod", "x"), "");
	ck_assert_str_eq(code_of_answer(POD("y"), "Pod", "x"), "OTHER_OBJECT");
	ck_assert_str_eq(code_of_answer(POD("x"), "Service", "x"), "OTHER_OBJECT");
	ck_assert_str_eq(code_of_answer(POD("y"), NULL, "x"), "");
	static const char *const not_json[] = { "", "x", "[]trailing", "{\"a\":", "null", "\"x\"" };
	for (size_t i = 0; i < ARRAY_SIZE(not_json); i++)
		ck_assert_str_eq(code_of_answer(not_json[i], "Pod", "x"), "NOT_JSON");
	static const char *const not_kubernetes[] = { "{}", "[]", "{\"kind\":\"Pod\"}",
						      "{\"kind\":1,\"apiVersion\":\"v1\"}" };
	for (size_t i = 0; i < ARRAY_SIZE(not_kubernetes); i++)
		ck_assert_str_eq(code_of_answer(not_kubernetes[i], "Pod", "x"), "NOT_KUBERNETES");
}
END_TEST

static char *repeated(const char *text, size_t count)
{
	size_t length = strlen(text);
	char *all = mem_calloc(count * length + 1, 1);

	for (size_t i = 0; i < count; i++)
		memcpy(all + i * length, text, length);
	return all;
}

START_TEST(json_bombs_are_not_built)
{
	CLEANUP(cleanup_free) char *deep = repeated("[", KUBE_JSON_DEPTH + 1);
	CLEANUP(cleanup_free) char *deep_objects = repeated("{\"a\":", KUBE_JSON_DEPTH + 1);
	CLEANUP(cleanup_free) char *many = repeated("[],", KUBE_JSON_COST / 6 + 1);
	CLEANUP(cleanup_free) char *wide = mem_printf("[%s1]", many);
	CLEANUP(cleanup_free) char *numbers = repeated("0,", KUBE_JSON_COST);
	CLEANUP(cleanup_free) char *long_list = mem_printf("[%s1]", numbers);
	/* Brackets within strings do not count. */
	CLEANUP(cleanup_free) char *brackets = repeated("[{\\\"", KUBE_JSON_DEPTH + 1);
	CLEANUP(cleanup_free)
	char *text = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"a\":\"%s\"}", brackets);

	ck_assert_str_eq(code_of_answer(deep, NULL, "x"), "ANSWER_TOO_LARGE");
	ck_assert_str_eq(code_of_answer(deep_objects, NULL, "x"), "ANSWER_TOO_LARGE");
	ck_assert_str_eq(code_of_answer(wide, NULL, "x"), "ANSWER_TOO_LARGE");
	ck_assert_str_eq(code_of_answer(long_list, NULL, "x"), "ANSWER_TOO_LARGE");
	ck_assert_str_eq(code_of_answer(text, NULL, "x"), "");
}
END_TEST

static const char *const empty[] = { NULL };
static const char *const unread[] = { "managedFields", "unread", NULL };
static const char *const read[] = { "name", "spec", "status*", NULL };

/* What is received, what is read of it, and what is left of it; NULL: no JSON. */
static const struct {
	const char *sent;
	struct kube_members members;
	const char *kept;
} filtered[] = {
	{ "{\"a\":{\"b\":[1,\"x\"]},\"a\":null}", { NULL, NULL }, "{\"a\":null}" },
	{ "{\"a\":[{\"b\":1}]}", { NULL, empty }, "{\"a\":[{\"b\":1}]}" },
	{ "{\"managedFields\":[{\"a\":[1]},{}],\"b\":2}", { NULL, unread }, "{\"b\":2}" },
	{ "{\"b\":2,\"managedFields\":{\"a\":[1]}}", { NULL, unread }, "{\"b\":2}" },
	{ "{\"managedFields\":[\"]\\\"]\\\\\",[[]]]}", { NULL, unread }, "{}" },
	{ "[{\"managedFields\":[1]},{\"managedFields\":[2],\"managedFields\":[3]}]",
	  { NULL, unread },
	  "[{},{}]" },
	{ "{\"b\":2,\"managedFields\":1,\"unread\":null,\"c\":3}",
	  { NULL, unread },
	  "{\"b\":2,\"c\":3}" },
	{ "{\"a\":1,\"unread\":\"}\",\"b\":{\"unread\":[{}]}}",
	  { NULL, unread },
	  "{\"a\":1,\"b\":{}}" },
	/* Other names, and values. */
	{ "{\"x\\\"managedFields\":[1]}", { NULL, unread }, "{\"x\\\"managedFields\":[1]}" },
	{ "[\"managedFields\",[1]]", { NULL, unread }, "[\"managedFields\",[1]]" },
	{ "[\"\\\"managedFields\\\":[\"]", { NULL, unread }, "[\"\\\"managedFields\\\":[\"]" },
	{ "{\"managedField\":[1],\"managedFields2\":[1]}",
	  { NULL, unread },
	  "{\"managedField\":[1],\"managedFields2\":[1]}" },
	/* API servers send no blanks. */
	{ "{ \"a\" : 1 , \"unread\" : [ 1 ] }", { NULL, unread }, "{\"a\":1}" },
	{ "{\n\t\"unread\": 1 ,\r\n\t\"a\": 1\n}\n", { NULL, unread }, "{\"a\":1}" },
	/* A list, of whose objects little is read. */
	{ "{\"a\":1,\"metadata\":{\"continue\":\"x\"},\"items\":[{\"name\":1,\"b\":[{}]},{\"b\":1}]"
	  "}",
	  { read, NULL },
	  "{\"a\":1,\"metadata\":{\"continue\":\"x\"},\"items\":[{\"name\":1},{}]}" },
	{ "[[{\"b\":1,\"spec\":{\"name\":\"x\",\"b\":{\"name\":1}},\"names\":1}]]",
	  { read, NULL },
	  "[[{\"spec\":{\"name\":\"x\"}}]]" },
	{ "[[{\"status\":{\"a\":[{\"b\":1}],\"c\":1},\"d\":1,\"name\":[1,\"d\"]}]]",
	  { read, NULL },
	  "[[{\"status\":{\"a\":[{\"b\":1}],\"c\":1},\"name\":[1,\"d\"]}]]" },
	{ "[[{\"status\": \"a\" ,\"b\":{\"name\":1}},{\"status\" : [{\"a\": {\"b\":1}}]}]]",
	  { read, NULL },
	  "[[{\"status\":\"a\"},{\"status\":[{\"a\":{\"b\":1}}]}]]" },
	{ "[[{\"statu\":1,\"nam\":1,\"\":1}]]", { read, NULL }, "[[{}]]" },
	/* Truncated JSON. */
	{ "{\"managedFields\":[", { NULL, unread }, NULL },
	{ "{\"managedFields\":[1", { NULL, unread }, NULL },
	{ "{\"managedFields\":[\"\\", { NULL, unread }, NULL },
	{ "{\"managedFields\":[[]", { NULL, unread }, NULL },
	{ "{\"managedFields\":{\"\"", { NULL, unread }, NULL },
	{ "{\"managedFields\":[1}", { NULL, unread }, NULL },
	{ "{\"managedFields\":", { NULL, unread }, NULL },
	{ "{\"managedFields\"", { NULL, unread }, NULL },
	{ "{\"managedFields", { NULL, unread }, NULL },
	{ "[[{\"status\":", { read, NULL }, NULL },
	{ "[[{\"status", { read, NULL }, NULL },
};

START_TEST(what_nobody_reads_is_left_out)
{
	json_auto_t *json = NULL;
	const struct kube_expected expected = { .verb = "list",
						.plural = "pods",
						.members = filtered[_i].members };
	const struct http_answer answer = { .failure = HTTP_OK,
					    .message = "",
					    .status = 200,
					    .body = filtered[_i].sent,
					    .length = strlen(filtered[_i].sent) };
	struct err e;

	/* None of them is an object of Kubernetes, but the JSON is returned. */
	ck_assert_int_eq(kube_answer_read(&answer, &expected, &json, &e), -1);
	if (filtered[_i].kept == NULL) {
		ck_assert_ptr_null(json);
		return;
	}
	CLEANUP(cleanup_free) char *kept = json_dumps(json, JSON_COMPACT);
	ck_assert_str_eq(kept, filtered[_i].kept);
}
END_TEST

START_TEST(the_pages_of_a_list_have_one_cost)
{
	static const char page[] = "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":[{},{}]}";
	size_t left = 3 * 25;
	const struct kube_expected expected = {
		.verb = "list", .plural = "pods", .kind = "PodList", .cost_left = &left
	};
	const struct http_answer answer = { .failure = HTTP_OK,
					    .message = "",
					    .status = 200,
					    .body = page,
					    .length = sizeof(page) - 1 };
	struct err e;

	for (int i = 0; i < 4; i++) {
		json_auto_t *json = NULL;
		ck_assert_int_eq(kube_answer_read(&answer, &expected, &json, &e), i < 3 ? 0 : -1);
	}
	ck_assert_str_eq(e.code, "ANSWER_TOO_LARGE");
	ck_assert_uint_eq(left, 3);
}
END_TEST

/* ---- memory for them ------------------------------------------------------------------------- */

START_TEST(nobody_takes_what_another_one_is_owed)
{
	struct kube_memory memory = kube_memory(2000, 10); /* 100 each, and 1,000 for all */
	struct kube_budget greedy[3], modest;

	for (size_t i = 0; i < ARRAY_SIZE(greedy); i++)
		kube_budget_open(&greedy[i], &memory, 1);
	kube_budget_open(&modest, &memory, 2);
	ck_assert_uint_eq(kube_budget_left(&greedy[0]), 900); /* nobody can borrow everything */
	ck_assert(!kube_budget_take(&greedy[0], 901));
	ck_assert(kube_budget_take(&greedy[0], 900));
	ck_assert(kube_budget_take(&greedy[1], 300));
	ck_assert_uint_eq(kube_budget_left(&greedy[2]), 100);
	ck_assert(kube_budget_take(&modest, 200));
	ck_assert(!kube_budget_take(&modest, 1));
	kube_budget_release(&greedy[0], 150); /* borrowed memory is returned first */
	ck_assert_uint_eq(kube_budget_left(&greedy[2]), 250);
	ck_assert(kube_budget_take(&modest, 150));
	kube_budget_close(&greedy[0]);
	kube_budget_close(&greedy[1]);
	kube_budget_close(&greedy[2]);
	kube_budget_close(&modest);
	ck_assert_uint_eq(memory.common, 1000);
}
END_TEST

START_TEST(without_memory_there_is_no_bound)
{
	struct kube_budget budget;

	kube_budget_open(&budget, NULL, 1);
	ck_assert(kube_budget_take(&budget, SIZE_MAX));
	kube_budget_release(&budget, SIZE_MAX);
	kube_budget_close(&budget);
}
END_TEST

/* ---- the owner of a slot --------------------------------------------------------------------- */

enum { TURNS = 100, SHARED = KUBE_LIMITER_SLOTS - KUBE_LIMITER_RESERVED };

/* All use one server; returns how many may be sent at once. */
static size_t enter_all(struct kube_limiters *limiters, struct kube_tenant *tenant,
			struct kube_slot slots[TURNS])
{
	size_t sent = 0;

	kube_tenant_init(tenant);
	for (int i = 0; i < TURNS; i++) {
		slots[i] = (struct kube_slot) { .tenant = tenant, .until_ms = i };
		sent += kube_limiter_enter(limiters, "https://x", &slots[i]);
	}
	return sent;
}

START_TEST(those_who_ask_take_turns)
{
	struct kube_limiters *limiters = kube_limiters_new();
	struct kube_tenant greedy, other, modest;
	struct kube_slot many[TURNS], more[TURNS], one = { .tenant = &modest };

	ck_assert_uint_eq(enter_all(limiters, &greedy, many), SHARED);
	ck_assert_uint_eq(enter_all(limiters, &other, more), 1);
	kube_tenant_init(&modest);
	ck_assert(kube_limiter_enter(limiters, "https://x", &one));
	/* The reserved places are for users who have none. */
	ck_assert_ptr_null(kube_limiter_leave(&many[0]));
	ck_assert_ptr_null(kube_limiter_leave(&many[1]));
	/* Each gets as many in a row as working on a row needs. */
	for (int i = 0; i < 3 * KUBE_LIMITER_TURN; i++) {
		int turn = i / KUBE_LIMITER_TURN, place = i % KUBE_LIMITER_TURN;
		struct kube_slot *next =
			turn == 1 ? &more[1 + place]
				  : &many[SHARED + (turn == 2 ? KUBE_LIMITER_TURN : 0) + place];
		ck_assert_ptr_eq(kube_limiter_leave(&many[2 + i]), next);
	}
	/* Another server has its own limits. */
	ck_assert_ptr_nonnull(kube_limiter_leave(&one));
	ck_assert(kube_limiter_enter(limiters, "https://y", &one));
	kube_limiters_free(limiters);
}
END_TEST

START_TEST(who_waits_too_long_is_taken_out)
{
	struct kube_limiters *limiters = kube_limiters_new();
	struct kube_tenant tenant;
	struct kube_slot slots[TURNS];

	(void)enter_all(limiters, &tenant, slots);
	ck_assert_ptr_null(kube_limiters_expire(limiters, SHARED - 1));
	ck_assert_ptr_eq(kube_limiters_expire(limiters, SHARED + 1), &slots[SHARED]);
	ck_assert_ptr_null(slots[SHARED].limiter);
	ck_assert_ptr_eq(kube_limiter_expire(slots[0].limiter, SHARED + 1), &slots[SHARED + 1]);
	ck_assert_ptr_null(kube_limiters_expire(limiters, SHARED + 1));
	ck_assert_ptr_eq(kube_limiter_leave(&slots[0]), &slots[SHARED + 2]);
	kube_limiters_free(limiters);
}
END_TEST

/* ---- the client, on a server that answers by a script ---------------------------------------- */

#define JSON_HEADER "Content-Type: application/json\r\n"
#define OK(text)    .status = "200 OK", .headers = JSON_HEADER, .body = text
#define SET(name)                                                                                  \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"" name "\"" \
	"}}"
#define PODS(more, name)                                                                           \
	"{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\","     \
	"\"continue\":\"" more "\"},\"items\":[{\"metadata\":{\"name\":\"" name "\"}}]}"
#define STATUS(code, reason, text)                                                                 \
	.status = code, .headers = JSON_HEADER,                                                    \
	.body = "{\"apiVersion\":\"v1\",\"kind\":\"Status\",\"reason\":\"" reason                  \
		"\",\"message\":\"" text "\"}"
#define IN_NS "/namespaces/ns-me/"

/* Filled by start(). */
static char large[100000];

static void fill_large(void)
{
	static const char head[] = "{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\","
				   "\"metadata\":{\"name\":\"large\"},\"spec\":\"";

	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, head, sizeof(head) - 1);
	memcpy(large + sizeof(large) - 3, "\"}", 2);
}

static const struct tls_reply replies[] = {
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/good ", OK(SET("good")) },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/other ", OK(SET("something")) },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/gone ",
	  STATUS("404 Not Found", "NotFound", "statefulsets.apps \\\"gone\\\" not found") },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/elsewhere ",
	  .status = "404 Not Found",
	  .body = "<html>" },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/leak ",
	  STATUS("403 Forbidden", "Forbidden", "no, t0ken-of-me is bad") },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/slow ", .raw = "", .delay_ms = 60000 },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/large ", OK(large) },
	{ .match = "GET /apis/apps/v1" IN_NS "statefulsets/busy ",
	  .status = "503 No",
	  .headers = "Retry-After: 9\r\n",
	  .body = "busy" },
	{ .match = "PATCH /apis/apps/v1" IN_NS "statefulsets/good?", OK(SET("good")) },
	{ .match = "DELETE /apis/apps/v1" IN_NS "statefulsets/good ",
	  OK("{\"apiVersion\":\"v1\",\"kind\":\"Status\",\"status\":\"Success\"}") },
	{ .match = "limit=500&labelSelector=a%3Db%2Cc&continue=2%2B ", OK(PODS("", "second")) },
	{ .match = "limit=500&labelSelector=a%3Db%2Cc ", OK(PODS("2+", "first")) },
	{ .match = "labelSelector=expires&continue=old", STATUS("410 Gone", "Expired", "too old") },
	{ .match = "labelSelector=expires", OK(PODS("old", "one")) },
	{ .match = "labelSelector=endless", OK(PODS("next", "x")) },
	{ .match = "labelSelector=slow",
	  .status = "200 OK",
	  .body = PODS("next", "x"),
	  .delay_ms = 300 },
	{ .match = "labelSelector=nolist",
	  OK("{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":{}}") },
	{ .match = "labelSelector=nothing",
	  OK("{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":null}") },
	{ .match = "GET /api/v1" IN_NS "secrets?limit=500 ",
	  OK("{\"apiVersion\":\"meta.k8s.io/v1\",\"kind\":\"PartialObjectMetadataList\","
	     "\"metadata\":{},\"items\":[]}") },
};

/* Short if the test waits until it expires, long if it must not expire, however slow the machine
 * is. */
enum { SHORT_MS = 1000, LONG_MS = 20000, BODY_MAX = 3000 };

static struct pki_pair ca, certificate;
static struct tls_server *server;
static struct kube_client *client;
static struct kube_target *target;

static void use_client(int timeout_ms, size_t body_max, const char *allow_addresses)
{
	const struct kube_client_options options = {
		.connect_timeout_ms = LONG_MS,
		.request_timeout_ms = (uint64_t)timeout_ms,
		.body_max = body_max,
		.allow_addresses = allow_addresses,
	};

	kube_client_free(client);
	ck_assert_int_eq(kube_client_new(&options, &client, NULL), 0);
}

static void start(void)
{
	fill_large();
	pki_make_ca("ca", &ca);
	pki_make_leaf(&ca, "server", "IP:127.0.0.1", &certificate);
	const struct tls_server_options server_options = { .certificate = &certificate };
	server = tls_server_start(&server_options, replies, ARRAY_SIZE(replies));
	CLEANUP(cleanup_free)
	char *url = mem_printf("https://127.0.0.1:%u", tls_server_port(server));
	char host[] = "127.0.0.1", namespace[] = "ns-me", token[] = "t0ken-of-me";
	const struct kubeconfig config = { .server = url,
					   .host = host,
					   .namespace = namespace,
					   .ca_pem = ca.certificate_pem,
					   .token = token };
	client = NULL;
	use_client(LONG_MS, BODY_MAX, "127.0.0.0/8");
	ck_assert_int_eq(kube_target_new(&config, &target, NULL), 0);
}

static void stop(void)
{
	kube_client_free(client);
	kube_target_free(target);
	tls_server_stop(server);
	pki_release(&ca);
	pki_release(&certificate);
}

struct outcome {
	int calls;
	bool ok;
	struct err err;
	long status;
	char *body;
	const char *then; /* get this from the callback */
};

static void record(void *user, const struct kube_answer *answer)
{
	struct outcome *o = user;

	o->calls++;
	o->ok = answer->ok;
	o->err = answer->err;
	o->status = answer->http_status;
	free(o->body);
	o->body = answer->body != NULL ? json_dumps(answer->body, JSON_COMPACT) : NULL;
	if (o->then != NULL)
		kube_submit_get(client, target, KUBE_STATEFULSETS, STEAL(o->then), record, o);
}

static void outcome_release(struct outcome *o)
{
	free(o->body);
}

static void finish_all(struct outcome *o)
{
	ck_assert_int_eq(o->calls, 0);
	for (int i = 0; kube_client_pending(client) > 0 && i < 1000; i++)
		kube_client_poll(client, 5000, -1);
	ck_assert_uint_eq(kube_client_pending(client), 0);
	ck_assert_int_ge(o->calls, 1);
}

static void get(const char *name, struct outcome *ret_outcome)
{
	kube_submit_get(client, target, KUBE_STATEFULSETS, name, record, ret_outcome);
	finish_all(ret_outcome);
	ck_assert_int_eq(ret_outcome->calls, 1);
}

static void list_pods(const char *selector, struct outcome *ret_outcome)
{
	const struct kube_list list = { .resource = KUBE_PODS, .label_selector = selector };

	kube_submit_list(client, target, &list, record, ret_outcome);
	finish_all(ret_outcome);
	ck_assert_int_eq(ret_outcome->calls, 1);
}

static bool was_sent(const char *text)
{
	return strstr(tls_server_seen(server)->last, text) != NULL;
}

START_TEST(an_object_is_got)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	get("good", &o);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert_int_eq(o.status, 200);
	ck_assert_ptr_nonnull(strstr(o.body, "\"good\""));
	ck_assert(was_sent("\r\nAuthorization: Bearer t0ken-of-me\r\n"));
	ck_assert(was_sent("\r\nAccept: application/json\r\n"));
	ck_assert_uint_eq(kube_client_requests(client), 1);
}
END_TEST

static const struct {
	const char *name;
	enum err_kind kind;
	const char *code, *message;
	unsigned retry_after_s;
} failing[] = {
	{ "gone", ERR_KUBE_NOT_FOUND, "OBJECT_NOT_FOUND",
	  "get statefulsets/gone: HTTP 404: statefulsets.apps \"gone\" not found", 0 },
	{ "elsewhere", ERR_KUBE_PROTOCOL, "NOT_KUBERNETES",
	  "get statefulsets/elsewhere: HTTP 404: <html>", 0 },
	{ "other", ERR_KUBE_PROTOCOL, "OTHER_OBJECT",
	  "get statefulsets/other: the answer is another object than was asked for", 0 },
	{ "leak", ERR_KUBE_FORBIDDEN, "KUBE_FORBIDDEN",
	  "get statefulsets/leak: HTTP 403: (not shown: it repeats the credentials)", 0 },
	{ "busy", ERR_KUBE_SERVER, "SERVICE_UNAVAILABLE", "get statefulsets/busy: HTTP 503: busy",
	  9 },
	{ "slow", ERR_KUBE_TIMEOUT, "KUBE_TIMEOUT", "get statefulsets/slow: ", 0 },
};

START_TEST(a_failure_says_what_failed_and_why)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	if (failing[_i].kind == ERR_KUBE_TIMEOUT)
		use_client(SHORT_MS, BODY_MAX, "127.0.0.0/8");
	get(failing[_i].name, &o);
	ck_assert(!o.ok);
	ck_assert_msg(o.err.kind == failing[_i].kind, "%s: %s", o.err.code, o.err.message);
	ck_assert_str_eq(o.err.code, failing[_i].code);
	ck_assert_msg(strncmp(o.err.message, failing[_i].message, strlen(failing[_i].message)) == 0,
		      "%s", o.err.message);
	ck_assert_uint_eq(o.err.retry_after_s, failing[_i].retry_after_s);
}
END_TEST

START_TEST(apply_is_a_server_side_apply)
{
	CLEANUP(outcome_release) struct outcome o = { .then = "gone" };
	json_t *object = json_loads(SET("good"), 0, NULL);

	kube_submit_apply(client, target, object, record, &o);
	json_decref(object);
	kube_client_poll(client, 5000, -1);
	for (int i = 0; o.calls == 0 && i < 100; i++)
		kube_client_poll(client, 5000, -1);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert(was_sent("?fieldManager=fullstack-agent&force=true&fieldValidation=Strict HTTP"));
	ck_assert(was_sent("\r\nContent-Type: application/apply-patch+yaml\r\n"));
	ck_assert(was_sent("\r\nAccept: application/json\r\n"));
	ck_assert(was_sent("\r\n\r\n" SET("good")));
	/* What the callback submitted is done, too. */
	for (int i = 0; kube_client_pending(client) > 0 && i < 100; i++)
		kube_client_poll(client, 5000, -1);
	ck_assert_int_eq(o.calls, 2);
	ck_assert_str_eq(o.err.code, "OBJECT_NOT_FOUND");
	ck_assert_int_eq(tls_server_seen(server)->connections, 1);
}
END_TEST

START_TEST(delete_has_its_precondition)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	kube_submit_delete(client, target, KUBE_STATEFULSETS, "good", "a-uid", record, &o);
	finish_all(&o);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert(was_sent("\"preconditions\":{\"uid\":\"a-uid\"}"));
	ck_assert(was_sent("\"propagationPolicy\":\"Background\""));
	o.calls = 0;
	kube_submit_delete(client, target, KUBE_STATEFULSETS, "good", NULL, record, &o);
	finish_all(&o);
	ck_assert(o.ok);
	ck_assert(!was_sent("preconditions"));
}
END_TEST

START_TEST(a_list_has_all_pages)
{
	CLEANUP(outcome_release) struct outcome o = { 0 }, nothing = { 0 };

	list_pods("a=b,c", &o);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert_str_eq(o.body, "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{"
				 "\"resourceVersion\":\"7\",\"continue\":\"\"},\"items\":["
				 "{\"metadata\":{\"name\":\"first\"}},"
				 "{\"metadata\":{\"name\":\"second\"}}]}");
	ck_assert_int_eq(tls_server_seen(server)->requests, 2);
	list_pods("nothing", &nothing);
	ck_assert_msg(nothing.ok, "%s", nothing.err.message);
	ck_assert_ptr_nonnull(strstr(nothing.body, "\"items\":[]"));
}
END_TEST

static const struct {
	const char *selector;
	enum err_kind kind;
	const char *code;
	int requests; /* at most */
} lists[] = {
	{ "expires", ERR_KUBE_CONFLICT, "EXPIRED", 4 },
	{ "endless", ERR_KUBE_PROTOCOL, "ANSWER_TOO_LARGE", 30 },
	{ "slow", ERR_KUBE_TIMEOUT, "KUBE_TIMEOUT", 4 },
	{ "nolist", ERR_KUBE_PROTOCOL, "NOT_A_LIST", 1 },
};

START_TEST(a_list_ends_even_if_the_server_will_not)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	if (lists[_i].kind == ERR_KUBE_TIMEOUT)
		use_client(SHORT_MS, BODY_MAX, "127.0.0.0/8");
	list_pods(lists[_i].selector, &o);
	ck_assert(!o.ok);
	ck_assert_msg(o.err.kind == lists[_i].kind, "%s: %s", o.err.code, o.err.message);
	ck_assert_str_eq(o.err.code, lists[_i].code);
	ck_assert_int_le(tls_server_seen(server)->requests, lists[_i].requests);
	ck_assert_int_eq(strncmp(o.err.message, "list pods: ", 11), 0);
}
END_TEST

START_TEST(a_list_without_end_is_given_up)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	use_client(LONG_MS, 1 << 20, "127.0.0.0/8");
	list_pods("endless", &o);
	ck_assert_msg(strcmp(o.err.code, "NOT_A_LIST") == 0, "%s", o.err.message);
	ck_assert_int_le(tls_server_seen(server)->requests, 250);
}
END_TEST

START_TEST(metadata_of_secrets_only)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };
	const struct kube_list list = { .resource = KUBE_SECRETS, .metadata_only = true };

	kube_submit_list(client, target, &list, record, &o);
	finish_all(&o);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert(was_sent("\r\nAccept: application/json;as=PartialObjectMetadataList;"
			   "g=meta.k8s.io;v=v1\r\n"));
}
END_TEST

static void apply(const char *text, struct outcome *ret_outcome)
{
	json_t *object = json_loads(text, 0, NULL);

	kube_submit_apply(client, target, object, record, ret_outcome);
	json_decref(object);
	finish_all(ret_outcome);
}

START_TEST(what_makes_no_sense_is_not_sent)
{
	static const char *const names[] = { "", ".", "..", "a/b", "A", "a?b", "%2e", "-a" };
	static const struct {
		const char *object, *code;
	} objects[] = {
		{ "{}", "BAD_TYPE" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Node\"}", "BAD_TYPE" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", "BAD_NAME" },
		{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x\","
		  "\"namespace\":\"kube-system\"}}",
		  "BAD_NAMESPACE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(outcome_release) struct outcome o = { 0 };
		kube_submit_delete(client, target, KUBE_PODS, names[i], NULL, record, &o);
		finish_all(&o);
		ck_assert_str_eq(o.err.code, "BAD_NAME");
		ck_assert_int_eq(o.err.kind, ERR_INTERNAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		CLEANUP(outcome_release) struct outcome o = { 0 };
		apply(objects[i].object, &o);
		ck_assert_str_eq(o.err.code, objects[i].code);
	}
	CLEANUP(outcome_release) struct outcome o = { 0 };
	kube_submit_delete(client, target, KUBE_PODS, "x", "\xff", record, &o);
	finish_all(&o);
	ck_assert_str_eq(o.err.code, "BAD_UID");
	ck_assert_uint_eq(kube_client_requests(client), 0);
}
END_TEST

START_TEST(an_address_that_is_not_allowed_says_so)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	use_client(LONG_MS, BODY_MAX, NULL);
	get("good", &o);
	ck_assert_int_eq(o.err.kind, ERR_KUBE_UNREACHABLE);
	ck_assert_str_eq(o.err.code, "ADDRESS_FORBIDDEN");
	ck_assert_str_eq(o.err.message, "get statefulsets/good: the server's address is not "
					"allowed here");
	ck_assert_int_eq(tls_server_seen(server)->connections, 0);
}
END_TEST

START_TEST(freeing_the_client_calls_nobody_back)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	kube_submit_get(client, target, KUBE_STATEFULSETS, "slow", record, &o);
	kube_client_poll(client, 100, -1);
	kube_submit_get(client, target, KUBE_STATEFULSETS, "..", record, &o);
	use_client(LONG_MS, BODY_MAX, NULL);
	ck_assert_int_eq(o.calls, 0);
}
END_TEST

START_TEST(a_large_answer_is_read)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };

	use_client(LONG_MS, sizeof(large), "127.0.0.0/8");
	get("large", &o);
	ck_assert_msg(o.ok, "%s", o.err.message);
	ck_assert_uint_gt(strlen(o.body), sizeof(large) - 10);
}
END_TEST

START_TEST(an_answer_needs_room)
{
	CLEANUP(outcome_release) struct outcome o = { 0 };
	struct kube_memory memory = kube_memory(2 * sizeof(large), 10);
	struct kube_memory before = memory;
	struct kube_target *whole = target;

	use_client(LONG_MS, sizeof(large), "127.0.0.0/8");
	target = kube_target_share(whole, &memory, 1);
	get("large", &o);
	ck_assert_str_eq(o.err.code, "ANSWER_TOO_LARGE");
	ck_assert_ptr_nonnull(strstr(o.err.message, "than there is memory for"));
	ck_assert_uint_eq(memory.common, before.common);
	for (int i = 0; i < 3; i++) {
		o.calls = 0;
		get("good", &o);
		ck_assert_msg(o.ok, "%s", o.err.message);
	}
	for (int i = 0; o.ok && i < 1000; i++) {
		o.calls = 0;
		get("good", &o);
	}
	/* What was read counts until the share is freed. */
	ck_assert_str_eq(o.err.code, "ANSWER_TOO_LARGE");
	ck_assert_ptr_nonnull(strstr(o.err.message, "JSON"));
	kube_target_free(target);
	ck_assert_uint_eq(memory.common, before.common);
	target = whole;
}
END_TEST

/* None of the many gets a response, so a request that waited for one of them would wait forever. */
START_TEST(many_requests_of_one_target_do_not_hold_up_another)
{
	enum { MANY = 200 };
	CLEANUP(outcome_release) struct outcome o = { 0 }, unanswered = { 0 };
	struct kube_target *modest = kube_target_share(target, NULL, 1);

	modest->whole = modest; /* another user's */
	kube_tenant_init(&modest->tenant);
	for (int i = 0; i < MANY; i++)
		kube_submit_get(client, target, KUBE_STATEFULSETS, "slow", record, &unanswered);
	for (int slot = 0; slot < 2; slot++) {
		o.calls = 0;
		kube_submit_get(client, modest, KUBE_STATEFULSETS, "good", record, &o);
		for (int i = 0; o.calls == 0 && i < 1000; i++)
			kube_client_poll(client, 5000, -1);
		ck_assert_msg(o.ok, "%s", o.err.message);
	}
	ck_assert_int_eq(unanswered.calls, 0);
	use_client(LONG_MS, BODY_MAX, NULL); /* frees the other */
	modest->whole = target;
	kube_target_free(modest);
}
END_TEST

START_TEST(a_target_needs_credentials)
{
	char text[] = "x";
	struct kubeconfig config = { .server = text, .namespace = text, .ca_pem = text };
	struct kube_target *none = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(kube_target_new(&config, &none, &e), -1);
	ck_assert_int_eq(e.kind, ERR_KUBECONFIG);
	config.certificate_pem = text;
	ck_assert_int_eq(kube_target_new(&config, &none, &e), -1);
	ck_assert_str_eq(kube_target_namespace(target), "ns-me");
	ck_assert_int_eq(strncmp(kube_target_server(target), "https://127.0.0.1:", 18), 0);
}
END_TEST

/* ---- the rights of an account ---------------------------------------------------------------- */

#define RULE(verbs, groups, resources)                                                             \
	"{\"verbs\":[" verbs "],\"apiGroups\":[" groups "],\"resources\":[" resources "]}"
static const struct {
	const char *rules;
	bool sets, pods; /* may be created */
} reviews[] = {
	{ "", false, false },
	{ RULE("\"*\"", "\"*\"", "\"*\""), true, true },
	{ RULE("\"get\",\"create\"", "\"apps\"", "\"statefulsets\""), true, false },
	{ RULE("\"create\"", "\"\"", "\"*\""), false, true },
	{ RULE("\"list\"", "\"*\"", "\"*\""), false, false },
	{ RULE("\"create\"", "\"app\"", "\"statefulsets\""), false, false },
	{ RULE("\"create\"", "\"\"", "\"pods/exec\""), false, false },
	{ RULE("\"list\"", "\"*\"", "\"*\"") "," RULE("\"create\"", "\"\"", "\"pods\""), false,
	  true },
	{ "{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"],\"resourceNames\":[\"x\"]"
	  "}",
	  false, false },
	/* From a hostile server. */
	{ "1,null,{\"verbs\":{\"*\":1},\"apiGroups\":\"*\",\"resources\":[[\"*\"]]}", false,
	  false },
};

START_TEST(an_account_may_do_what_one_of_its_rules_allows)
{
	CLEANUP(cleanup_free)
	char *text = mem_printf("{\"status\":{\"resourceRules\":[%s],\"incomplete\":false}}",
				reviews[_i].rules);
	json_auto_t *review = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(review);
	ck_assert(kube_rules_complete(review));
	ck_assert(kube_rules_allow(review, KUBE_STATEFULSETS, "create") == reviews[_i].sets);
	ck_assert(kube_rules_allow(review, KUBE_PODS, "create") == reviews[_i].pods);
}
END_TEST

START_TEST(a_review_that_does_not_say_so_is_not_complete)
{
	json_auto_t *partial = json_loads("{\"status\":{\"incomplete\":true}}", 0, NULL);

	ck_assert(!kube_rules_complete(partial));
	ck_assert(!kube_rules_complete(NULL));
	ck_assert(!kube_rules_allow(NULL, KUBE_PODS, "list"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kube");
	TCase *pure = tcase_create("answers");
	TCase *live = tcase_create("client");

	tcase_add_loop_test(pure, a_refusal_has_a_kind_and_a_code, 0, ARRAY_SIZE(refusals));
	tcase_add_test(pure, retry_after_comes_from_header_or_body_and_is_capped);
	tcase_add_test(pure, a_hostile_text_is_made_harmless);
	tcase_add_test(pure, resource_types_are_complete_and_found);
	tcase_add_test(pure, an_answer_must_be_the_object_that_was_asked_for);
	tcase_add_loop_test(pure, what_nobody_reads_is_left_out, 0, ARRAY_SIZE(filtered));
	tcase_add_test(pure, json_bombs_are_not_built);
	tcase_add_test(pure, the_pages_of_a_list_have_one_cost);
	tcase_add_test(pure, those_who_ask_take_turns);
	tcase_add_test(pure, who_waits_too_long_is_taken_out);
	tcase_add_test(pure, nobody_takes_what_another_one_is_owed);
	tcase_add_test(pure, without_memory_there_is_no_bound);
	tcase_add_loop_test(pure, an_account_may_do_what_one_of_its_rules_allows, 0,
			    ARRAY_SIZE(reviews));
	tcase_add_test(pure, a_review_that_does_not_say_so_is_not_complete);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(live, start, stop);
	tcase_set_timeout(live, 300);
	tcase_add_test(live, an_object_is_got);
	tcase_add_test(live, a_large_answer_is_read);
	tcase_add_test(live, an_answer_needs_room);
	tcase_add_test(live, many_requests_of_one_target_do_not_hold_up_another);
	tcase_add_loop_test(live, a_failure_says_what_failed_and_why, 0, ARRAY_SIZE(failing));
	tcase_add_test(live, apply_is_a_server_side_apply);
	tcase_add_test(live, delete_has_its_precondition);
	tcase_add_test(live, a_list_has_all_pages);
	tcase_add_loop_test(live, a_list_ends_even_if_the_server_will_not, 0, ARRAY_SIZE(lists));
	tcase_add_test(live, a_list_without_end_is_given_up);
	tcase_add_test(live, metadata_of_secrets_only);
	tcase_add_test(live, what_makes_no_sense_is_not_sent);
	tcase_add_test(live, an_address_that_is_not_allowed_says_so);
	tcase_add_test(live, freeing_the_client_calls_nobody_back);
	tcase_add_test(live, a_target_needs_credentials);
	suite_add_tcase(suite, live);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
