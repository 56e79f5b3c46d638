#include "reconcile/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "domain/cause.h"
#include "kube/client.h"
#include "kube/rules.h"
#include "reconcile/form.h"
#include "reconcile/kind.h"

enum { DETAIL_MAX = 512 };

struct judgement {
	enum finding_status status;
	struct err cause; /* empty if there is no cause */
};

struct checked {
	const struct probe_answer *answers;
	struct judgement found[FINDING_COUNT];
};

static void set(struct checked *c, enum finding finding, enum finding_status status,
		const struct err *cause)
{
	c->found[finding].status = status;
	if (cause != NULL)
		c->found[finding].cause = *cause;
}

static bool is_ok(const struct checked *c, enum finding finding)
{
	return c->found[finding].status == FINDING_OK;
}

static bool has_kind(const struct checked *c, enum probe_kind probe, enum err_kind kind)
{
	return !c->answers[probe].ok && c->answers[probe].err.kind == kind;
}

/* Returns the first refusal of this kind and code (NULL: any); NULL if there is none. */
static const struct err *find(const struct checked *c, enum err_kind kind, const char *code)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		const struct err *e = &c->answers[i].err;
		if (has_kind(c, (enum probe_kind)i, kind) &&
		    (code == NULL || strcmp(e->code, code) == 0))
			return e;
	}
	return NULL;
}

/* ---- reaching the server --------------------------------------------------------------------- */

static bool was_answered(const struct checked *c)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		if (c->answers[i].http_status > 0)
			return true;
	}
	return false;
}

static void judge_way(struct checked *c)
{
	const struct err *e = &c->answers[PROBE_RULES].err;

	if (was_answered(c)) {
		bool strange = has_kind(c, PROBE_RULES, ERR_KUBE_PROTOCOL);
		set(c, FINDING_REACHABLE, strange ? FINDING_FAILED : FINDING_OK,
		    strange ? e : NULL);
		set(c, FINDING_CERTIFICATE, FINDING_OK, NULL);
	} else if (e->kind == ERR_KUBE_TLS) {
		set(c, FINDING_REACHABLE, FINDING_OK, NULL);
		set(c, FINDING_CERTIFICATE, FINDING_FAILED, e);
	} else {
		set(c, FINDING_REACHABLE, FINDING_FAILED, e);
	}
}

/* Whether the server has accepted our credentials: it says what we may not do, or what does not
 * exist. */
static bool knows_us(const struct checked *c)
{
	static const enum err_kind kinds[] = { ERR_KUBE_FORBIDDEN, ERR_KUBE_QUOTA,
					       ERR_KUBE_BILLING,   ERR_KUBE_ADMISSION,
					       ERR_KUBE_INVALID,   ERR_KUBE_NOT_FOUND };

	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		if (c->answers[i].ok)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (find(c, kinds[i], NULL) != NULL)
			return true;
	}
	return false;
}

static void judge_credentials(struct checked *c)
{
	const struct err *refused = find(c, ERR_KUBE_UNAUTHORIZED, NULL);

	if (refused != NULL)
		set(c, FINDING_CREDENTIALS, FINDING_FAILED, refused);
	else if (knows_us(c))
		set(c, FINDING_CREDENTIALS, FINDING_OK, NULL);
	else
		set(c, FINDING_CREDENTIALS, FINDING_UNKNOWN, &c->answers[PROBE_RULES].err);
}

/* ---- the namespace --------------------------------------------------------------------------- */

static bool is_terminating(const json_t *namespace)
{
	return strcmp(json_text_at(namespace, "status.phase"), "Terminating") == 0;
}

static const struct err *namespace_fault(const struct checked *c)
{
	static const struct err going = { .kind = ERR_KUBE_CONFLICT,
					  .code = "NAMESPACE_TERMINATING",
					  .message = "its phase is Terminating" };
	const struct err *missing = find(c, ERR_KUBE_NOT_FOUND, "NAMESPACE_NOT_FOUND");

	if (missing != NULL)
		return missing;
	if (is_terminating(c->answers[PROBE_NAMESPACE].body))
		return &going;
	return find(c, ERR_KUBE_CONFLICT, "NAMESPACE_TERMINATING");
}

static void judge_namespace(struct checked *c)
{
	const struct err *fault = namespace_fault(c);

	if (fault != NULL)
		set(c, FINDING_NAMESPACE, FINDING_FAILED, fault);
	else if (c->answers[PROBE_NAMESPACE].ok || c->answers[PROBE_STATEFUL_SET].ok)
		/* otherwise nothing could be created in it */
		set(c, FINDING_NAMESPACE, FINDING_OK, NULL);
	else
		set(c, FINDING_NAMESPACE, FINDING_UNKNOWN, &c->answers[PROBE_NAMESPACE].err);
}

