/* expire, idle, keep and wake: when a project ends, stops or starts by itself. */
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, HOURS_MAX = 8784 };

int project_parse_hours(const char *text, unsigned *ret_hours, struct err *e)
{
	uint64_t ms;

	if (!parse_duration_ms(text, &ms) || ms < HOUR_MS || ms % HOUR_MS != 0 ||
	    ms / HOUR_MS > HOURS_MAX)
		return err_set(
			e, ERR_INVALID, "USAGE",
			"\"%s\" is not a time of whole hours from 1h to 366d, such as 12h or "
			"3d",
			text);
	*ret_hours = (unsigned)(ms / HOUR_MS);
	return 0;
}

static const struct output_column fields[] = {
	{ "name", "project" },
	{ "expiresAt", "ends" },
};

int command_expire(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *changed = NULL;
	const char *time = call->arguments[1];
	unsigned hours = 0;

	if (strcmp(time, "never") != 0 && project_parse_hours(time, &hours, e) < 0)
		return -1;
	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    project_expire(&site, project_id(project), hours, &changed, e) < 0)
		return -1;
	if (call_json(call, changed))
		return 0;
	output_fields(fields, ARRAY_SIZE(fields), changed);
	if (hours == 0)
		output_line("ends", "never");
	return 0;
}

static const struct output_column idle_fields[] = {
	{ "name", "project" },
	{ "idleMinutes", "idle minutes" },
	{ "keepUntil", "kept until" },
};

/* Negative: the site's default. */
static int parse_minutes(const char *text, int *ret_minutes, struct err *e)
{
	uint64_t ms = 0;

	*ret_minutes = strcmp(text, "default") == 0 ? -1 : 0;
	if (*ret_minutes < 0 || strcmp(text, "never") == 0)
		return 0;
	if (!parse_duration_ms(text, &ms) || ms < MINUTE_MS || ms % MINUTE_MS != 0 ||
	    ms / HOUR_MS > HOURS_MAX)
		return err_set(e, ERR_INVALID, "USAGE",
			       "\"%s\" is neither a time of whole minutes, such as 30m or 8h, nor "
			       "never or default",
			       text);
	*ret_minutes = (int)(ms / MINUTE_MS);
	return 0;
}

int command_idle(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *changed = NULL;
	int minutes;

	if (parse_minutes(call->arguments[1], &minutes, e) < 0 || call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    project_set_idle(&site, project_id(project), minutes, &changed, e) < 0)
		return -1;
	if (!call_json(call, changed))
		output_fields(idle_fields, ARRAY_SIZE(idle_fields), changed);
	return 0;
}

int command_keep(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *changed = NULL;
	unsigned hours = 0;

	if (project_parse_hours(call->arguments[1], &hours, e) < 0 ||
	    call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    project_keep(&site, project_id(project), hours, &changed, e) < 0)
		return -1;
	if (!call_json(call, changed))
		output_fields(idle_fields, ARRAY_SIZE(idle_fields), changed);
	return 0;
}

static const struct output_column wake_fields[] = {
	{ "name", "project" },
	{ "wake", "started by a visit of" },
};

int command_wake(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL, *changed = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0 ||
	    project_set_wake(&site, project_id(project), call->arguments[1], &changed, e) < 0)
		return -1;
	if (!call_json(call, changed))
		output_fields(wake_fields, ARRAY_SIZE(wake_fields), changed);
	return 0;
}
