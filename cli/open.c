/* open: opens the browser. The terminal's own address contains its token, which must not appear in
 * a program's arguments: people reach the terminal from the project's page. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "browser.h"
#include "command.h"
#include "command/output.h"
#include "project.h"

int command_open(const struct call *call, struct err *e)
{
	CLEANUP(site_close) struct site site = { 0 };
	CLEANUP(json_decrefp) json_t *project = NULL;

	if (call_site(call, &site, e) < 0 ||
	    project_find(&site, call->arguments[0], &project, e) < 0)
		return -1;
	const char *app = json_string_value(json_object_get(project_sandbox(project), "publicUrl"));
	if (call->options[OPTION_APP] != NULL && app == NULL)
		return err_set(e, ERR_NOT_FOUND, "NO_SANDBOX", "%s has no sandbox",
			       project_name(project));
	CLEANUP(cleanup_free)
	char *url = call->options[OPTION_APP] != NULL
			    ? mem_strdup(app)
			    : mem_printf("%s/projects/%s", site.url, project_id(project));
	CLEANUP(json_decrefp) json_t *shown = json_pack("{s:s}", "url", url);
	if (call->options[OPTION_PRINT] == NULL && browser_open(url, e) < 0)
		return -1;
	if (!call_json(call, shown) && call->options[OPTION_PRINT] != NULL) {
		CLEANUP(cleanup_free) char *safe = output_printable(url);
		(void)puts(safe);
	}
	return 0;
}
