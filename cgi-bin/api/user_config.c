#include "api.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "kube/kubeconfig.h"
#include "store/config.h"
#include "web/json.h"
#include "web/members.h"

enum {
	KEYS_TEXT_MAX = 2048,
	SETTINGS_AT_ONCE_MAX = 64,
	SETTING_KEY_MAX = 64,
	SETTING_VALUE_MAX = 65536,
	SEALED_KUBECONFIG_MAX = 131072,
};

const struct field setting_query[] = {
	{ .name = "keys", .type = FIELD_STRING, .required = true, .min = 1, .max = KEYS_TEXT_MAX },
	FIELDS_END,
};

static const struct field setting_fields[] = {
	{ .name = "key",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = SETTING_KEY_MAX,
	  .check = check_setting_key },
	{ .name = "value",
	  .type = FIELD_STRING,
	  .required = true,
	  .nullable = true,
	  .max = SETTING_VALUE_MAX },
	FIELDS_END,
};

const struct field setting_put_fields[] = {
	{ .name = "configs",
	  .type = FIELD_OBJECTS,
	  .required = true,
	  .min = 1,
	  .max = SETTINGS_AT_ONCE_MAX,
	  .members = setting_fields },
	FIELDS_END,
};

const struct field kubeconfig_fields[] = {
	{ .name = "kubeconfig",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = KUBECONFIG_MAX_BYTES },
	FIELDS_END,
};

static const char *find_setting(const struct setting_rows *rows, const char *key)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (strcmp(rows->items[i].key, key) == 0)
			return rows->items[i].value;
	}
	return NULL;
}

/* ?keys=A,B: those that were asked for, null where none is stored. */
int setting_read(struct call *c, struct err *e)
{
	CLEANUP(setting_rows_clear) struct setting_rows rows = { .count = 0 };
	CLEANUP(json_release) json_t *found = json_object();
	CLEANUP(cleanup_free) char *keys = mem_strdup(field_string(c->query, "keys"));
	char *rest = NULL;

	if (setting_list(c->db, c->session->user_id, &rows, e) < 0)
		return -1;
	for (char *key = strtok_r(keys, ",", &rest); key; key = strtok_r(NULL, ",", &rest)) {
		if (check_setting_key(key, e) < 0)
			return err_wrap(e, "keys");
		json_object_set_new(found, key, json_pack("s?", find_setting(&rows, key)));
	}
	response_json(c->response, 200, STEAL(found));
	return 0;
}

int setting_write(struct call *c, struct err *e)
{
	const json_t *settings = json_object_get(c->body, "configs");
	size_t index;
	json_t *setting;

	json_array_foreach(settings, index, setting)
	{
		if (setting_put(c->db, c->session->user_id, field_string(setting, "key"),
				field_string(setting, "value"), e) < 0)
			return -1;
	}
	response_json(
		c->response, 200,
		json_pack("{s:b, s:i}", "success", 1, "count", (int)json_array_size(settings)));
	return 0;
}

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

int kubeconfig_read(struct call *c, struct err *e)
{
	CLEANUP(kubeconfig_info_clear) struct kubeconfig_info info = { .result = NULL };

	if (kubeconfig_info_get(c->db, c->session->user_id, &info, e) < 0)
		return -1;
	response_json(c->response, 200, members_object(info_members, &info));
	return 0;
}

static int store(const struct call *c, const struct kubeconfig *config, const char *text,
		 struct err *e)
{
	const char *user_id = c->session->user_id;
	CLEANUP(cleanup_free) char *context = mem_printf("kubeconfig:%s", user_id);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_KUBECONFIG_MAX);

	if (api_seal(c, API_CLUSTER_PUBLIC, context, text, strlen(text), &sealed, e) < 0)
		return -1;
	struct kubeconfig_new row = {
		.user_id = user_id,
		.sealed = sealed.data,
		.sealed_length = sealed.length,
		.server = config->server,
		.namespace = config->namespace,
		.account = config->user,
		.expires_at = config->expires_at,
	};
	return kubeconfig_put(c->db, &row, e);
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
	return kubeconfig_read(c, e);
}
