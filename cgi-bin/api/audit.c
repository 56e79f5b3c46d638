#include "api.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "checks.h"
#include "store/audit.h"
#include "web/json.h"

/* What was done in the user's name, including refused attempts, newest first. A full page may be
 * followed by another. */
int audit_list_get(struct call *c, struct err *e)
{
	unsigned limit = (unsigned)field_integer(c->query, "limit", PAGE_DEFAULT);
	int64_t before = cursor_id(field_string(c->query, "cursor"));
	CLEANUP(json_decrefp) json_t *lines = NULL;
	char next[CURSOR_DIGITS_MAX + 1];

	if (audit_list(c->db, c->session->user_id, before, limit, &lines, e) < 0)
		return -1;
	bool full = json_array_size(lines) == limit;
	if (full)
		(void)snprintf(next, sizeof(next), "%" PRId64,
			       field_integer(json_array_get(lines, limit - 1), "id", 0));
	response_json(c->response, 200,
		      json_pack("{s:O, s:s?}", "items", lines, "nextCursor", full ? next : NULL));
	return 0;
}
