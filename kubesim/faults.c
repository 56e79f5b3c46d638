#include "faults.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "object.h"

enum { RULES_MAX = 256, LATENCY_MS = 1000, HANG_MS = 600 * 1000, DEFAULT_BYTES = 64 << 20 };

/* The faults by name. `executed`: whether the request is executed, unless the rule says
 * otherwise. */
struct row {
	const char *name;
	enum fault_action action;
	bool executed;
	int code;
	const char *reason, *message;
};

static const struct row rows[] = {
	{ "unauthorized", FAULT_STATUS, false, 401, "Unauthorized", "Unauthorized" },
	{ "forbidden", FAULT_STATUS, false, 403, "Forbidden", "forbidden by a fault" },
	{ "quota", FAULT_STATUS, false, 403, "Forbidden",
	  "exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1" },
	{ "billing", FAULT_STATUS, false, 403, "Forbidden",
	  "admission webhook \"debt.sealos.io\" denied the request: 40001: account balance less "
	  "than 0, now account is -1.00" },
	{ "not-found", FAULT_STATUS, false, 404, "NotFound", "not found by a fault" },
	{ "conflict", FAULT_STATUS, false, 409, "Conflict",
	  "Operation cannot be fulfilled: the object has been modified; please apply your changes "
	  "to the latest version and try again" },
	{ "exists", FAULT_STATUS, false, 409, "AlreadyExists", "already exists" },
	{ "expired", FAULT_STATUS, false, 410, "Expired",
	  "The provided continue parameter is too old" },
	{ "invalid", FAULT_STATUS, false, 422, "Invalid", "is invalid: by a fault" },
	{ "too-many-requests", FAULT_STATUS, false, 429, "TooManyRequests",
	  "The server has received too many requests and has asked us to try again later" },
	{ "internal", FAULT_STATUS, false, 500, "InternalError",
	  "Internal error occurred: a fault" },
	{ "unavailable", FAULT_STATUS, false, 503, "ServiceUnavailable",
	  "the server is currently unable to handle the request" },
	{ "timeout", FAULT_STATUS, false, 504, "Timeout",
	  "Timeout: request did not complete within requested timeout" },
	{ "latency", FAULT_LATENCY, true, 0, NULL, NULL },
	{ "hang", FAULT_HANG, false, 0, NULL, NULL },
	{ "reset", FAULT_RESET, false, 0, NULL, NULL },
	{ "truncate", FAULT_TRUNCATE, true, 0, NULL, NULL },
	{ "oversize", FAULT_OVERSIZE, true, 0, NULL, NULL },
	{ "not-json", FAULT_NOT_JSON, true, 0, NULL, NULL },
	{ "bad-json", FAULT_BAD_JSON, true, 0, NULL, NULL },
	{ "content-type", FAULT_CONTENT_TYPE, true, 0, NULL, NULL },
	{ "stale", FAULT_STALE, true, 0, NULL, NULL },
};

struct rule {
	struct fault fault;
	json_t *json;
	double probability;
	long long left; /* -1: any number */
	long long hits;
};

struct faults {
	long long last_id;
	struct rule rules[RULES_MAX];
	size_t count;
};

struct faults *faults_new(void)
{
	return mem_calloc(1, sizeof(struct faults));
}

void faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	faults_remove(f, 0);
	free(f);
}

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static const char *text_or(const json_t *rule, const char *member, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(rule, member));

	return text != NULL ? text : otherwise;
}

/* Strings belong to the rule's own copy, or to the table. */
static struct fault fault_of(const struct row *row, const json_t *rule)
{
	const json_t *executed = json_object_get(rule, "executed");

	return (struct fault) {
		.action = row->action,
		.executed = executed != NULL ? json_is_true(executed) : row->executed,
		.code = (int)json_path_number(rule, "code", row->code),
		.reason = text_or(rule, "reason", row->reason),
		.message = text_or(rule, "message", row->message),
		.retry_after_s = (unsigned)json_path_number(rule, "retryAfter", 0),
		.ms = (uint64_t)json_path_number(rule, "ms",
						 row->action == FAULT_HANG ? HANG_MS : LATENCY_MS),
		.bytes = (uint64_t)json_path_number(rule, "bytes", DEFAULT_BYTES),
	};
}

long long faults_add(struct faults *f, const json_t *rule, const char **ret_error)
{
	const struct row *row = find_row(json_path_text(rule, "fault"));
	const json_t *probability = json_object_get(rule, "probability");

	if (row == NULL || f->count == RULES_MAX) {
		*ret_error = row == NULL ? "no such fault" : "too many rules";
		return 0;
	}
	struct rule *r = &f->rules[f->count++];
	r->json = json_deep_copy(rule);
	r->fault = fault_of(row, r->json);
	r->fault.id = ++f->last_id;
	r->probability = probability != NULL ? json_number_value(probability) : 1;
	r->left = json_path_number(rule, "count", -1);
	r->hits = 0;
	json_object_set_new(r->json, "id", json_integer(r->fault.id));
	return r->fault.id;
}

bool faults_remove(struct faults *f, long long id)
{
	size_t kept = 0, before = f->count;

	for (size_t i = 0; i < before; i++) {
		if (id != 0 && f->rules[i].fault.id != id)
			f->rules[kept++] = f->rules[i];
		else
			json_decref(f->rules[i].json);
	}
	f->count = kept;
	return kept != before || id == 0;
}

json_t *faults_list(const struct faults *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++) {
		json_t *rule = json_deep_copy(f->rules[i].json);
		json_object_set_new(rule, "hits", json_integer(f->rules[i].hits));
		json_array_append_new(list, rule);
	}
	return list;
}

bool faults_has_stale(const struct faults *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->rules[i].fault.action == FAULT_STALE)
			return true;
	}
	return false;
}

static bool matches(const json_t *rule, const char *member, const char *value)
{
	const json_t *pattern = json_object_get(rule, member);

	return pattern == NULL || fnmatch(json_string_value(pattern), value, 0) == 0;
}

/* Whether the value is one of the alternatives in the member, such as "get|list". */
static bool matches_word(const json_t *rule, const char *member, const char *value)
{
	const char *at = json_string_value(json_object_get(rule, member));
	size_t length = strlen(value);

	if (at == NULL)
		return true;
	for (;; at++) {
		if (strncmp(at, value, length) == 0 && (at[length] == '\0' || at[length] == '|'))
			return true;
		at = strchr(at, '|');
		if (at == NULL)
			return false;
	}
}

static bool rule_matches(const struct rule *r, const struct fault_request *q)
{
	return r->left != 0 && matches_word(r->json, "verb", q->verb) &&
	       matches_word(r->json, "resource", q->resource) &&
	       matches(r->json, "user", q->user) && matches(r->json, "namespace", q->namespace) &&
	       matches(r->json, "name", q->name);
}

bool faults_hit(struct faults *f, const struct fault_request *request, struct rng *rng,
		struct fault *ret_fault)
{
	for (size_t i = 0; i < f->count; i++) {
		struct rule *r = &f->rules[i];
		if (!rule_matches(r, request) || !rng_happens(rng, r->probability))
			continue;
		if (r->left > 0)
			r->left--;
		r->hits++;
		*ret_fault = r->fault;
		return true;
	}
	return false;
}
