#include "api.h"

#include "base/cleanup.h"
#include "render.h"
#include "store/project.h"

int database_read(struct call *c, struct err *e)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { .count = 0 };
	json_t *database;

	if (project_get(c->db, c->session->user_id, c->params[0], &rows, e) < 0)
		return -1;
	if (rows.items[0].database == NULL)
		return err_set(e, ERR_NOT_FOUND, "DATABASE_NOT_FOUND",
			       "This project has no database");
	if (render_database(c, rows.items[0].database, RENDER_DETAILED, &database, e) < 0)
		return -1;
	response_json(c->response, 200, database);
	return 0;
}
