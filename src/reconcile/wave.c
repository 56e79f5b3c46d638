#include "reconcile/wave.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "reconcile/live.h"
#include "reconcile/work_internal.h"

/* A request may wait to be sent for as long as for its response. */
bool wave_fits(const struct work *w)
{
	return clock_ms() + 2 * w->context->request_timeout_ms + 500 < w->lease_ends_ms;
}

bool wave_begin(struct work *w, void (*next)(struct work *))
{
	if (!wave_fits(w)) {
		w->context->finished(w);
		return false;
	}
	w->pending = 1; /* so that it does not end before its last request is submitted */
	w->next = next;
	w->failed = false;
	return true;
}

void wave_ready(struct work *w)
{
	if (--w->pending == 0)
		w->next(w);
}

void wave_answered(struct work *w, const struct kube_answer *answer)
{
	if (!answer->ok && !w->failed) {
		w->failed = true;
		w->err = answer->err;
	}
	wave_ready(w);
}

static void read_done(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	json_decref(w->answer);
	w->answer = answer->ok ? json_incref(answer->body) : NULL;
	wave_answered(w, answer);
}

static void delete_done(void *user, const struct kube_answer *answer)
{
	const struct kube_answer gone = { .ok = true };

	wave_answered(user, answer->err.kind == ERR_KUBE_NOT_FOUND ? &gone : answer);
}

void wave_get(struct work *w, enum kube_resource type, const char *name)
{
	w->pending++;
	kube_submit_get(w->context->client, w->target, type, name, read_done, w);
}

void wave_list_instance(struct work *w, enum kube_resource type)
{
	CLEANUP(cleanup_free) char *selector = mem_printf(OBSERVE_INSTANCE "=%s", w->row.name);
	const struct kube_list list = { .resource = type, .label_selector = selector };

	w->pending++;
	kube_submit_list(w->context->client, w->target, &list, read_done, w);
}

void wave_delete(struct work *w, enum kube_resource type, const json_t *object)
{
	if (live_is_deleting(object))
		return;
	w->pending++;
	kube_submit_delete(w->context->client, w->target, type,
			   json_text_at(object, "metadata.name"),
			   json_text_at(object, "metadata.uid"), delete_done, w);
}
