/* Tests the findings from the responses to a check of a kubeconfig. */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "reconcile/findings.h"

#define ALL_RULES "[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]"
#define REVIEW(rules, incomplete)                                                                  \
	"{\"status\":{\"resourceRules\":" rules ",\"incomplete\":" incomplete "}}"

static struct probe_answer answers[PROBE_COUNT];

static void accept(enum probe_kind probe, const char *body)
{
	json_decref(answers[probe].body);
	answers[probe] = (struct probe_answer) { .ok = true,
						 .http_status = 200,
						 .body = json_loads(body, 0, NULL) };
}

static void refuse(enum probe_kind probe, long status, enum err_kind kind, const char *code)
{
	json_decref(answers[probe].body);
	answers[probe] = (struct probe_answer) { .http_status = status };
	err_set(&answers[probe].err, kind, code, "dry-run x/y: HTTP %ld: words", status);
}

static void everything_is_well(void)
{
	accept(PROBE_RULES, REVIEW(ALL_RULES, "false"));
	for (unsigned i = PROBE_NAMESPACE; i < PROBE_COUNT; i++)
		accept((enum probe_kind)i, "{}");
	accept(PROBE_TYPES, "{\"resources\": [{\"name\": \"clusters\"}]}");
	refuse(PROBE_TYPES_V1, 404, ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND");
	refuse(PROBE_CLUSTER_V1, 404, ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND");
}

static void clear(void)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++)
		json_decref(answers[i].body);
	memset(answers, 0, sizeof(answers));
}

/* Returns one letter per finding: o, w, f, u. */
static const char *statuses(const json_t *findings)
{
	static char letters[FINDING_COUNT + 1];

	ck_assert_uint_eq(json_array_size(findings), FINDING_COUNT);
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const json_t *finding = json_array_get(findings, i);
		const char *name = json_string_value(json_object_get(finding, "name"));
		ck_assert_str_eq(name, finding_text((enum finding)i)->name);
		letters[i] = json_string_value(json_object_get(finding, "status"))[0];
	}
	return letters;
}

static void assert_found(const char *expected)
{
	json_auto_t *findings = findings_of(answers);

	ck_assert_str_eq(statuses(findings), expected);
}

static const char *code_of(const json_t *findings, enum finding finding)
{
	return json_string_value(json_object_get(json_array_get(findings, finding), "code"));
}

START_TEST(each_finding_has_words)
{
	const struct finding_text *text = finding_text((enum finding)_i);

	ck_assert_ptr_eq(finding_text_of(text->name), text);
	ck_assert(text->ok[0] != '\0' && text->unknown[0] != '\0');
	ck_assert_ptr_null(finding_text_of("another"));
}
END_TEST

START_TEST(a_good_kubeconfig)
{
	assert_found("ooooooo");
}
END_TEST

