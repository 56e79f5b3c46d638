/* A user's clusters, and the kubeconfig of the default one under its older path. */
#include "api.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "checks.h"
#include "kube/kubeconfig.h"
#include "store/cluster.h"
#include "store/kubeconfig_check.h"
#include "web/json.h"
#include "web/members.h"

enum { REGION_MAX = 64 };
#define REGION_PATTERN "^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$"

static int check_region(const char *region, struct err *e)
{
	static const char inner[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789 ._-";
	size_t length = strlen(region);

	if (length > 0 && strspn(region, inner) == length && strchr(" ._-", region[0]) == NULL &&
	    strchr(" ._-", region[length - 1]) == NULL)
		return 0;
	return err_set(e, ERR_INVALID, "INVALID_REGION",
		       "A region has letters and digits, and blanks, '.', '_' and '-' inside");
}

/* clang-format off */
#define FIELD_KUBECONFIG(is_required)                                                              \
	{ .name = "kubeconfig", .type = FIELD_STRING, .required = (is_required), .min = 1,         \
	  .max = KUBECONFIG_MAX_BYTES }
#define FIELD_REGION                                                                               \
	{ .name = "region", .type = FIELD_STRING, .nullable = true, .max = REGION_MAX,             \
	  .pattern = REGION_PATTERN, .check = check_region }
/* clang-format on */

const struct field kubeconfig_fields[] = { FIELD_KUBECONFIG(true), FIELDS_END };
const struct field cluster_create_fields[] = {
	{ .name = "name",
	  .type = FIELD_STRING,
	  .required = true,
	  .max = CLUSTER_NAME_MAX,
	  .pattern = CLUSTER_NAME_PATTERN,
	  .check = check_cluster_name },
	FIELD_REGION,
	FIELD_KUBECONFIG(true),
	FIELDS_END,
};
const struct field cluster_change_fields[] = { FIELD_REGION, FIELD_KUBECONFIG(false), FIELDS_END };

/* ---- responses ------------------------------------------------------------------------------- */

#define INFO(member) offsetof(struct cluster_info, member)
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
static const struct member cluster_members[] = {
	{ "id", INFO(id), member_text },
	{ "name", INFO(name), member_text },
	{ "region", INFO(region), member_text },
	{ "projects", INFO(projects), member_int64 },
	{ "awaySince", INFO(away_since), member_text },
	MEMBERS_END,
};

static int render(const struct call *c, const struct cluster_info *info, json_t *into,
		  struct err *e)
{
	json_t *check;

	if (kubeconfig_check_get(c->db, info->id, &check, e) < 0)
		return -1;
	members_add(into, info_members, info);
	json_object_set_new(into, "check", check);
	return 0;
}

static int render_cluster(const struct call *c, const struct cluster_info *info, json_t *into,
			  struct err *e)
{
	members_add(into, cluster_members, info);
	return render(c, info, into, e);
}

/* Answers the cluster of this id with what `render_one` says of it. */
static int answer(struct call *c, const char *id, json_t *into,
		  int (*render_one)(const struct call *, const struct cluster_info *, json_t *,
				    struct err *),
		  struct err *e)
{
	CLEANUP(cluster_rows_clear) struct cluster_rows rows = { .result = NULL };
	CLEANUP(json_decrefp) json_t *json = into;

	if (cluster_get(c->db, c->session->user_id, id, &rows, e) < 0 ||
	    render_one(c, &rows.items[0], json, e) < 0)
		return -1;
	response_json(c->response, 200, STEAL(json));
	return 0;
}

static int seal_for_reconciler(const void *call, const char *context, const void *plain,
			       size_t length, struct buf *ret_sealed, struct err *e)
{
	return api_seal(call, API_CLUSTER_PUBLIC, context, plain, length, ret_sealed, e);
}

/* Stores the kubeconfig of the request's body for the cluster of this id. */
static int store(const struct call *c, const char *id, const char *name, struct err *e)
{
	CLEANUP(kubeconfig_clear) struct kubeconfig config = { .server = NULL };
	const char *text = field_string(c->body, "kubeconfig");

	if (kubeconfig_parse(text, strlen(text), &config, e) < 0 ||
	    kubeconfig_check_address(&config, api_address_policy(c), e) < 0)
		return err_wrap(e, "kubeconfig");
	const struct cluster_new row = {
		.id = id,
		.user_id = c->session->user_id,
		.name = name,
		.server = config.server,
		.namespace = config.namespace,
		.account = config.user,
		.expires_at = config.expires_at,
	};
	return cluster_put(c->db, &row, text, seal_for_reconciler, c, e);
}

/* ---- the default one, as /api/user/config/kc ------------------------------------------------- */

int kubeconfig_read(struct call *c, struct err *e)
{
	return answer(c, c->session->user_id, json_object(), render, e);
}

int kubeconfig_write(struct call *c, struct err *e)
{
	if (store(c, c->session->user_id, CLUSTER_DEFAULT, e) < 0)
		return -1;
	return answer(c, c->session->user_id, json_pack("{s:b}", "success", 1), render, e);
}

/* Checks again, for owners who have changed something in the cluster. */
int kubeconfig_check(struct call *c, struct err *e)
{
	if (kubeconfig_check_ask(c->db, c->session->user_id, e) < 0)
		return -1;
	return answer(c, c->session->user_id, json_object(), render, e);
}

/* ---- all of them ----------------------------------------------------------------------------- */

int clusters_list_get(struct call *c, struct err *e)
{
	CLEANUP(cluster_rows_clear) struct cluster_rows rows = { .result = NULL };
	CLEANUP(json_decrefp) json_t *items = json_array();

	if (cluster_list(c->db, c->session->user_id, &rows, e) < 0)
		return -1;
	for (size_t i = 0; i < rows.count; i++) {
		json_t *item = json_object();
		json_array_append_new(items, item);
		if (render_cluster(c, &rows.items[i], item, e) < 0)
			return -1;
	}
	response_json(c->response, 200, json_pack("{s:O}", "items", items));
	return 0;
}

int clusters_post(struct call *c, struct err *e)
{
	const char *name = field_string(c->body, "name");
	const char *region = field_string(c->body, "region");

	if (strcmp(name, CLUSTER_DEFAULT) == 0)
		return err_set(e, ERR_UNPROCESSABLE, "CLUSTER_IS_DEFAULT",
			       "The default cluster is the one of PUT /api/user/config/kc");
	new_id(c->object_id);
	c->audit_detail = json_pack("{s:s}", "name", name);
	if (store(c, c->object_id, name, e) < 0 ||
	    (region != NULL &&
	     cluster_set_region(c->db, c->session->user_id, c->object_id, region, e) < 0))
		return -1;
	return answer(c, c->object_id, json_object(), render_cluster, e);
}

int clusters_read(struct call *c, struct err *e)
{
	return answer(c, c->params[0], json_object(), render_cluster, e);
}

/* What is not in the body stays. */
int clusters_put(struct call *c, struct err *e)
{
	CLEANUP(cluster_rows_clear) struct cluster_rows rows = { .result = NULL };

	if (cluster_get(c->db, c->session->user_id, c->params[0], &rows, e) < 0)
		return -1;
	c->audit_detail = json_pack("{s:s}", "name", rows.items[0].name);
	if (field_string(c->body, "kubeconfig") != NULL &&
	    store(c, rows.items[0].id, rows.items[0].name, e) < 0)
		return -1;
	if (field_given(c->body, "region") &&
	    cluster_set_region(c->db, c->session->user_id, c->params[0],
			       field_string(c->body, "region"), e) < 0)
		return -1;
	return answer(c, c->params[0], json_object(), render_cluster, e);
}

int clusters_delete(struct call *c, struct err *e)
{
	if (cluster_remove(c->db, c->session->user_id, c->params[0], e) < 0)
		return -1;
	response_json(c->response, 200, json_pack("{s:b}", "success", 1));
	return 0;
}

int clusters_check(struct call *c, struct err *e)
{
	CLEANUP(cluster_rows_clear) struct cluster_rows rows = { .result = NULL };

	if (cluster_get(c->db, c->session->user_id, c->params[0], &rows, e) < 0 ||
	    kubeconfig_check_ask(c->db, c->params[0], e) < 0)
		return -1;
	return answer(c, c->params[0], json_object(), render_cluster, e);
}
