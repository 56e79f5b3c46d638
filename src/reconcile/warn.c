#include "reconcile/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "reconcile/kind.h"
#include "reconcile/volume.h"

/* ---- the array ------------------------------------------------------------------------------- */

json_t *warn_begin(const struct queue_row *row)
{
	json_t *warnings = row->warnings != NULL ? json_loads(row->warnings, 0, NULL) : NULL;

	return warnings != NULL ? warnings : json_array();
}

static size_t find(const json_t *warnings, const char *code)
{
	size_t i;
	json_t *warning;

	json_array_foreach(warnings, i, warning)
	{
		if (strcmp(json_text_at(warning, "code"), code) == 0)
			break;
	}
	return i;
}

void warn_set(json_t *warnings, enum warning warning, const char *format, ...)
{
	const char *code = warning_text(warning)->code;
	char message[WARN_MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	parse_make_utf8(message);
	size_t place = find(warnings, code);
	if (place == json_array_size(warnings))
		json_array_append_new(warnings, json_pack("{s:s}", "code", code));
	json_object_set_new(json_array_get(warnings, place), "message", json_string(message));
}

void warn_clear(json_t *warnings, enum warning warning)
{
	(void)json_array_remove(warnings, find(warnings, warning_text(warning)->code));
}

/* ---- warnings from the observation ----------------------------------------------------------- */

/* A container that ended and runs again; one that stays down is a cause, not a warning. */
bool warn_restarted(const struct view *v, const struct assessment *a,
		    char ret_message[WARN_MESSAGE_MAX])
{
	const json_t *pod =
		json_array_get(observation_of(v->observation, KUBE_PODS, v->row->id), 0);
	const json_t *status = json_at(pod, "status.containerStatuses.0");
	const json_t *last = json_at(status, "lastState.terminated");

	(void)a;
	if (last == NULL || json_at(status, "state.running") == NULL)
		return false;
	(void)snprintf(ret_message, WARN_MESSAGE_MAX,
		       "It ended with exit code %lld (%.60s) at %.40s; restarts so far: %lld",
		       (long long)json_number_at(last, "exitCode"), json_text_at(last, "reason"),
		       json_text_at(last, "finishedAt"),
		       (long long)json_number_at(status, "restartCount"));
	return true;
}

bool warn_volume_going(const struct view *v, const struct assessment *a,
		       char ret_message[WARN_MESSAGE_MAX])
{
	const json_t *claim = volume_going(v);

	(void)a;
	if (claim == NULL)
		return false;
	(void)snprintf(ret_message, WARN_MESSAGE_MAX,
		       "persistentvolumeclaim %.128s is being deleted since %.40s",
		       json_text_at(claim, "metadata.name"),
		       json_text_at(claim, "metadata.deletionTimestamp"));
	return true;
}

bool warn_volume_gone(const struct view *v, const struct assessment *a,
		      char ret_message[WARN_MESSAGE_MAX])
{
	if (!a->volume_gone || v->row->forced)
		return false;
	(void)snprintf(ret_message, WARN_MESSAGE_MAX,
		       "persistentvolumeclaim %.128s was there and is there no more",
		       volume_known(v));
	return true;
}

bool warn_volume_replaced(const struct view *v, const struct assessment *a,
			  char ret_message[WARN_MESSAGE_MAX])
{
	(void)a;
	if (!volume_is_replaced(v))
		return false;
	(void)snprintf(ret_message, WARN_MESSAGE_MAX,
		       "persistentvolumeclaim %.128s is another one than before (uid %.64s)",
		       volume_known(v), json_text_at(v->kept, "volume.uid"));
	return true;
}

void warn_of_observation(json_t *warnings, const struct view *v, const struct assessment *a)
{
	for (size_t i = 0; i < v->kind->judge_count; i++) {
		const struct judge *judge = &v->kind->judges[i];
		char message[WARN_MESSAGE_MAX];
		if (observation_check(v->observation, judge->needs, NULL) < 0)
			continue;
		if (judge->holds(v, a, message))
			warn_set(warnings, judge->warning, "%s", message);
		else
			warn_clear(warnings, judge->warning);
	}
}
