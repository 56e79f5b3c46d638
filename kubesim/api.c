#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "discovery.h"
#include "kubeblocks.h"
#include "log.h"
#include "proxy.h"
#include "path.h"
#include "review.h"
#include "verbs.h"

static const char type_json[] = "application/json";

static void set_text(struct api_answer *a, int code, const char *type, const char *text)
{
	a->code = code;
	a->content_type = type;
	buf_append(&a->body, text, strlen(text), NULL);
}

static void answer_json(struct api_answer *a, int code, const json_t *json)
{
	CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_COMPACT);

	buf_reset(&a->body);
	set_text(a, code, type_json, text);
}

static void answer_no_page(struct api_answer *a)
{
	set_text(a, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

static void answer_refusal(struct api_answer *a, const struct refusal *r)
{
	CLEANUP(json_decrefp) json_t *status = refusal_status(r);

	a->retry_after_s = r->retry_after_s;
	answer_json(a, r->code, status);
}

/* ---- paths that are not resources ------------------------------------------------------------ */

static const struct {
	const char *path, *type, *text;
} plain[] = {
	{ "/readyz", "text/plain; charset=utf-8", "ok" },
	{ "/healthz", "text/plain; charset=utf-8", "ok" },
	{ "/livez", "text/plain; charset=utf-8", "ok" },
	{ "/version", type_json,
	  "{\"major\":\"1\",\"minor\":\"36\",\"gitVersion\":\"v1.36.3+kubesim\",\"platform\":"
	  "\"linux/amd64\"}" },
};

static bool serve_plain(const struct api_request *q, struct api_answer *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (strcmp(plain[i].path, q->path) == 0) {
			set_text(a, 200, plain[i].type, plain[i].text);
			return true;
		}
	}
	return false;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

struct row {
	const char *method;
	bool on_item;
	const char *content_type; /* Content-Type of a PATCH; otherwise NULL */
	const char *verb;         /* in rules, counters and logs */
	const char *right;        /* in RBAC */
	verb_fn *serve;
};

static const struct row rows[] = {
	{ "GET", true, NULL, "get", "get", verb_get },
	{ "GET", false, NULL, "list", "list", verb_list },
	{ "WATCH", false, NULL, "watch", "watch", verb_watch },
	{ "POST", false, NULL, "create", "create", verb_create },
	{ "PUT", true, NULL, "update", "update", verb_update },
	{ "PATCH", true, "application/apply-patch+yaml", "apply", "patch", verb_apply },
	{ "PATCH", true, "application/merge-patch+json", "patch", "patch", verb_patch },
	{ "DELETE", true, NULL, "delete", "delete", verb_delete },
};

static bool asks_to_watch(const struct api_request *q)
{
	const char *watch = q->parameter(q->user, "watch");

	return watch != NULL && (strcmp(watch, "true") == 0 || strcmp(watch, "1") == 0);
}

static const struct row *find_row(const struct api_request *q, bool on_item, bool *ret_has_method)
{
	bool watches = strcmp(q->method, "GET") == 0 && !on_item && asks_to_watch(q);
	const char *method = watches ? "WATCH" : q->method;

	*ret_has_method = false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].method, method) != 0 || rows[i].on_item != on_item)
			continue;
		*ret_has_method = true;
		if (rows[i].content_type == NULL ||
		    begins_with(q->content_type, rows[i].content_type))
			return &rows[i];
	}
	return NULL;
}

static int check_resource(const struct path *p, struct refusal *r)
{
	bool has_sub = p->subresource[0] != '\0';

	if (p->kind == NULL ||
	    (has_sub && (strcmp(p->subresource, "status") != 0 || !p->kind->has_status)) ||
	    (p->kind->namespaced && p->name[0] != '\0' && p->namespace[0] == '\0'))
		return refuse_unserved(r, 404, "NotFound",
				       "the server could not find the requested resource");
	return 0;
}

static int serve_verb(struct sim *sim, const struct api_request *q, const struct path *p,
		      const struct row *row, bool has_method, struct api_answer *a,
		      struct refusal *r)
{
	struct call call = { .sim = sim, .request = q, .path = p, .stale = false };

