#include "reconcile/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "domain/cause.h"
#include "kube/client.h"
#include "kube/rules.h"

enum { DETAIL_MAX = 512, NEEDS_VERBS = 5 };

struct judgement {
	enum finding_status status;
	struct err cause; /* when it has one: its message is not empty */
};

struct judge {
	const struct probe_answer *answers;
	struct judgement found[FINDING_COUNT];
};

static void set(struct judge *j, enum finding finding, enum finding_status status,
		const struct err *cause)
{
	j->found[finding].status = status;
	if (cause != NULL)
		j->found[finding].cause = *cause;
}

static bool is_ok(const struct judge *j, enum finding finding)
{
	return j->found[finding].status == FINDING_OK;
}

static bool has_kind(const struct judge *j, enum probe_kind probe, enum err_kind kind)
{
	return !j->answers[probe].ok && j->answers[probe].err.kind == kind;
}

/* The first refusal of that kind, and with that code (NULL: any); NULL: there is none. */
static const struct err *find(const struct judge *j, enum err_kind kind, const char *code)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		const struct err *e = &j->answers[i].err;
		if (has_kind(j, (enum probe_kind)i, kind) &&
		    (code == NULL || strcmp(e->code, code) == 0))
			return e;
	}
	return NULL;
}

/* ---- the way there --------------------------------------------------------------------------- */

static bool was_answered(const struct judge *j)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		if (j->answers[i].http_status > 0)
			return true;
	}
	return false;
}

static void judge_way(struct judge *j)
{
	const struct err *e = &j->answers[PROBE_RULES].err;

	if (was_answered(j)) {
		bool strange = has_kind(j, PROBE_RULES, ERR_KUBE_PROTOCOL);
		set(j, FINDING_REACHABLE, strange ? FINDING_FAILED : FINDING_OK,
		    strange ? e : NULL);
		set(j, FINDING_CERTIFICATE, FINDING_OK, NULL);
	} else if (e->kind == ERR_KUBE_TLS) {
		set(j, FINDING_REACHABLE, FINDING_OK, NULL);
		set(j, FINDING_CERTIFICATE, FINDING_FAILED, e);
	} else {
		set(j, FINDING_REACHABLE, FINDING_FAILED, e);
	}
}

/* A server that says what we may not do, or what is not there, knows our credentials. */
static bool knows_us(const struct judge *j)
{
	static const enum err_kind kinds[] = { ERR_KUBE_FORBIDDEN, ERR_KUBE_QUOTA,
					       ERR_KUBE_BILLING,   ERR_KUBE_ADMISSION,
					       ERR_KUBE_INVALID,   ERR_KUBE_NOT_FOUND };

	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		if (j->answers[i].ok)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (find(j, kinds[i], NULL) != NULL)
			return true;
	}
	return false;
}

static void judge_credentials(struct judge *j)
{
	const struct err *refused = find(j, ERR_KUBE_UNAUTHORIZED, NULL);

	if (refused != NULL)
		set(j, FINDING_CREDENTIALS, FINDING_FAILED, refused);
	else if (knows_us(j))
		set(j, FINDING_CREDENTIALS, FINDING_OK, NULL);
	else
		set(j, FINDING_CREDENTIALS, FINDING_UNKNOWN, &j->answers[PROBE_RULES].err);
}

/* ---- the namespace --------------------------------------------------------------------------- */

static bool is_terminating(const json_t *namespace)
{
	return strcmp(json_text_at(namespace, "status.phase"), "Terminating") == 0;
}

static const struct err *namespace_fault(const struct judge *j)
{
	static const struct err going = { .kind = ERR_KUBE_CONFLICT,
					  .code = "NAMESPACE_TERMINATING",
					  .message = "its phase is Terminating" };
	const struct err *missing = find(j, ERR_KUBE_NOT_FOUND, "NAMESPACE_NOT_FOUND");

	if (missing != NULL)
		return missing;
	if (is_terminating(j->answers[PROBE_NAMESPACE].body))
		return &going;
	return find(j, ERR_KUBE_CONFLICT, "NAMESPACE_TERMINATING");
}

static void judge_namespace(struct judge *j)
{
	const struct err *fault = namespace_fault(j);

	if (fault != NULL)
		set(j, FINDING_NAMESPACE, FINDING_FAILED, fault);
	else if (j->answers[PROBE_NAMESPACE].ok || j->answers[PROBE_STATEFUL_SET].ok)
		set(j, FINDING_NAMESPACE, FINDING_OK, NULL); /* or nothing could be made in it */
	else
		set(j, FINDING_NAMESPACE, FINDING_UNKNOWN, &j->answers[PROBE_NAMESPACE].err);
}

