#include "api.h"

#include "base/cleanup.h"
#include "render.h"
#include "store/new_part.h"
#include "store/project.h"

static int answer(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	json_t *database;

	if (project_get(c->db, c->owner_id, c->params[0], &rows, e) < 0)
		return -1;
	if (rows.items[0].database == NULL)
		return err_set(e, ERR_NOT_FOUND, "DATABASE_NOT_FOUND",
			       "This project has no database");
	if (render_database(c, rows.items[0].database, RENDER_DETAILED, &database, e) < 0)
		return -1;
	response_json(c->response, 200, database);
	return 0;
}

int database_read(struct call *c, struct err *e)
{
	return answer(c, e);
}

int database_post(struct call *c, struct err *e)
{
	char id[STORE_ID_LENGTH + 1];

	new_id(id);
	if (api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0 ||
	    database_add(c->db, c->owner_id, c->params[0], id, e) < 0)
		return -1;
	return answer(c, e);
}

int database_delete(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	const char *user_id = c->owner_id;

	if (api_ask_risk(c, SANDBOX_ALL, RISK_ENDS_SANDBOX, e) < 0 ||
	    database_remove(c->db, user_id, c->params[0], e) < 0 ||
	    project_get(c->db, user_id, c->params[0], &rows, e) < 0)
		return -1;
	response_json(c->response, 200,
		      render_request("Database removal requested - its data goes with it",
				     &rows.items[0].project));
	return 0;
}
