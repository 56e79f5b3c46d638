#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "kubeblocks.h"

bool discovery_is(const struct path *path)
{
	return path->plural[0] == '\0';
}

static json_t *type_json(const char *plural, const char *kind, bool namespaced)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:[s, s, s, s, s, s, s]}", "name", plural,
			 "singularName", "", "namespaced", namespaced, "kind", kind, "verbs",
			 "create", "delete", "get", "list", "patch", "update", "watch");
}

/* Of which only the names are served. */
static void add_names(json_t *types, const char *names)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(names);
	char *rest = NULL;

	for (char *name = strtok_r(copy, " ", &rest); name != NULL;
	     name = strtok_r(NULL, " ", &rest))
		json_array_append_new(types, type_json(name, name, false));
}

static json_t *types_of(const struct sim *sim, const struct path *path)
{
	const struct kubeblocks *installed = sim->settings.kubeblocks;
	json_t *types = json_array();

	if (strcmp(path->group, KUBEBLOCKS_GROUP) == 0) {
		const struct kind *own = kind_get(installed->kind);
		json_array_append_new(types, type_json(own->plural, own->kind, own->namespaced));
		add_names(types, installed->types);
		return types;
	}
	for (int i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = kind_get((enum kind_id)i);
		if (strcmp(kind->group, path->group) == 0 &&
		    strcmp(kind->version, path->version) == 0)
			json_array_append_new(
				types, type_json(kind->plural, kind->kind, kind->namespaced));
	}
	return types;
}

void discovery_serve(const struct sim *sim, const struct path *path, struct api_answer *a)
{
	CLEANUP(cleanup_free) char *group = mem_printf("%s/%s", path->group, path->version);
	CLEANUP(json_decrefp)
	json_t *list = json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion",
				 "v1", "groupVersion", group, "resources", types_of(sim, path));
	CLEANUP(cleanup_free) char *text = json_dumps(list, JSON_COMPACT);

	a->code = 200;
	a->content_type = "application/json";
	(void)buf_append(&a->body, text, strlen(text), NULL);
}