/* ---- what may be done ------------------------------------------------------------------------ */

struct need {
	enum kube_resource resource;
	const char *verbs[NEEDS_VERBS];
};

#define MADE "list", "create", "patch", "delete"
static const struct need sandbox_needs[] = {
	{ KUBE_STATEFULSETS, { MADE } },
	{ KUBE_SERVICES, { MADE } },
	{ KUBE_INGRESSES, { MADE } },
	{ KUBE_NETWORK_POLICIES, { MADE } },
	{ KUBE_SECRETS, { MADE } },
	{ KUBE_PERSISTENT_VOLUME_CLAIMS, { "list", "delete" } },
	{ KUBE_PODS, { "list", "delete" } },
	{ KUBE_EVENTS, { "list" } },
};
static const struct need database_needs[] = {
	{ KUBE_CLUSTERS, { MADE } }, { KUBE_SERVICE_ACCOUNTS, { MADE } },
	{ KUBE_ROLES, { MADE } },    { KUBE_ROLE_BINDINGS, { MADE } },
	{ KUBE_SECRETS, { "get" } },
};

/* Adds to a text that may be cut. */
static void add(char text[DETAIL_MAX], const char *more)
{
	size_t length = strlen(text);

	(void)snprintf(text + length, DETAIL_MAX - length, "%s", more);
}

/* "statefulsets: create, patch; secrets: get"; "" if nothing is missing. */
static void list_missing(const json_t *review, const struct need *needs, size_t count,
			 char ret_text[DETAIL_MAX])
{
	ret_text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		bool first = true;
		for (size_t v = 0; v < NEEDS_VERBS && needs[i].verbs[v] != NULL; v++) {
			if (kube_rules_allow(review, needs[i].resource, needs[i].verbs[v]))
				continue;
			if (first) {
				add(ret_text, ret_text[0] != '\0' ? "; " : "");
				add(ret_text, kube_resource_plural(needs[i].resource));
			}
			add(ret_text, first ? ": " : ", ");
			add(ret_text, needs[i].verbs[v]);
			first = false;
		}
	}
}

/* The missing rights, by the review. `*ret_certain`: the review is complete. False: none is
 * missing. */
static bool lacks(const struct judge *j, const struct need *needs, size_t count,
		  struct err *ret_cause, bool *ret_certain)
{
	const struct probe_answer *rules = &j->answers[PROBE_RULES];
	char missing[DETAIL_MAX];

	*ret_certain = rules->ok && kube_rules_complete(rules->body);
	if (!rules->ok)
		return false;
	list_missing(rules->body, needs, count, missing);
	if (missing[0] == '\0')
		return false;
	err_set(ret_cause, ERR_KUBE_FORBIDDEN, NULL, "%s%s",
		*ret_certain ? "not allowed: " : "your cluster does not tell whether it allows: ",
		missing);
	return true;
}

/* Who cannot be asked whether they would accept something has not refused it. */
static bool is_refusal(const struct probe_answer *answer)
{
	static const enum err_kind kinds[] = { ERR_KUBE_BILLING, ERR_KUBE_ADMISSION,
					       ERR_KUBE_INVALID };

	if (answer->ok || strstr(answer->err.message, "does not support dry run") != NULL)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (answer->err.kind == kinds[i])
			return true;
	}
	return false;
}

/* Why the cluster would not take a sandbox; NULL: it would, or has not said. An account need not
 * be allowed to make pods and volumes: the StatefulSet's controller makes them. */
static const struct err *sandbox_refusal(const struct judge *j)
{
	if (has_kind(j, PROBE_STATEFUL_SET, ERR_KUBE_FORBIDDEN))
		return &j->answers[PROBE_STATEFUL_SET].err;
	for (unsigned i = PROBE_STATEFUL_SET; i <= PROBE_VOLUME; i++) {
		if (is_refusal(&j->answers[i]))
			return &j->answers[i].err;
	}
	return NULL;
}