/* ---- permissions ----------------------------------------------------------------------------- */

/* Returns the verbs that the reconciler needs on objects of this type for that kind of resource, up
 * to a NULL. */
static const char *const *verbs_for(const struct kind *kind, enum kube_resource type)
{
	static const char *const none[] = { NULL };
	static const char *const list[] = { "list", NULL };
	static const char *const end[] = { "list", "delete", NULL };
	static const char *const make[] = { "list", "create", "patch", "delete", NULL };
	static const char *const get[] = { "get", NULL };

	for (size_t i = 0; i < kind->object_count; i++) {
		if (kind->objects[i] == type)
			return make;
	}
	if ((kind->dependents & OBSERVE(type)) != 0)
		return end;
	if ((kind->fetched & OBSERVE(type)) != 0)
		return get;
	return type == KUBE_EVENTS || (kind->evidence & OBSERVE(type)) != 0 ? list : none;
}

/* Appends to a text that may be truncated. */
static void add(char text[DETAIL_MAX], const char *more)
{
	size_t length = strlen(text);

	(void)snprintf(text + length, DETAIL_MAX - length, "%s", more);
}

/* Writes "statefulsets: create, patch; secrets: get"; "" if nothing is missing. */
static void list_missing(const json_t *review, const struct kind *kind, char ret_text[DETAIL_MAX])
{
	ret_text[0] = '\0';
	for (unsigned i = 0; i < KUBE_RESOURCE_COUNT; i++) {
		enum kube_resource type = (enum kube_resource)i;
		bool first = true;
		for (const char *const *verb = verbs_for(kind, type); *verb != NULL; verb++) {
			if (kube_rules_allow(review, type, *verb))
				continue;
			if (first) {
				add(ret_text, ret_text[0] != '\0' ? "; " : "");
				add(ret_text, kube_resource_plural(type));
			}
			add(ret_text, first ? ": " : ", ");
			add(ret_text, *verb);
			first = false;
		}
	}
}

/* Returns whether rights are missing, by the review. `*ret_certain`: the review is complete. */
static bool lacks(const struct checked *c, const struct kind *kind, struct err *ret_cause,
		  bool *ret_certain)
{
	const struct probe_answer *rules = &c->answers[PROBE_RULES];
	char missing[DETAIL_MAX];

	*ret_certain = rules->ok && kube_rules_complete(rules->body);
	if (!rules->ok)
		return false;
	list_missing(rules->body, kind, missing);
	if (missing[0] == '\0')
		return false;
	err_set(ret_cause, ERR_KUBE_FORBIDDEN, NULL, "%s%s",
		*ret_certain ? "not allowed: " : "your cluster does not tell whether it allows: ",
		missing);
	return true;
}

/* A webhook that does not support dry runs has not refused the object. */
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

/* Returns why the cluster would not accept a sandbox; NULL if it would, or has not said. The
 * account need not be allowed to make pods and volumes, because the StatefulSet's controller makes
 * them. */
static const struct err *sandbox_refusal(const struct checked *c)
{
	if (has_kind(c, PROBE_STATEFUL_SET, ERR_KUBE_FORBIDDEN))
		return &c->answers[PROBE_STATEFUL_SET].err;
	for (unsigned i = PROBE_STATEFUL_SET; i <= PROBE_VOLUME; i++) {
		if (is_refusal(&c->answers[i]))
			return &c->answers[i].err;
	}
	return NULL;
}

static void judge_permissions(struct checked *c)
{
	const struct probe_answer *rules = &c->answers[PROBE_RULES];
	const struct err *refused = sandbox_refusal(c);
	struct err missing;
	bool certain;

	if (lacks(c, &kind_sandbox, &missing, &certain))
		set(c, FINDING_PERMISSIONS,
		    certain || refused != NULL ? FINDING_FAILED : FINDING_UNKNOWN,
		    certain || refused == NULL ? &missing : refused);
	else if (refused != NULL)
		set(c, FINDING_PERMISSIONS, FINDING_FAILED, refused);
	else if (rules->ok)
		set(c, FINDING_PERMISSIONS, FINDING_OK, NULL);
	else
		set(c, FINDING_PERMISSIONS, FINDING_UNKNOWN, &rules->err);
}

