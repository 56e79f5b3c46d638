/* Checks of what systemd runs: nginx, PostgreSQL and our own. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "ctl/doctor.h"
#include "ctl/units.h"

/* A unit that was restarted more recently than this may soon end again. */
enum { SETTLED_US = 10000000 };

static const char *const names[] = {
	"fsa-api.service",
	"fsa-auth.service",
	"fsa-events.service",
	"fsa-reconcile.timer",
	"fsa-reconcile.path",
	"fsa-reconcile.service",
	"fsa-migrate.service",
	"fsa-api.socket",
	"fsa-auth.socket",
	"fsa-doctor.timer",
	"nginx.service",
	"postgresql.service",
	NULL,
};

/* Whether the unit does its work and ends. */
static bool ends_by_itself(const char *name)
{
	return strcmp(name, "fsa-reconcile.service") == 0 ||
	       strcmp(name, "fsa-migrate.service") == 0;
}

static const char *property(const json_t *unit, const char *name)
{
	const char *value = json_string_value(json_object_get(unit, name));

	return value != NULL ? value : "";
}

static bool is(const json_t *unit, const char *name, const char *value)
{
	return strcmp(property(unit, name), value) == 0;
}

/* Whether it is not installed here, disabled by the administrator, or not meant for this host
 * (fsa-events without streams in nginx). */
static bool is_not_meant_to_run(const json_t *unit)
{
	return !is(unit, "LoadState", "loaded") || is(unit, "UnitFileState", "disabled") ||
	       (is(unit, "ActiveState", "inactive") && is(unit, "ConditionResult", "no"));
}

static bool has_just_restarted(const json_t *unit)
{
	struct timespec now;
	uint64_t since_us = 0;

	if (is(unit, "NRestarts", "") || is(unit, "NRestarts", "0") ||
	    !parse_u64(property(unit, "ActiveEnterTimestampMonotonic"), 0, UINT64_MAX, &since_us) ||
	    clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return false;
	return (uint64_t)now.tv_sec * 1000000 < since_us + SETTLED_US;
}

/* Returns what is wrong, in a few words; NULL if nothing is. */
static const char *find_trouble(const char *name, const json_t *unit)
{
	if (is(unit, "SubState", "auto-restart"))
		return "ends again and again";
	if (is(unit, "ActiveState", "failed") || !is(unit, "Result", "success"))
		return "has failed";
	if (ends_by_itself(name))
		return NULL;
	if (is(unit, "ActiveState", "inactive"))
		return "does not run";
	return has_just_restarted(unit) ? "ends again and again" : NULL;
}

static void judge_unit(struct doctor *d, const char *name, const json_t *unit)
{
	const char *trouble = find_trouble(name, unit);
	const char *status = property(unit, "StatusText");

	if (trouble == NULL) {
		doctor_say(d, HEALTH_OK, name, NULL, "%s",
			   ends_by_itself(name) ? "has done its work" : "runs");
		return;
	}
	CLEANUP(cleanup_free)
	char *advice = mem_printf("journalctl -u %s -n 20 says why; then systemctl restart %s",
				  name, name);
	doctor_say(d, HEALTH_FAILED, name, advice, "%s (%s, %s)%s%s", trouble,
		   property(unit, "ActiveState"), property(unit, "Result"),
		   status[0] != '\0' ? ": " : "", status);
}

void doctor_units(struct doctor *d)
{
	CLEANUP(json_decrefp)
	json_t *units = units_show(names, "LoadState,ActiveState,SubState,Result,StatusText,"
					  "NRestarts,ConditionResult,UnitFileState,"
					  "ActiveEnterTimestampMonotonic");

	/* If systemd does not run our programs, its other units are not checked. */
	if (!is(json_object_get(units, names[0]), "LoadState", "loaded"))
		return;
	for (size_t i = 0; names[i] != NULL; i++) {
		const json_t *unit = json_object_get(units, names[i]);
		if (unit != NULL && !is_not_meant_to_run(unit))
			judge_unit(d, names[i], unit);
	}
}
