#include "effects.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "object.h"
#include "rng.h"

enum { RULES_MAX = 256 };

static const char *const names[EFFECT_COUNT] = {
	[EFFECT_CRASH] = "crash",
	[EFFECT_IMAGE] = "image",
	[EFFECT_MOUNT] = "mount",
	[EFFECT_UNSCHEDULABLE] = "unschedulable",
	[EFFECT_NEVER_READY] = "never-ready",
	[EFFECT_STUCK] = "stuck",
	[EFFECT_UNBOUND] = "unbound",
	[EFFECT_DATABASE_FAILED] = "database-failed",
	[EFFECT_ADMISSION] = "admission",
};

struct rule {
	long long id;
	enum effect effect;
	json_t *json;
};

struct effects {
	uint64_t seed;
	long long last_id;
	struct rule rules[RULES_MAX];
	size_t count;
};

struct effects *effects_new(uint64_t seed)
{
	struct effects *e = mem_calloc(1, sizeof(*e));

	e->seed = seed;
	return e;
}

void effects_free(struct effects *e)
{
	if (e == NULL)
		return;
	effects_remove(e, 0);
	free(e);
}

long long effects_add(struct effects *e, const json_t *rule, const char **ret_error)
{
	const char *name = json_path_text(rule, "effect");

	if (e->count == RULES_MAX) {
		*ret_error = "too many rules";
		return 0;
	}
	for (unsigned i = 0; i < EFFECT_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		struct rule *r = &e->rules[e->count++];
		*r = (struct rule) { ++e->last_id, (enum effect)i, json_deep_copy(rule) };
		json_object_set_new(r->json, "id", json_integer(r->id));
		return r->id;
	}
	*ret_error = "no such effect";
	return 0;
}

bool effects_remove(struct effects *e, long long id)
{
	size_t kept = 0, before = e->count;

	for (size_t i = 0; i < before; i++) {
		if (id != 0 && e->rules[i].id != id)
			e->rules[kept++] = e->rules[i];
		else
			json_decref(e->rules[i].json);
	}
	e->count = kept;
	return kept != before || id == 0;
}

json_t *effects_list(const struct effects *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->count; i++)
		json_array_append(list, e->rules[i].json);
	return list;
}

static bool matches(const json_t *rule, const char *member, const char *value)
{
	const json_t *pattern = json_object_get(rule, member);

	return pattern == NULL || fnmatch(json_string_value(pattern), value, 0) == 0;
}

static bool is_chosen(const struct effects *e, const struct rule *rule, const char *uid)
{
	const json_t *probability = json_object_get(rule->json, "probability");
	struct rng rng = { e->seed ^ (uint64_t)rule->id };

	if (probability == NULL)
		return true;
	for (; *uid != '\0'; uid++)
		rng.state = (rng.state ^ (unsigned char)*uid) * 1099511628211U;
	return rng_happens(&rng, json_number_value(probability));
}

bool effects_hit(const struct effects *e, enum effect effect, const char *namespace,
		 const char *name, const char *uid)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct rule *rule = &e->rules[i];
		if (rule->effect == effect && matches(rule->json, "namespace", namespace) &&
		    matches(rule->json, "name", name) && is_chosen(e, rule, uid))
			return true;
	}
	return false;
}

/* Returns the member or item that a path segment names; adds a missing member to an object. */
static json_t *step(json_t *json, const char *segment)
{
	json_t *next = json_is_array(json) ? json_array_get(json, strtoul(segment, NULL, 10))
					   : json_object_get(json, segment);

	if (next == NULL && json_is_object(json)) {
		next = json_object();
		json_object_set_new(json, segment, next);
	}
	return next;
}

static void set(json_t *json, const char *path, json_t *value)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(path);
	char *rest = copy, *segment = strsep(&rest, ".");

	for (; rest != NULL && json != NULL; segment = strsep(&rest, "."))
		json = step(json, segment);
	if (json_is_object(json))
		json_object_set(json, segment, value);
}

void effects_admit(const struct effects *e, const char *plural, const char *namespace,
		   const char *name, json_t *object)
{
	const char *path;
	json_t *value;

	for (size_t i = 0; i < e->count; i++) {
		const struct rule *rule = &e->rules[i];
		if (rule->effect != EFFECT_ADMISSION || !matches(rule->json, "resource", plural) ||
		    !matches(rule->json, "namespace", namespace) ||
		    !matches(rule->json, "name", name))
			continue;
		json_object_foreach(json_object_get(rule->json, "set"), path, value)
		{
			set(object, path, value);
		}
	}
}