	/* The rights to a Namespace are those inside it. */
	const char *namespace = p->kind->namespaced ? p->namespace : p->name;
	if (row == NULL && has_method)
		return refuse_unserved(r, 415, "UnsupportedMediaType",
				       "415: Unsupported Media Type");
	if (row == NULL)
		return refuse(r, 405, "MethodNotAllowed",
			      "the server does not allow this method on the requested resource");
	if (user_check(q->who, row->right, p->kind, namespace, p->name, r) < 0)
		return -1;
	call.verb = row->verb;
	call.ret_watch = &a->watch;
	call.stale = a->has_fault && a->fault.action == FAULT_STALE;
	a->content_type = type_json;
	return row->serve(&call, &a->code, &a->body, r);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Without credentials, there is no user by which to find a rule. */
static void find_fault(struct sim *sim, const struct api_request *q, const struct path *p,
		       const char *verb, struct api_answer *a)
{
	struct fault_request f = {
		.verb = verb,
		.resource = p->plural,
		.user = q->who != NULL ? user_name(q->who) : "",
		.namespace = p->namespace,
		.name = p->name,
	};

	a->has_fault = faults_hit(sim->faults, &f, &sim->fault_rng, &a->fault);
}

static void answer_fault(struct api_answer *a)
{
	const struct fault *f = &a->fault;
	struct refusal r;

	refuse(&r, f->code, f->reason, "%s", f->message);
	r.retry_after_s = f->retry_after_s;
	answer_refusal(a, &r);
}

static bool is_executed(const struct api_answer *a)
{
	return !a->has_fault || a->fault.executed;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int serve_resource(struct sim *sim, const struct api_request *q, const struct path *p,
			  const struct row *row, bool has_method, struct api_answer *a,
			  struct refusal *r)
{
	if (q->who == NULL)
		return refuse(r, 401, "Unauthorized", "Unauthorized");
	if (q->too_large)
		return refuse(r, 413, "RequestEntityTooLarge",
			      "Request entity too large: limit is %d", API_BODY_MAX);
	if (review_is(p) && strcmp(q->method, "POST") == 0) {
		a->content_type = type_json;
		return review_serve(q, &a->code, &a->body, r);
	}
	if (log_is(p))
		return log_serve(sim, q, p, a, r);
	if (proxy_is(p))
		return proxy_serve(sim, q, p, a, r);
	if (discovery_is(p) && strcmp(q->method, "GET") == 0) {
		if (p->has_group)
			discovery_serve(sim, p, a);
		else
			answer_no_page(a);
		return 0;
	}
	if (check_resource(p, r) < 0 || serve_verb(sim, q, p, row, has_method, a, r) < 0)
		return -1;
	return 0;
}

void api_serve(struct sim *sim, const struct api_request *q, struct api_answer *ret_answer)
{
	struct api_answer *a = ret_answer;
	struct path p;
	struct refusal r = { 0 };
	bool has_method;

	*a = (struct api_answer) { .body = BUF_INIT(API_ANSWER_MAX) };
	if (serve_plain(q, a))
		return;
	bool is_path = path_parse(q->path, &p);
	if (is_path)
		kubeblocks_resolve(sim->settings.kubeblocks, &p);
	if (!is_path || (!p.has_group && !review_is(&p) && !discovery_is(&p) && q->who != NULL)) {
		answer_no_page(a);
		return;
	}
	const struct row *row = find_row(q, p.name[0] != '\0', &has_method);
	const char *verb = discovery_is(&p) ? "discover" : row != NULL ? row->verb : "other";
	find_fault(sim, q, &p, verb, a);
	if (is_executed(a) && serve_resource(sim, q, &p, row, has_method, a, &r) < 0)
		answer_refusal(a, &r);
	if (a->has_fault && a->fault.action == FAULT_STATUS)
		answer_fault(a);
	refusal_clear(&r);
	counters_request(sim->counters, verb, p.plural, a->code);
}
