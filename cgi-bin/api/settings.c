#include "api.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "domain/user.h"
#include "store/config.h"
#include "store/contexts.h"
#include "web/json.h"

/* Settings are a user's own values by key; some are secrets (API keys), so all are sealed. Those
 * for an agent become variables of all the user's sandboxes (domain/user.h). */
enum {
	KEYS_TEXT_MAX = 2048,
	SETTINGS_AT_ONCE_MAX = 64,
	SEALED_SETTING_MAX = SETTING_VALUE_MAX + 512,
	SHORT_VALUE_MAX = 1024,
	CATEGORY_MAX = 64,
};

const struct field setting_query[] = {
	{ .name = "keys",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = KEYS_TEXT_MAX,
	  .pattern = "^[A-Z][A-Z0-9_]{0,63}([, ]+[A-Z][A-Z0-9_]{0,63})*$" },
	FIELDS_END,
};

static const struct field setting_fields[] = {
	{ .name = "key",
	  .type = FIELD_STRING,
	  .required = true,
	  .min = 1,
	  .max = SETTING_KEY_MAX,
	  .pattern = "^[A-Z][A-Z0-9_]*$",
	  .check = check_setting_key },
	{ .name = "value",
	  .type = FIELD_STRING,
	  .required = true,
	  .nullable = true,
	  .max = SETTING_VALUE_MAX },
	/* Members of version 0.4, accepted but not stored: every setting is sealed here. */
	{ .name = "category", .type = FIELD_STRING, .nullable = true, .max = CATEGORY_MAX },
	{ .name = "isSecret", .type = FIELD_BOOL },
	FIELDS_END,
};

const struct field setting_put_fields[] = {
	{ .name = "configs",
	  .type = FIELD_OBJECTS,
	  .required = true,
	  .min = 1,
	  .max = SETTINGS_AT_ONCE_MAX,
	  .members = setting_fields },
	FIELD_FORCE,
	FIELDS_END,
};

/* clang-format off */
#define SHORT(member)                                                                              \
	{ .name = (member), .type = FIELD_STRING, .nullable = true, .max = SHORT_VALUE_MAX }
/* clang-format on */

const struct field anthropic_fields[] = {
	SHORT("apiKey"),         SHORT("apiBaseUrl"), SHORT("model"),
	SHORT("smallFastModel"), FIELD_FORCE,         FIELDS_END,
};

const struct field system_prompt_fields[] = {
	{ .name = "systemPrompt",
	  .type = FIELD_STRING,
	  .nullable = true,
	  .max = SETTING_VALUE_MAX },
	FIELD_FORCE,
	FIELDS_END,
};

/* Settings that clients of version 0.4 know as members of one object. */
struct alias {
	const char *member;
	const char *key;
};
static const struct alias anthropic[] = {
	{ "apiKey", "ANTHROPIC_API_KEY" },
	{ "apiBaseUrl", "ANTHROPIC_API_BASE_URL" },
	{ "model", "ANTHROPIC_MODEL" },
	{ "smallFastModel", "ANTHROPIC_SMALL_FAST_MODEL" },
	{ NULL, NULL },
};
static const struct alias system_prompt[] = {
	{ "systemPrompt", "SYSTEM_PROMPT" },
	{ NULL, NULL },
};

static char *setting_context(const struct call *c, const char *key)
{
	return mem_printf(CONTEXT_SETTING, c->session->user_id, key);
}

/* Whether two keys name the same setting. */
static bool is_same(const char *key, const char *other)
{
	const char *variable = setting_variable(key), *others = setting_variable(other);

	return strcmp(key, other) == 0 ||
	       (variable != NULL && others != NULL && strcmp(variable, others) == 0);
}

/* Finds the last one, which is the one that sandboxes get. */
static const struct setting *find(const struct setting_rows *rows, const char *key)
{
	const struct setting *found = NULL;

	for (size_t i = 0; i < rows->count; i++) {
		if (is_same(rows->items[i].key, key))
			found = &rows->items[i];
	}
	return found;
}

/* Adds the value as a member of `into`; null if none is stored. */
static int render(const struct call *c, const struct setting_rows *rows, const char *key,
		  const char *member, json_t *into, struct err *e)
{
	const struct setting *setting = find(rows, key);
	CLEANUP(cleanup_free)
	char *context = setting_context(c, setting != NULL ? setting->key : key);
	CLEANUP(buf_wipe) struct buf value = BUF_INIT(SETTING_VALUE_MAX);
	const char *text = setting != NULL ? setting->value : NULL;

	if (setting != NULL && text == NULL) {
		if (api_unseal(c, context, setting->value_sealed, setting->value_sealed_length,
			       &value, e) < 0)
			return -1;
		text = value.data != NULL ? value.data : "";
	}
	json_object_set_new(into, member, json_pack("s?", text));
	return 0;
}

