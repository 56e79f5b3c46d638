#include "api.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "kube/kubeconfig.h"
#include "store/config.h"
#include "store/kubeconfig_check.h"
#include "web/json.h"
#include "web/members.h"

const struct field kubeconfig_fields[] = {
	{ .name = "kubeconfig",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = KUBECONFIG_MAX_BYTES },
	FIELDS_END,
};

#define INFO(member) offsetof(struct kubeconfig_info, member)
/* Never the kubeconfig itself: nothing on this side can open it. */
static const struct member info_members[] = {
	{ "namespace", INFO(namespace), member_text },
	{ "server", INFO(server), member_text },
	{ "account", INFO(account), member_text },
	{ "expiresAt", INFO(expires_at), member_text },
	{ "expired", INFO(expired), member_bool },
	{ "updatedAt", INFO(updated_at), member_text },
	MEMBERS_END,
};

static int answer(struct call *c, json_t *into, struct err *e)
{
	CLEANUP(kubeconfig_info_clear) struct kubeconfig_info info = { .result = NULL };
	CLEANUP(json_decrefp) json_t *json = into;
	json_t *check;

	if (kubeconfig_info_get(c->db, c->session->user_id, &info, e) < 0 ||
	    kubeconfig_check_get(c->db, c->session->user_id, &check, e) < 0)
		return -1;
	members_add(json, info_members, &info);
	json_object_set_new(json, "check", check);
	response_json(c->response, 200, STEAL(json));
	return 0;
}

int kubeconfig_read(struct call *c, struct err *e)
{
	return answer(c, json_object(), e);
}

static int seal_for_reconciler(const void *call, const char *context, const void *plain,
			       size_t length, struct buf *ret_sealed, struct err *e)
{
	return api_seal(call, API_CLUSTER_PUBLIC, context, plain, length, ret_sealed, e);
}

static int store(const struct call *c, const struct kubeconfig *config, const char *text,
		 struct err *e)
{
	const struct kubeconfig_new row = { c->session->user_id, config->server, config->namespace,
					    config->user, config->expires_at };

	return kubeconfig_put(c->db, &row, text, seal_for_reconciler, c, e);
}

int kubeconfig_write(struct call *c, struct err *e)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { .server = NULL };
	const char *text = field_string(c->body, "kubeconfig");

	if (kubeconfig_parse(text, strlen(text), &config, e) < 0 ||
	    kubeconfig_check_address(&config, api_address_policy(c), e) < 0)
		return err_wrap(e, "kubeconfig");
	if (store(c, &config, text, e) < 0)
		return -1;
	return answer(c, json_pack("{s:b}", "success", 1), e);
}

/* Checks again, for owners who have changed something in the cluster. */
int kubeconfig_check(struct call *c, struct err *e)
{
	if (kubeconfig_check_ask(c->db, c->session->user_id, e) < 0)
		return -1;
	return answer(c, json_object(), e);
}
