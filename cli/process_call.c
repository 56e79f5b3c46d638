#include "process_call.h"

#include "base/cleanup.h"
#include "base/mem.h"

int process_call(struct sandbox *sandbox, const char *id, const char *method, const char *what,
		 const json_t *body, json_t **ret_answer, struct err *e)
{
	CLEANUP(cleanup_free) char *escaped = site_escape(id);
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/processes/%s%s", escaped, what);

	if (site_call(&sandbox->server, method, path, body, ret_answer, e) == 0)
		return 0;
	if (e->kind != ERR_UNAUTHENTICATED || sandbox_renew(sandbox, e) < 0)
		return -1;
	return site_call(&sandbox->server, method, path, body, ret_answer, e);
}

int process_signal(struct sandbox *sandbox, const char *id, const char *name, struct err *e)
{
	CLEANUP(json_decrefp) json_t *body = json_pack("{s:s}", "signal", name);

	if (process_call(sandbox, id, "POST", "/signal", body, NULL, e) == 0 || !site_is_away(e))
		return 0;
	return err_wrap(e, "the process may go on without you");
}

/* sandboxd answers the last request once the process is dead, and what it left running in its
 * group. */
void process_end(struct sandbox *sandbox, const char *id, unsigned patience_s, struct err *e)
{
	CLEANUP(cleanup_free) char *wait = mem_printf("?wait=%u", patience_s);
	struct err failed = { 0 };

	sandbox_hurry(sandbox);
	(void)process_signal(sandbox, id, "TERM", &failed);
	(void)process_call(sandbox, id, "GET", wait, NULL, NULL, &failed);
	if (process_call(sandbox, id, "DELETE", "", NULL, NULL, &failed) < 0 &&
	    failed.kind != ERR_NOT_FOUND)
		(void)err_set(e, ERR_UNAVAILABLE, "NOT_ENDED",
			      "interrupted; the process may go on without you: %s", failed.message);
}
