/* Visits to addresses of stopped sandboxes, which the cluster's ingress passes on to this site. A
 * browser is sent to a page of the site, which starts the sandbox, shows how far it is, and leads
 * back; it has the session, which is not sent to the sandbox's own address. Everybody else is asked
 * to try again. */
#include "api.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "checks.h"
#include "render.h"
#include "store/audit.h"
#include "store/project.h"
#include "store/visit.h"
#include "web/page.h"
#include "web/query.h"
#include "web/router.h"

enum { AGAIN_SOON_S = 5, AGAIN_LATER_S = 60 };

const struct field wake_fields[] = {
	{ .name = "host", .type = FIELD_STRING, .required = true, .min = 1, .max = VISIT_HOST_MAX },
	FIELDS_END,
};

/* ---- the page of the site -------------------------------------------------------------------- */

static int find(const struct call *c, const json_t *fields, struct visit *ret_visit, struct err *e)
{
	const char *visitor = c->session != NULL ? c->session->user_id : NULL;

	return visit_find(c->db, field_string(fields, "host"), visitor, ret_visit, e);
}

/* Where the visitor goes when it runs. A terminal needs a token, which the project's page has. */
static char *destination(const struct call *c, const struct visit *v, const char *host)
{
	if (!v->of_terminal)
		return render_public_url(c, host);
	return v->by_member ? mem_printf("%s/projects/%s/terminal", c->router->public_origin,
					 v->project_id)
			    : mem_strdup(c->router->public_origin);
}

static int answer(struct call *c, const json_t *fields, const struct visit *v, struct err *e)
{
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { .result = NULL };
	CLEANUP(cleanup_free) char *url = destination(c, v, field_string(fields, "host"));

	if (sandbox_get(c->db, v->owner_id, v->project_id, v->sandbox_id, &view, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:s, s:s, s:s, s:o, s:s?}", "status",
				status_name(view.sandbox.resource.status), "desired",
				desired_name(view.sandbox.resource.desired), "url", url, "progress",
				render_progress(&view), "projectId",
				v->by_member ? v->project_id : NULL));
	return 0;
}

/* Owner and members learn why it was not started; of a fault of the site everybody does. */
static int hide(const struct visit *v, struct err *e)
{
	if (v->by_member || err_kind_http_status(e->kind) >= 500)
		return -1;
	return err_set(e, ERR_CONFLICT, "NOT_STARTED",
		       "It cannot be started now: its owner can see why");
}

/* Under the name of a member; of anybody else only that somebody has come. */
static int note_start(struct call *c, const struct visit *v, struct err *e)
{
	const struct audit_entry anybody = {
		.owner_id = v->owner_id,
		.action = "sandbox.wake",
		.object_type = "sandbox",
		.object_id = v->sandbox_id,
		.request_id = request_id(c->request),
	};

	if (!v->by_member)
		return audit_add(c->db, &anybody, e);
	memcpy(c->owner_id, v->owner_id, sizeof(c->owner_id));
	(void)snprintf(c->object_id, sizeof(c->object_id), "%s", v->sandbox_id);
	return call_audit(c, "sandbox.wake", c->session->user_id, c->session->identity_id, e);
}

/* With its line of the audit, in one transaction. */
static int start_and_note(struct call *c, const struct visit *v, bool *ret_started, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(c->db, &tx, e) < 0)
		return -1;
	if (visit_start(tx, v, ret_started, e) < 0)
		return hide(v, e);
	if (*ret_started && note_start(c, v, e) < 0)
		return -1;
	return db_commit(&tx, e);
}

static int start(struct call *c, const struct visit *v, struct err *e)
{
	bool started = false;

	c->quiet = true;
	if (v->desired != DESIRED_STOPPED)
		return 0;
	if (start_and_note(c, v, &started, e) < 0)
		return -1;
	c->quiet = !started;
	return 0;
}

int wake_read(struct call *c, struct err *e)
{
	struct visit v;

	return find(c, c->query, &v, e) < 0 ? -1 : answer(c, c->query, &v, e);
}

int wake_post(struct call *c, struct err *e)
{
	struct visit v;

	if (find(c, c->body, &v, e) < 0 || start(c, &v, e) < 0)
		return -1;
	return answer(c, c->body, &v, e);
}

/* ---- requests to the addresses --------------------------------------------------------------- */

/* What nginx says of the request; clients cannot set it. */
static const char *said(const struct call *c, const char *name)
{
	const char *value = request_variable(c->request, name);

	return value != NULL ? value : "";
}

/* A page that a browser opens. Where a browser does not say so, programs do not ask for HTML. */
static bool opens_page(const struct call *c)
{
	const char *mode = said(c, "FSA_VISIT_MODE");

	if (strcmp(said(c, "FSA_VISIT_METHOD"), "GET") != 0)
		return false;
	return mode[0] != '\0' ? strcmp(mode, "navigate") == 0
			       : strstr(said(c, "FSA_VISIT_ACCEPT"), "text/html") != NULL;
}

/* What an open page requests by itself. It starts nothing, or no sandbox would stay stopped. */
static bool is_of_page(const struct call *c)
{
	const char *mode = said(c, "FSA_VISIT_MODE");

	return mode[0] != '\0' && strcmp(mode, "navigate") != 0;
}

static int send_to_page(struct call *c, const char *host)
{
	CLEANUP(cleanup_free) char *url = render_public_url(c, host);
	CLEANUP(cleanup_free) char *whole = mem_printf("%s%s", url, said(c, "FSA_VISIT_URI"));
	CLEANUP(cleanup_free) char *escaped = query_escape(whole);
	CLEANUP(cleanup_free)
	char *page = mem_printf("%s/wake?to=%s", c->router->public_origin, escaped);

	response_redirect(c->response, page);
	return 0;
}

static int say_later(struct call *c, int seconds, const char *text)
{
	char after[12];

	(void)snprintf(after, sizeof(after), "%d", seconds);
	response_header(c->response, "Retry-After", after);
	response_document(c->response, 503, "text/plain; charset=utf-8", text);
	return 0;
}

/* The same words whether there is no such address or the client may not start it. */
static int say_nothing_runs(struct call *c)
{
	return say_later(c, AGAIN_LATER_S, "Nothing runs at this address.\n");
}

int wake_visit(struct call *c, struct err *e)
{
	const char *host = said(c, "FSA_VISIT_HOST");
	struct visit v;
	bool running = false;

	c->quiet = true;
	/* Of an error, which may be the application's own: the page would only lead back to it. */
	if (said(c, "FSA_VISIT_ERROR")[0] != '\0' && visit_is_running(c->db, host, &running, e) < 0)
		return -1;
	if (running)
		return say_later(c, AGAIN_SOON_S, "The application does not answer: try again.\n");
	if (opens_page(c))
		return send_to_page(c, host);
	if (is_of_page(c))
		return say_nothing_runs(c);
	if (visit_find(c->db, host, NULL, &v, e) < 0 || start(c, &v, e) < 0)
		return e->kind == ERR_NOT_FOUND || e->kind == ERR_CONFLICT ? say_nothing_runs(c)
									   : -1;
	return say_later(c, AGAIN_SOON_S, "It is starting: try again in a moment.\n");
}
