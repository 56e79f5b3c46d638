#include "domain/types.h"

#include <string.h>

static const char *const resource_kinds[RESOURCE_KIND_COUNT] = {
	[RESOURCE_SANDBOX] = "SANDBOX",
	[RESOURCE_DATABASE] = "DATABASE",
};

static const char *const database_forms[FORM_COUNT] = {
	[FORM_UNDECIDED] = "UNDECIDED",
	[FORM_KUBEBLOCKS_0_8] = "KUBEBLOCKS_0_8",
	[FORM_KUBEBLOCKS_0_9] = "KUBEBLOCKS_0_9",
	[FORM_KUBEBLOCKS_1_0] = "KUBEBLOCKS_1_0",
	[FORM_PLAIN] = "PLAIN",
};

static const char *const desireds[DESIRED_COUNT] = {
	[DESIRED_RUNNING] = "RUNNING",
	[DESIRED_STOPPED] = "STOPPED",
	[DESIRED_GONE] = "GONE",
};

static const char *const observed_names[OBSERVED_COUNT] = {
	[OBSERVED_ABSENT] = "ABSENT",
	[OBSERVED_STOPPED] = "STOPPED",
	[OBSERVED_STALE] = "STALE",
	[OBSERVED_OUTDATED] = "OUTDATED",
	[OBSERVED_PROGRESSING] = "PROGRESSING",
	[OBSERVED_READY] = "READY",
	[OBSERVED_RESTARTED] = "RESTARTED",
	[OBSERVED_BROKEN] = "BROKEN",
	[OBSERVED_DELETING] = "DELETING",
	[OBSERVED_BLOCKED] = "BLOCKED",
	[OBSERVED_UNREACHABLE] = "UNREACHABLE",
	[OBSERVED_SUSPENDED] = "SUSPENDED",
	[OBSERVED_AT_RISK] = "AT_RISK",
};

static const char *const actions[ACTION_COUNT] = {
	[ACTION_NONE] = "NONE",
	[ACTION_APPLY] = "APPLY",
	[ACTION_SCALE_DOWN] = "SCALE_DOWN",
	[ACTION_DELETE] = "DELETE",
	[ACTION_DIAGNOSE] = "DIAGNOSE",
	[ACTION_FORGET] = "FORGET",
};

static const char *const statuses[STATUS_COUNT] = {
	[STATUS_CREATING] = "CREATING",
	[STATUS_STARTING] = "STARTING",
	[STATUS_RUNNING] = "RUNNING",
	[STATUS_UPDATING] = "UPDATING",
	[STATUS_STOPPING] = "STOPPING",
	[STATUS_STOPPED] = "STOPPED",
	[STATUS_TERMINATING] = "TERMINATING",
	[STATUS_TERMINATED] = "TERMINATED",
	[STATUS_ERROR] = "ERROR",
	[STATUS_PARTIAL] = "PARTIAL",
};

static const char *const stages[STAGE_COUNT] = {
	[STAGE_DATABASE] = "database", [STAGE_CONTAINER] = "container", [STAGE_NETWORK] = "network",
	[STAGE_TERMINAL] = "terminal", [STAGE_READY] = "ready",
};

/* Returns the index of `name` in `names`, -1 if it is missing. */
static int find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

const char *resource_kind_name(enum resource_kind kind)
{
	return resource_kinds[kind];
}

const char *database_form_name(enum database_form form)
{
	return database_forms[form];
}

const char *desired_name(enum desired desired)
{
	return desireds[desired];
}

const char *observed_name(enum observed observed)
{
	return observed_names[observed];
}

const char *action_name(enum action action)
{
	return actions[action];
}

const char *status_name(enum status status)
{
	return statuses[status];
}

const char *stage_name(enum stage stage)
{
	return stages[stage];
}

bool resource_kind_parse(const char *name, enum resource_kind *ret_kind)
{
	int found = find(resource_kinds, RESOURCE_KIND_COUNT, name);

	if (found >= 0)
		*ret_kind = (enum resource_kind)found;
	return found >= 0;
}

bool database_form_parse(const char *name, enum database_form *ret_form)
{
	int found = find(database_forms, FORM_COUNT, name);

	if (found >= 0)
		*ret_form = (enum database_form)found;
	return found >= 0;
}

bool desired_parse(const char *name, enum desired *ret_desired)
{
	int found = find(desireds, DESIRED_COUNT, name);

	if (found >= 0)
		*ret_desired = (enum desired)found;
	return found >= 0;
}

bool observed_parse(const char *name, enum observed *ret_observed)
{
	int found = find(observed_names, OBSERVED_COUNT, name);

	if (found >= 0)
		*ret_observed = (enum observed)found;
	return found >= 0;
}

bool status_parse(const char *name, enum status *ret_status)
{
	int found = find(statuses, STATUS_COUNT, name);

	if (found >= 0)
		*ret_status = (enum status)found;
	return found >= 0;
}

bool stage_parse(const char *name, enum stage *ret_stage)
{
	int found = find(stages, STAGE_COUNT, name);

	if (found >= 0)
		*ret_stage = (enum stage)found;
	return found >= 0;
}