static const struct {
	enum probe_kind probe;
	long status;
	enum err_kind kind;
	const char *code;
	const char *found;
} refusals[] = {
	{ PROBE_RULES, 401, ERR_KUBE_UNAUTHORIZED, NULL, "oofuuuu" },
	{ PROBE_RULES, 404, ERR_KUBE_PROTOCOL, "NOT_KUBERNETES", "fouuuuu" },
	/* A temporary fault of the server says nothing about the kubeconfig. */
	{ PROBE_RULES, 503, ERR_KUBE_SERVER, NULL, "oooouoo" },
	{ PROBE_RULES, 0, ERR_KUBE_TIMEOUT, NULL, "oooouoo" },
	{ PROBE_NAMESPACE, 403, ERR_KUBE_FORBIDDEN, NULL, "ooooooo" },
	{ PROBE_NAMESPACE, 404, ERR_KUBE_NOT_FOUND, "NAMESPACE_NOT_FOUND", "ooofuuu" },
	{ PROBE_POD, 403, ERR_KUBE_CONFLICT, "NAMESPACE_TERMINATING", "ooofuuu" },
	{ PROBE_STATEFUL_SET, 403, ERR_KUBE_FORBIDDEN, NULL, "oooofoo" },
	{ PROBE_STATEFUL_SET, 422, ERR_KUBE_INVALID, NULL, "oooofoo" },
	{ PROBE_STATEFUL_SET, 403, ERR_KUBE_QUOTA, "QUOTA_EXCEEDED", "ooooowo" },
	{ PROBE_STATEFUL_SET, 500, ERR_KUBE_SERVER, NULL, "ooooooo" },
	/* The StatefulSet's controller makes it. */
	{ PROBE_POD, 403, ERR_KUBE_FORBIDDEN, NULL, "ooooouo" },
	{ PROBE_POD, 403, ERR_KUBE_ADMISSION, "POD_SECURITY", "oooofuo" },
	{ PROBE_POD, 403, ERR_KUBE_BILLING, NULL, "oooofuo" },
	{ PROBE_POD, 403, ERR_KUBE_QUOTA, "QUOTA_EXCEEDED", "ooooowo" },
	{ PROBE_POD, 403, ERR_KUBE_QUOTA, "LIMIT_RANGE", "ooooofo" },
	{ PROBE_POD, 403, ERR_KUBE_QUOTA, "QUOTA_INCOMPLETE", "ooooofo" },
	{ PROBE_VOLUME, 403, ERR_KUBE_QUOTA, "QUOTA_EXCEEDED", "ooooowo" },
	{ PROBE_CLUSTER, 404, ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND", "oooooow" },
	{ PROBE_CLUSTER, 403, ERR_KUBE_FORBIDDEN, NULL, "oooooow" },
	{ PROBE_CLUSTER, 0, ERR_KUBE_TIMEOUT, NULL, "oooooou" },
	/* Without KubeBlocks a database is a StatefulSet of ours. */
	{ PROBE_TYPES, 404, ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND", "ooooooo" },
	{ PROBE_TYPES, 503, ERR_KUBE_SERVER, NULL, "oooooou" },
	{ PROBE_TYPES_V1, 0, ERR_KUBE_TIMEOUT, NULL, "oooooou" },
};

START_TEST(one_refusal)
{
	refuse(refusals[_i].probe, refusals[_i].status, refusals[_i].kind, refusals[_i].code);
	assert_found(refusals[_i].found);
}
END_TEST

static const struct {
	enum err_kind kind;
	const char *found;
} silences[] = {
	{ ERR_KUBE_UNREACHABLE, "fuuuuuu" },
	{ ERR_KUBE_TIMEOUT, "fuuuuuu" },
	{ ERR_KUBE_TLS, "ofuuuuu" },
};

START_TEST(a_cluster_that_does_not_answer)
{
	for (unsigned i = 0; i < PROBE_COUNT; i++)
		refuse((enum probe_kind)i, 0, silences[_i].kind, NULL);
	assert_found(silences[_i].found);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
	static const char rules[] =
		"[{\"verbs\":[\"*\"],\"apiGroups\":[\"apps\",\"networking.k8s.io\",\"apps."
		"kubeblocks.io\","
		"\"rbac.authorization.k8s.io\"],\"resources\":[\"*\"]},"
		"{\"verbs\":[\"get\",\"list\"],\"apiGroups\":[\"\"],\"resources\":[\"*\"]},"
		"{\"verbs\":[\"*\"],\"apiGroups\":[\"\"],\"resources\":[\"services\","
		"\"serviceaccounts\"]}]";
	CLEANUP(json_decrefp)
	json_t *review = json_pack("{s:{s:o, s:b}}", "status", "resourceRules",
				   json_loads(rules, 0, NULL), "incomplete", 0);

	ck_assert_ptr_nonnull(review);
	json_decref(answers[PROBE_RULES].body);
	answers[PROBE_RULES].body = json_incref(review);
	json_auto_t *findings = findings_of(answers);
	const json_t *permissions = json_array_get(findings, FINDING_PERMISSIONS);
	ck_assert_str_eq(statuses(findings), "oooofoo");
	ck_assert_str_eq(json_string_value(json_object_get(permissions, "detail")),
			 "not allowed: pods: delete; secrets: create, patch, delete; "
			 "persistentvolumeclaims: delete");
}
END_TEST

START_TEST(what_a_review_leaves_out_is_not_known)
{
	accept(PROBE_RULES, REVIEW("[]", "true"));
	assert_found("oooouou");
	refuse(PROBE_STATEFUL_SET, 403, ERR_KUBE_FORBIDDEN, NULL);
	assert_found("oooofou");
	refuse(PROBE_CLUSTER, 403, ERR_KUBE_FORBIDDEN, NULL);
	assert_found("oooofow");
	accept(PROBE_CLUSTER, "{}");
	accept(PROBE_RULES, REVIEW(ALL_RULES, "true"));
	accept(PROBE_STATEFUL_SET, "{}");
	assert_found("ooooooo");
}
END_TEST

START_TEST(a_cluster_with_the_newer_kubeblocks)
{
	accept(PROBE_TYPES_V1, "{\"resources\": [{\"name\": \"clusters\"}]}");
	accept(PROBE_CLUSTER_V1, "{}");
	refuse(PROBE_CLUSTER, 500, ERR_KUBE_INVALID, "UNKNOWN_FIELD");
	assert_found("ooooooo");
	refuse(PROBE_CLUSTER_V1, 403, ERR_KUBE_FORBIDDEN, NULL);
	assert_found("oooooow");
}
END_TEST

START_TEST(without_kubeblocks_a_database_needs_what_a_sandbox_needs)
{
	refuse(PROBE_TYPES, 404, ERR_KUBE_NOT_FOUND, "RESOURCE_TYPE_NOT_FOUND");
	refuse(PROBE_STATEFUL_SET, 403, ERR_KUBE_FORBIDDEN, NULL);
	assert_found("oooofow");
}
END_TEST

START_TEST(a_namespace_that_is_going)
{
	accept(PROBE_NAMESPACE, "{\"status\":{\"phase\":\"Terminating\"}}");
	json_auto_t *findings = findings_of(answers);
	ck_assert_str_eq(statuses(findings), "ooofuuu");
	ck_assert_str_eq(code_of(findings, FINDING_NAMESPACE), "NAMESPACE_TERMINATING");
}
END_TEST

START_TEST(a_hostile_answer_is_none)
{
	static const char *const bodies[] = { "[]", "{\"status\":[]}",
					      "{\"status\":{\"phase\":[]}}",
					      "{\"status\":{\"resourceRules\":{}}}" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		for (unsigned p = 0; p < PROBE_COUNT; p++)
			accept((enum probe_kind)p, bodies[i]);
		assert_found("oooouou");
	}
}
END_TEST

START_TEST(a_kubeconfig_that_cannot_be_opened)
{
	struct err e;

	err_set(&e, ERR_KUBECONFIG, "KUBECONFIG_UNREADABLE", "store it again");
	json_auto_t *findings = findings_of_failure(&e);
	ck_assert_str_eq(statuses(findings), "uuuuuuu");
	ck_assert_str_eq(code_of(findings, FINDING_REACHABLE), "KUBECONFIG_UNREADABLE");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("findings");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, everything_is_well, clear);
	tcase_add_loop_test(all, each_finding_has_words, 0, FINDING_COUNT);
	tcase_add_test(all, a_good_kubeconfig);
	tcase_add_loop_test(all, one_refusal, 0, ARRAY_SIZE(refusals));
	tcase_add_loop_test(all, a_cluster_that_does_not_answer, 0, ARRAY_SIZE(silences));
	tcase_add_test(all, what_is_missing_is_named);
	tcase_add_test(all, what_a_review_leaves_out_is_not_known);
	tcase_add_test(all, a_cluster_with_the_newer_kubeblocks);
	tcase_add_test(all, without_kubeblocks_a_database_needs_what_a_sandbox_needs);
	tcase_add_test(all, a_namespace_that_is_going);
	tcase_add_test(all, a_hostile_answer_is_none);
	tcase_add_test(all, a_kubeconfig_that_cannot_be_opened);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
