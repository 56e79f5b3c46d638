#ifndef KUBESIM_VERBS_H
#define KUBESIM_VERBS_H

#include "api.h"
#include "path.h"

/* What each verb does with a resource. */
struct call {
	struct sim *sim;
	const struct api_request *request;
	const struct path *path;
	const char *verb;
	bool stale;               /* reads see the snapshot */
	struct watch **ret_watch; /* for a watch: its response is streamed */
};

/* Writes the answer to `body` and its code to `ret_code`. */
typedef int verb_fn(const struct call *call, int *ret_code, struct buf *body, struct refusal *r);

verb_fn verb_get, verb_list, verb_watch;                  /* read.c */
verb_fn verb_create, verb_update, verb_apply, verb_patch; /* change.c */
verb_fn verb_delete;                                      /* remove.c */

/* A parameter of the query, "" when not given. */
const char *call_parameter(const struct call *call, const char *name);
/* Whether its Accept has `type`, "as=PartialObjectMetadata;" for example. */
bool call_wants(const struct call *call, const char *type);

#endif