/* An exhausted quota is no fault of the kubeconfig; one that is too small for any sandbox is. */
static void judge_quota(struct checked *c)
{
	for (unsigned i = PROBE_STATEFUL_SET; i <= PROBE_VOLUME; i++) {
		const struct err *e = &c->answers[i].err;
		if (has_kind(c, (enum probe_kind)i, ERR_KUBE_QUOTA)) {
			bool full = strcmp(e->code, "QUOTA_EXCEEDED") == 0;
			set(c, FINDING_QUOTA, full ? FINDING_WARNING : FINDING_FAILED, e);
			return;
		}
	}
	bool known = c->answers[PROBE_POD].ok && c->answers[PROBE_VOLUME].ok;
	set(c, FINDING_QUOTA, known ? FINDING_OK : FINDING_UNKNOWN, NULL);
}

static bool refuses(const struct checked *c, enum probe_kind cluster)
{
	return has_kind(c, cluster, ERR_KUBE_NOT_FOUND) || has_kind(c, cluster, ERR_KUBE_QUOTA) ||
	       is_refusal(&c->answers[cluster]);
}

/* A list of missing rights says more than that the Cluster is forbidden. */
static void judge_kubeblocks(struct checked *c, const struct kind *kind, enum probe_kind probe)
{
	const struct probe_answer *cluster = &c->answers[probe];
	struct err missing;
	bool certain;
	bool lacking = lacks(c, kind, &missing, &certain);
	bool forbidden = has_kind(c, probe, ERR_KUBE_FORBIDDEN);

	if (refuses(c, probe) || (forbidden && !(lacking && certain)))
		set(c, FINDING_DATABASES, FINDING_WARNING, &cluster->err);
	else if (lacking)
		set(c, FINDING_DATABASES, certain ? FINDING_WARNING : FINDING_UNKNOWN, &missing);
	else
		set(c, FINDING_DATABASES, cluster->ok ? FINDING_OK : FINDING_UNKNOWN,
		    cluster->ok ? NULL : &cluster->err);
}

/* What a plain database is made of, a sandbox is made of, too. */
static void judge_plain(struct checked *c)
{
	const struct judgement *sandbox = &c->found[FINDING_PERMISSIONS];

	set(c, FINDING_DATABASES,
	    sandbox->status == FINDING_FAILED ? FINDING_WARNING : sandbox->status, &sandbox->cause);
}

static bool is_known(const struct probe_answer *types)
{
	return types->ok || form_is_absence(&types->err);
}

/* By what the cluster serves, as for a new database. Projects work without databases. */
static void judge_databases(struct checked *c)
{
	const struct probe_answer *v1 = &c->answers[PROBE_TYPES_V1];
	const struct probe_answer *alpha = &c->answers[PROBE_TYPES];

	if (!is_known(v1) || !is_known(alpha)) {
		set(c, FINDING_DATABASES, FINDING_UNKNOWN, is_known(v1) ? &alpha->err : &v1->err);
		return;
	}
	enum database_form form = form_of_types(v1->body, alpha->body);
	if (form == FORM_PLAIN)
		judge_plain(c);
	else
		judge_kubeblocks(c, kind_of_form(form),
				 form == FORM_KUBEBLOCKS_1_0 ? PROBE_CLUSTER_V1 : PROBE_CLUSTER);
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

static json_t *findings_json(const struct checked *c)
{
	json_t *findings = json_array();

	for (unsigned i = 0; i < FINDING_COUNT; i++)
		json_array_append_new(findings, finding_json((enum finding)i, &c->found[i]));
	return findings;
}

static void begin(struct checked *c, const struct probe_answer *answers)
{
	*c = (struct checked) { .answers = answers };
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		c->found[i].status = FINDING_UNKNOWN;
}

json_t *findings_of(const struct probe_answer answers[PROBE_COUNT])
{
	struct checked c;

	begin(&c, answers);
	judge_way(&c);
	if (is_ok(&c, FINDING_REACHABLE) && is_ok(&c, FINDING_CERTIFICATE))
		judge_credentials(&c);
	if (is_ok(&c, FINDING_CREDENTIALS)) {
		judge_namespace(&c);
		if (c.found[FINDING_NAMESPACE].status != FINDING_FAILED) {
			judge_permissions(&c);
			judge_quota(&c);
			judge_databases(&c);
		}
	}
	return findings_json(&c);
}

json_t *findings_of_failure(const struct err *e)
{
	struct checked c;

	begin(&c, NULL);
	set(&c, FINDING_REACHABLE, FINDING_UNKNOWN, e);
	return findings_json(&c);
}
