#include "reconcile/crash.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "reconcile/live.h"
#include "reconcile/wave.h"
#include "reconcile/work_internal.h"
#include "store/contexts.h"

enum { LINES = 20, SHOWN_MAX = 4096, SEALED_MAX = SHOWN_MAX + 512 };

/* ---- which crash ----------------------------------------------------------------------------- */

static const json_t *pod_of(const struct work *w)
{
	return live_current(observation_of(w->observation, KUBE_PODS, w->row.id));
}

/* The first of its containers that has ended before. */
static const json_t *crashed_container(const json_t *pod)
{
	size_t i;
	json_t *status;

	json_array_foreach(json_at(pod, "status.containerStatuses"), i, status)
	{
		if (json_at(status, "lastState.terminated") != NULL)
			return status;
	}
	return NULL;
}

/* Names one end of one container. The caller frees. */
static char *crash_key(const json_t *pod, const json_t *container)
{
	return mem_printf("%.40s/%lld", json_text_at(pod, "metadata.uid"),
			  (long long)json_number_at(container, "restartCount"));
}

bool crash_is_new(const struct work *w)
{
	const json_t *pod = pod_of(w), *container = crashed_container(pod);

	if (container == NULL || !w->assessment.has_cause ||
	    w->assessment.cause.kind != ERR_POD_CRASH)
		return false;
	CLEANUP(cleanup_free) char *key = crash_key(pod, container);
	return strcmp(json_text_at(w->kept, "crash"), key) != 0;
}

/* ---- its log --------------------------------------------------------------------------------- */

static void log_done(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	json_decref(w->answer);
	w->answer = answer->ok ? json_incref(answer->body) : NULL;
	wave_ready(w);
}

void crash_read_log(struct work *w, void (*next)(struct work *))
{
	const json_t *pod = pod_of(w), *container = crashed_container(pod);
	CLEANUP(cleanup_free) char *key = crash_key(pod, container);

	if (!wave_begin(w, next))
		return;
	json_object_set_new(w->kept, "crash", json_string(key));
	w->pending++;
	kube_submit_log(w->context->client, w->target, json_text_at(pod, "metadata.name"),
			json_text_at(container, "name"), LINES, log_done, w);
	wave_ready(w);
}

/* Whether the character at `at` would control a terminal: those of ASCII but for the line's end and
 * the tab, and U+0080 to U+009F. */
static size_t control_length(const char *at)
{
	unsigned char c = (unsigned char)at[0];

	if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
		return 1;
	return c == 0xc2 && (unsigned char)at[1] < 0xa0 ? 2 : 0;
}

static void remove_controls(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0';) {
		size_t length = control_length(at);
		if (length == 0)
			*to++ = *at++;
		at += length;
	}
	*to = '\0';
}

/* Whole lines, as far as there are any. */
static const char *end_of(const char *text)
{
	size_t length = strlen(text);
	const char *from = length > SHOWN_MAX ? text + length - SHOWN_MAX : text;
	const char *line = from > text ? strchr(from, '\n') : NULL;

	while (((unsigned char)*from & 0xc0) == 0x80) /* within a character */
		from++;
	return line != NULL && line[1] != '\0' ? line + 1 : from;
}

void crash_keep_log(struct work *w)
{
	CLEANUP(cleanup_free) char *context = mem_printf(CONTEXT_CRASH_LOG, w->row.id);
	const char *printed = json_string_value(w->answer);
	struct err ignored;

	if (printed == NULL || printed[0] == '\0')
		return;
	CLEANUP(cleanup_free) char *text = mem_strdup(printed);
	remove_controls(text);
	const char *shown = end_of(text);
	w->log_sealed = BUF_INIT(SEALED_MAX);
	(void)seal_own(w->context->desired->owner_private, context, shown, strlen(shown),
		       &w->log_sealed, &ignored);
}

void crash_to_result(const struct work *w, struct queue_result *result)
{
	result->log_sealed = w->log_sealed.length > 0 ? w->log_sealed.data : NULL;
	result->log_sealed_length = w->log_sealed.length;
}