static void judge_permissions(struct judge *j)
{
	const struct probe_answer *rules = &j->answers[PROBE_RULES];
	const struct err *refused = sandbox_refusal(j);
	struct err missing;
	bool certain;

	if (lacks(j, sandbox_needs, ARRAY_SIZE(sandbox_needs), &missing, &certain))
		set(j, FINDING_PERMISSIONS,
		    certain || refused != NULL ? FINDING_FAILED : FINDING_UNKNOWN,
		    certain || refused == NULL ? &missing : refused);
	else if (refused != NULL)
		set(j, FINDING_PERMISSIONS, FINDING_FAILED, refused);
	else if (rules->ok)
		set(j, FINDING_PERMISSIONS, FINDING_OK, NULL);
	else
		set(j, FINDING_PERMISSIONS, FINDING_UNKNOWN, &rules->err);
}

/* A used-up quota is no fault of the kubeconfig; one that is too small for anything of ours is. */
static void judge_quota(struct judge *j)
{
	for (unsigned i = PROBE_STATEFUL_SET; i <= PROBE_VOLUME; i++) {
		const struct err *e = &j->answers[i].err;
		if (has_kind(j, (enum probe_kind)i, ERR_KUBE_QUOTA)) {
			bool full = strcmp(e->code, "QUOTA_EXCEEDED") == 0;
			set(j, FINDING_QUOTA, full ? FINDING_WARNING : FINDING_FAILED, e);
			return;
		}
	}
	bool known = j->answers[PROBE_POD].ok && j->answers[PROBE_VOLUME].ok;
	set(j, FINDING_QUOTA, known ? FINDING_OK : FINDING_UNKNOWN, NULL);
}

static bool refuses_cluster(const struct judge *j)
{
	return has_kind(j, PROBE_CLUSTER, ERR_KUBE_NOT_FOUND) ||
	       has_kind(j, PROBE_CLUSTER, ERR_KUBE_QUOTA) || is_refusal(&j->answers[PROBE_CLUSTER]);
}

/* Projects do without. A list of what is missing says more than that the Cluster is forbidden. */
static void judge_databases(struct judge *j)
{
	const struct probe_answer *cluster = &j->answers[PROBE_CLUSTER];
	struct err missing;
	bool certain;
	bool lacking = lacks(j, database_needs, ARRAY_SIZE(database_needs), &missing, &certain);
	bool forbidden = has_kind(j, PROBE_CLUSTER, ERR_KUBE_FORBIDDEN);

	if (refuses_cluster(j) || (forbidden && !(lacking && certain)))
		set(j, FINDING_DATABASES, FINDING_WARNING, &cluster->err);
	else if (lacking)
		set(j, FINDING_DATABASES, certain ? FINDING_WARNING : FINDING_UNKNOWN, &missing);
	else
		set(j, FINDING_DATABASES, cluster->ok ? FINDING_OK : FINDING_UNKNOWN,
		    cluster->ok ? NULL : &cluster->err);
}

/* ---- all ------------------------------------------------------------------------------------- */

static json_t *finding_json(enum finding finding, const struct judgement *found)
{
	const char *kind = NULL, *code = NULL, *detail = NULL;

	if (found->cause.message[0] != '\0') {
		kind = err_kind_name(found->cause.kind);
		code = found->cause.code;
		detail = cause_detail(cause_message(kind, found->cause.message));
	}
	return json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "name", finding_text(finding)->name,
			 "status", finding_status_name(found->status), "kind", kind, "code", code,
			 "detail", detail);
}

static json_t *findings_json(const struct judge *j)
{
	json_t *findings = json_array();

	for (unsigned i = 0; i < FINDING_COUNT; i++)
		json_array_append_new(findings, finding_json((enum finding)i, &j->found[i]));
	return findings;
}

static void begin(struct judge *j, const struct probe_answer *answers)
{
	*j = (struct judge) { .answers = answers };
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		j->found[i].status = FINDING_UNKNOWN;
}

json_t *findings_of(const struct probe_answer answers[PROBE_COUNT])
{
	struct judge j;

	begin(&j, answers);
	judge_way(&j);
	if (is_ok(&j, FINDING_REACHABLE) && is_ok(&j, FINDING_CERTIFICATE))
		judge_credentials(&j);
	if (is_ok(&j, FINDING_CREDENTIALS)) {
		judge_namespace(&j);
		if (j.found[FINDING_NAMESPACE].status != FINDING_FAILED) {
			judge_permissions(&j);
			judge_quota(&j);
			judge_databases(&j);
		}
	}
	return findings_json(&j);
}

json_t *findings_of_failure(const struct err *e)
{
	struct judge j;

	begin(&j, NULL);
	set(&j, FINDING_REACHABLE, FINDING_UNKNOWN, e);
	return findings_json(&j);
}
