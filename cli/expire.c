/* expire: sets when a project ends. */
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

enum { HOUR_MS = 3600000, HOURS_MAX = 8784 };

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
