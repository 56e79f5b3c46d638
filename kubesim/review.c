#include "review.h"

#include <string.h>

#include "base/cleanup.h"
#include "object.h"

#define GROUP "authorization.k8s.io"
#define KIND  "SelfSubjectRulesReview"

bool review_is(const struct path *path)
{
	return strcmp(path->group, GROUP) == 0 && strcmp(path->version, "v1") == 0 &&
	       strcmp(path->plural, "selfsubjectrulesreviews") == 0;
}

static json_t *rule(const char *const *verbs, const char *group, const char *const *resources)
{
	json_t *rule = json_pack("{s:[], s:[s], s:[]}", "verbs", "apiGroups", group, "resources");

	for (size_t i = 0; verbs[i] != NULL; i++)
		json_array_append_new(json_object_get(rule, "verbs"), json_string(verbs[i]));
	for (size_t i = 0; resources[i] != NULL; i++)
		json_array_append_new(json_object_get(rule, "resources"),
				      json_string(resources[i]));
	return rule;
}

/* The rights of every authenticated client, and of the role in the namespace. */
static json_t *rules_of(const struct user *who, const char *namespace)
{
	static const char *const create[] = { "create", NULL };
	static const char *const reviews[] = { "selfsubjectaccessreviews",
					       "selfsubjectrulesreviews", NULL };
	static const char *const subject[] = { "selfsubjectreviews", NULL };
	static const char *const all[] = { "*", NULL };
	static const char *const reads[] = { "get", "list", "watch", NULL };
	json_t *rules = json_pack("[o, o]", rule(create, GROUP, reviews),
				  rule(create, "authentication.k8s.io", subject));

	if (user_may(who, "create", namespace))
		json_array_append_new(rules, rule(all, "*", all));
	else if (user_may(who, "list", namespace))
		json_array_append_new(rules, rule(reads, "*", all));
	return rules;
}

int review_serve(const struct api_request *request, int *ret_code, struct buf *body,
		 struct refusal *r)
{
	CLEANUP(json_decrefp)
	json_t *asked = json_loadb(request->body, request->body_length, 0, NULL);
	const char *namespace = json_path_text(asked, "spec.namespace");

	if (strcmp(json_path_text(asked, "kind"), KIND) != 0)
		return refuse_bad_request(r, "the object provided is unrecognized");
	if (namespace[0] == '\0')
		return refuse_bad_request(r, "no namespace on request");
	CLEANUP(json_decrefp)
	json_t *answer = json_pack(
		"{s:s, s:s, s:{s:n}, s:{}, s:{s:o, s:[], s:b}}", "kind", KIND, "apiVersion",
		GROUP "/v1", "metadata", "creationTimestamp", "spec", "status", "resourceRules",
		rules_of(request->who, namespace), "nonResourceRules", "incomplete", 0);
	CLEANUP(cleanup_free) char *text = json_dumps(answer, JSON_COMPACT);
	*ret_code = 201;
	return buf_append(body, text, strlen(text), NULL);
}