/* Deletes the setting under its other names, as its value is replaced. */
static int delete_others(const struct call *c, const char *key, struct err *e)
{
	for (size_t i = 0; i < setting_variable_count; i++) {
		const char *other = setting_variables[i].key;
		if (strcmp(key, other) != 0 && is_same(key, other) &&
		    setting_delete(c->db, c->session->user_id, other, e) < 0)
			return -1;
	}
	return 0;
}

static int store(const struct call *c, const char *key, const char *value, struct err *e)
{
	CLEANUP(cleanup_free) char *context = setting_context(c, key);
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_SETTING_MAX);

	if (delete_others(c, key, e) < 0)
		return -1;
	if (value == NULL)
		return setting_delete(c->db, c->session->user_id, key, e);
	if (setting_value_check(key, value, e) < 0 ||
	    api_seal(c, API_OWNER, context, value, strlen(value), &sealed, e) < 0)
		return -1;
	return setting_put(c->db, c->session->user_id, key, sealed.data, sealed.length, e);
}

/* Makes sandboxes use the changed settings. */
static int take_effect(const struct call *c, bool for_sandboxes, struct err *e)
{
	bool force = field_bool(c->body, "force", false);

	return for_sandboxes ? setting_roll_sandboxes(c->db, c->session->user_id, force, e) : 0;
}

/* ?keys=A,B: returns those of them that are stored. */
int setting_read(struct call *c, struct err *e)
{
	CLEANUP(setting_rows_clear) struct setting_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *found = json_object();
	CLEANUP(cleanup_free) char *keys = mem_strdup(field_string(c->query, "keys"));
	char *rest = NULL;

	if (setting_list(c->db, c->session->user_id, &rows, e) < 0)
		return -1;
	for (char *key = strtok_r(keys, ", ", &rest); key; key = strtok_r(NULL, ", ", &rest)) {
		if (check_setting_key(key, e) < 0)
			return err_wrap(e, "keys");
		if (find(&rows, key) != NULL && render(c, &rows, key, key, found, e) < 0)
			return -1;
	}
	response_json(c->response, 200, json_pack("{s:O}", "configs", found));
	return 0;
}

/* The stored setting, in the form of the request. */
static json_t *stored(const json_t *setting)
{
	const char *category = field_string(setting, "category");

	return json_pack("{s:s, s:s?, s:s?, s:b}", "key", field_string(setting, "key"), "value",
			 field_string(setting, "value"), "category", category, "isSecret",
			 (int)field_bool(setting, "isSecret", false));
}

int setting_write(struct call *c, struct err *e)
{
	CLEANUP(json_decrefp) json_t *configs = json_array();
	const json_t *settings = json_object_get(c->body, "configs");
	bool for_sandboxes = false;
	size_t index;
	json_t *setting;

	json_array_foreach(settings, index, setting)
	{
		for_sandboxes |= setting_variable(field_string(setting, "key")) != NULL;
		if (store(c, field_string(setting, "key"), field_string(setting, "value"), e) < 0)
			return -1;
		json_array_append_new(configs, stored(setting));
	}
	if (take_effect(c, for_sandboxes, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:b, s:i, s:O}", "success", 1, "count",
				(int)json_array_size(settings), "configs", configs));
	return 0;
}

static int read_aliases(struct call *c, const struct alias *aliases, struct err *e)
{
	CLEANUP(setting_rows_clear) struct setting_rows rows = { .count = 0 };
	CLEANUP(json_decrefp) json_t *found = json_object();

	if (setting_list(c->db, c->session->user_id, &rows, e) < 0)
		return -1;
	for (const struct alias *a = aliases; a->member != NULL; a++) {
		if (render(c, &rows, a->key, a->member, found, e) < 0)
			return -1;
	}
	response_json(c->response, 200, STEAL(found));
	return 0;
}

/* Stores members with a value, removes those that are null, keeps the others. */
static int write_aliases(struct call *c, const struct alias *aliases, struct err *e)
{
	bool given = false;

	for (const struct alias *a = aliases; a->member != NULL; a++) {
		given |= field_given(c->body, a->member);
		if (field_given(c->body, a->member) &&
		    store(c, a->key, field_string(c->body, a->member), e) < 0)
			return -1;
	}
	if (take_effect(c, given, e) < 0)
		return -1;
	return read_aliases(c, aliases, e);
}

int anthropic_read(struct call *c, struct err *e)
{
	return read_aliases(c, anthropic, e);
}

int anthropic_write(struct call *c, struct err *e)
{
	return write_aliases(c, anthropic, e);
}

int system_prompt_read(struct call *c, struct err *e)
{
	return read_aliases(c, system_prompt, e);
}

int system_prompt_write(struct call *c, struct err *e)
{
	return write_aliases(c, system_prompt, e);
}
