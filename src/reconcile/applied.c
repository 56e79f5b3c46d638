#include "reconcile/applied.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"

static char *name_of(const json_t *object)
{
	return mem_printf("%s/%s", json_text_at(object, "kind"),
			  json_text_at(object, "metadata.name"));
}

static bool is_of(const json_t *observed, const char *key)
{
	return strcmp(json_text_at(observed, "applied.key"), key) == 0;
}

void applied_note(json_t *observed, const char *key, const json_t *desired)
{
	CLEANUP(cleanup_free) char *name = name_of(desired);

	if (!is_of(observed, key))
		json_object_set_new(observed, "applied",
				    json_pack("{s:s, s:{}}", "key", key, "objects"));
	json_object_set_new(json_at(observed, "applied.objects"), name, json_true());
}

bool applied_has(const json_t *observed, const char *key, const json_t *desired)
{
	CLEANUP(cleanup_free) char *name = name_of(desired);

	return is_of(observed, key) &&
	       json_object_get(json_at(observed, "applied.objects"), name) != NULL;
}

void applied_forget(json_t *observed)
{
	json_object_del(observed, "applied");
}
