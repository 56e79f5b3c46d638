#include "reconcile/standstill.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json_at.h"
#include "reconcile/kind.h"

/* Returns the first condition that is not True; NULL if all are. */
static const json_t *unmet_condition(const json_t *object)
{
	size_t i;
	json_t *condition;

	json_array_foreach(json_at(object, "status.conditions"), i, condition)
	{
		if (strcmp(json_text_at(condition, "status"), "True") != 0)
			return condition;
	}
	return NULL;
}

/* Writes "pod x-0: phase Pending; Ready is False (ContainersNotReady): containers with …". */
static void describe(const char *type, const json_t *object, char ret_words[STANDSTILL_MAX])
{
	const json_t *condition = unmet_condition(object);
	const char *reason = json_text_at(condition, "reason");
	const char *message = json_text_at(condition, "message");
	const char *phase = json_text_at(object, "status.phase");
	int length = snprintf(ret_words, STANDSTILL_MAX, "%c%s %.80s: %s%.40s",
			      tolower((unsigned char)type[0]), type + 1,
			      json_text_at(object, "metadata.name"),
			      phase[0] != '\0' ? "phase " : "no phase yet", phase);

	if (condition == NULL || length < 0 || length >= STANDSTILL_MAX)
		return;
	(void)snprintf(ret_words + length, (size_t)(STANDSTILL_MAX - length),
		       "; %.40s is %.10s%s%.40s%s%s%.160s", json_text_at(condition, "type"),
		       json_text_at(condition, "status"), reason[0] != '\0' ? " (" : "", reason,
		       reason[0] != '\0' ? ")" : "", message[0] != '\0' ? ": " : "", message);
}

void standstill_describe(const struct view *v, char ret_words[STANDSTILL_MAX])
{
	const json_t *object =
		v->observation != NULL
			? json_array_get(observation_of(v->observation, v->kind->shown, v->row->id),
					 0)
			: NULL;

	if (object != NULL)
		describe(kube_resource_kind(v->kind->shown), object, ret_words);
	else
		v->kind->describe_absence(v, ret_words);
}
