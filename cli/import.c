#include "import.h"

#include <string.h>

#include "base/cleanup.h"
#include "project.h"
#include "sandbox.h"

static bool has_repository(const json_t *project)
{
	const json_t *variable;
	size_t i;

	json_array_foreach(json_object_get(project, "environments"), i, variable)
	{
		const char *key = json_string_value(json_object_get(variable, "key"));
		if (key != NULL && strcmp(key, "FSA_REPOSITORY_URL") == 0)
			return true;
	}
	return false;
}

static int ask(struct site *site, const json_t *project, json_t **ret_import, struct err *e)
{
	CLEANUP(sandbox_close) struct sandbox sandbox = { 0 };

	if (sandbox_open(site, project, "usage", &sandbox, e) < 0)
		return -1;
	return site_call(&sandbox.server, "GET", "/v1/import", NULL, ret_import, e);
}

void import_add(struct site *site, json_t *project)
{
	json_t *import = NULL;
	struct err e;

	if (!has_repository(project) || strcmp(project_status(project), "RUNNING") != 0)
		return;
	if (ask(site, project, &import, &e) < 0)
		import = json_pack("{s:s, s:s}", "status", "unknown", "message", e.message);
	(void)json_object_set_new(project, "import", import);
}
