/* JSON of an API server, and what is taken from it before it is built. */
#include <jansson.h>

#include "fuzz.h"
#include "kube/filter.h"

enum { COST = 10000 };

static const char *const read[] = { "name", "items", "status*", NULL };
static const char *const unread[] = { "name", "items", NULL };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Returns what is left of it, or NULL if that is too much or no JSON. The caller json_decref()s. */
static json_t *filter(const char *text, size_t length, const struct kube_members *members)
{
	CLEANUP(buf_release) struct buf kept = BUF_INIT(length);
	size_t cost = COST;

	if (!kube_filter(members, text, length, &cost, &kept))
		return NULL;
	insist(cost < COST && kept.length <= length);
	return json_loadb(kept.data != NULL ? kept.data : "", kept.length, 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	size_t length = strlen(text);
	CLEANUP(json_decrefp) json_t *sent = json_loadb(text, length, 0, NULL);
	CLEANUP(json_decrefp)
	json_t *all = filter(text, length, &(struct kube_members) { NULL, NULL });
	CLEANUP(json_decrefp)
	json_t *few = filter(text, length, &(struct kube_members) { read, NULL });
	CLEANUP(json_decrefp)
	json_t *most = filter(text, length, &(struct kube_members) { NULL, unread });

	insist(all == NULL || json_equal(all, sent));
	/* Of JSON that is not too much, what is left is JSON, and no more. */
	if (all != NULL)
		insist(few != NULL && most != NULL);
	if (all != NULL && json_is_object(most) && strchr(text, '\\') == NULL)
		insist(json_object_get(most, "name") == NULL &&
		       json_object_get(most, "items") == NULL);
	return 0;
}
