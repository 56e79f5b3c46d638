#include "api.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "checks.h"
#include "store/project.h"
#include "web/members.h"

#define EVENT(member) offsetof(struct event, member)
static const struct member event_members[] = {
	{ "id", EVENT(id), member_int64 },
	{ "at", EVENT(at), member_text },
	{ "kind", EVENT(kind), member_text },
	{ "resourceId", EVENT(resource_id), member_text },
	{ "status", EVENT(status), member_text },
	{ "stage", EVENT(stage), member_text },
	{ "code", EVENT(code), member_text },
	{ "message", EVENT(message), member_text },
	MEMBERS_END,
};

/* Newest first. A full page may be followed by another. */
int event_list_get(struct call *c, struct err *e)
{
	CLEANUP(event_rows_clear) struct event_rows rows = { .count = 0 };
	unsigned limit = (unsigned)field_integer(c->query, "limit", PAGE_DEFAULT);
	int64_t before = cursor_id(field_string(c->query, "cursor"));
	char next[CURSOR_DIGITS_MAX + 1];

	if (event_list(c->db, c->owner_id, c->params[0], before, limit, &rows, e) < 0)
		return -1;
	json_t *items = json_array();
	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(items, members_object(event_members, &rows.items[i]));
	bool full = rows.count == limit;
	if (full)
		(void)snprintf(next, sizeof(next), "%" PRId64, rows.items[rows.count - 1].id);
	response_json(c->response, 200,
		      json_pack("{s:o, s:s?}", "items", items, "nextCursor", full ? next : NULL));
	return 0;
}
