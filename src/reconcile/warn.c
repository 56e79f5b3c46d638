#include "reconcile/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_at.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "reconcile/volume.h"

enum { MESSAGE_MAX = 512 };

/* ---- the array --------------------------------------------------------------------------------
 */

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
	char message[MESSAGE_MAX];
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

/* ---- judged by what was observed --------------------------------------------------------------
 */

/* A container that ended and runs again; one that does not is no warning but a cause. */
static bool has_restarted(const struct sight *s, char message[MESSAGE_MAX])
{
	const json_t *pod =
		json_array_get(observation_of(s->observation, KUBE_PODS, s->row->id), 0);
	const json_t *status = json_at(pod, "status.containerStatuses.0");
	const json_t *last = json_at(status, "lastState.terminated");

	if (last == NULL || json_at(status, "state.running") == NULL)
		return false;
	(void)snprintf(message, MESSAGE_MAX,
		       "It ended with exit code %lld (%.60s) at %.40s; restarts so far: %lld",
		       (long long)json_number_at(last, "exitCode"), json_text_at(last, "reason"),
		       json_text_at(last, "finishedAt"),
		       (long long)json_number_at(status, "restartCount"));
	return true;
}

static bool has_going_volume(const struct sight *s, char message[MESSAGE_MAX])
{
	const json_t *claim = volume_going(s->row, s->observation);

	if (claim == NULL)
		return false;
	(void)snprintf(message, MESSAGE_MAX,
		       "persistentvolumeclaim %.128s is being deleted since %.40s",
		       json_text_at(claim, "metadata.name"),
		       json_text_at(claim, "metadata.deletionTimestamp"));
	return true;
}

static bool has_lost_volume(const struct sight *s, char message[MESSAGE_MAX])
{
	if (!s->assessment->volume_gone || s->row->forced)
		return false;
	(void)snprintf(message, MESSAGE_MAX,
		       "persistentvolumeclaim %.128s was there and is there no more",
		       volume_known(s->observed));
	return true;
}

static bool has_another_volume(const struct sight *s, char message[MESSAGE_MAX])
{
	if (!volume_is_replaced(s->observed, s->row))
		return false;
	(void)snprintf(message, MESSAGE_MAX,
		       "persistentvolumeclaim %.128s is another one than before (uid %.64s)",
		       volume_known(s->observed), json_text_at(s->observed, "volume.uid"));
	return true;
}

/* A row a warning: of what kind of resource, what must have been listed to judge it. */
static const struct judge {
	enum warning warning;
	enum resource_kind kind;
	unsigned needs;
	bool (*holds)(const struct sight *s, char message[MESSAGE_MAX]);
} judges[] = {
	{ WARNING_HOME_VOLUME_GOING, RESOURCE_SANDBOX, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  has_going_volume },
	{ WARNING_HOME_VOLUME_GONE, RESOURCE_SANDBOX, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  has_lost_volume },
	{ WARNING_HOME_VOLUME_REPLACED, RESOURCE_SANDBOX, OBSERVE(KUBE_PERSISTENT_VOLUME_CLAIMS),
	  has_another_volume },
	{ WARNING_DATABASE_VOLUME_GOING, RESOURCE_DATABASE, OBSERVE_DATABASE_CLAIMS,
	  has_going_volume },
	{ WARNING_DATABASE_VOLUME_GONE, RESOURCE_DATABASE, OBSERVE_DATABASE_CLAIMS,
	  has_lost_volume },
	{ WARNING_DATABASE_VOLUME_REPLACED, RESOURCE_DATABASE, OBSERVE_DATABASE_CLAIMS,
	  has_another_volume },
	{ WARNING_RESTARTED, RESOURCE_SANDBOX, OBSERVE(KUBE_PODS), has_restarted },
};

static bool can_judge(const struct judge *judge, const struct sight *s)
{
	return judge->kind == s->row->kind &&
	       observation_check(s->observation, judge->needs, NULL) == 0;
}

void warn_of_observation(json_t *warnings, const struct sight *s)
{
	char message[MESSAGE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(judges); i++) {
		if (!can_judge(&judges[i], s))
			continue;
		if (judges[i].holds(s, message))
			warn_set(warnings, judges[i].warning, "%s", message);
		else
			warn_clear(warnings, judges[i].warning);
	}
}
