#include "api.h"

#include "store/project.h"

/* Stopping projects in which nothing happens, and keeping them from it. */
const struct field project_idle_fields[] = {
	{ .name = "minutes",
	  .type = FIELD_INTEGER,
	  .required = true,
	  .nullable = true,
	  .max = IDLE_MINUTES_MAX },
	FIELDS_END,
};

const struct field project_keep_fields[] = {
	{ .name = "hours", .type = FIELD_INTEGER, .required = true, .max = KEEP_HOURS_MAX },
	FIELDS_END,
};

int project_idle_put(struct call *c, struct err *e)
{
	int64_t minutes = field_integer(c->body, "minutes", IDLE_DEFAULT);

	if (project_set_idle(c->db, c->owner_id, c->params[0], minutes, e) < 0)
		return -1;
	return api_answer_project(c, e);
}

int project_keep_post(struct call *c, struct err *e)
{
	if (project_keep(c->db, c->owner_id, c->params[0],
			 (unsigned)field_integer(c->body, "hours", 0), e) < 0)
		return -1;
	return api_answer_project(c, e);
}
