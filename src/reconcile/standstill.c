#include "reconcile/standstill.h"

#include <stdio.h>
#include <string.h>

#include "base/json_at.h"

/* The first that is not True; NULL: all are. */
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

/* "pod x-0: phase Pending; Ready is False (ContainersNotReady): containers with …" */
static void describe(const char *kind, const json_t *object, char ret_words[STANDSTILL_MAX])
{
	const json_t *condition = unmet_condition(object);
	const char *reason = json_text_at(condition, "reason");
	const char *message = json_text_at(condition, "message");
	int length = snprintf(ret_words, STANDSTILL_MAX, "%s %.80s: phase %.40s", kind,
			      json_text_at(object, "metadata.name"),
			      json_text_at(object, "status.phase"));

	if (condition == NULL || length < 0 || length >= STANDSTILL_MAX)
		return;
	(void)snprintf(ret_words + length, (size_t)(STANDSTILL_MAX - length),
		       "; %.40s is %.10s%s%.40s%s%s%.160s", json_text_at(condition, "type"),
		       json_text_at(condition, "status"), reason[0] != '\0' ? " (" : "", reason,
		       reason[0] != '\0' ? ")" : "", message[0] != '\0' ? ": " : "", message);
}

static void describe_absence(const struct queue_row *row, char ret_words[STANDSTILL_MAX])
{
	if (row->kind == RESOURCE_DATABASE)
		(void)snprintf(ret_words, STANDSTILL_MAX, "namespace %.80s has no cluster %.80s",
			       row->namespace, row->name);
	else
		(void)snprintf(ret_words, STANDSTILL_MAX, "statefulset %.80s has no pod",
			       row->name);
}

void standstill_describe(const struct queue_row *row, const struct observation *o,
			 char ret_words[STANDSTILL_MAX])
{
	bool database = row->kind == RESOURCE_DATABASE;

	if (o == NULL) {
		(void)snprintf(ret_words, STANDSTILL_MAX, "database %.80s is not ready",
			       row->database_name != NULL ? row->database_name : "");
		return;
	}
	const json_t *object = database ? observation_object(o, KUBE_CLUSTERS, row->id, row->name)
					: json_array_get(observation_of(o, KUBE_PODS, row->id), 0);
	if (object != NULL)
		describe(database ? "cluster" : "pod", object, ret_words);
	else
		describe_absence(row, ret_words);
}
