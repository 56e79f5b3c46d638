/* The console's administration, for users with that role: see ROUTE_ADMIN. */
#include "api.h"

#include "base/cleanup.h"
#include "domain/cause.h"
#include "store/admin.h"
#include "store/admin_site.h"
#include "store/maintenance.h"
#include "web/json.h"

enum { KEYWORD_MAX = 100, SHOWN_MAX = 200 };

const struct field admin_users_query[] = {
	{ .name = "keyword", .type = FIELD_STRING, .max = KEYWORD_MAX },
	FIELDS_END,
};

static void answer_page(struct call *c, const struct admin_page *page)
{
	response_json(
		c->response, 200,
		json_pack("{s:o, s:I}", "items", page->items, "total", (json_int_t)page->total));
}

int admin_users_get(struct call *c, struct err *e)
{
	struct admin_page page;

	if (admin_page_users(c->db, field_string(c->query, "keyword"), SHOWN_MAX, &page, e) < 0)
		return -1;
	answer_page(c, &page);
	return 0;
}

static json_t *text(const char *words)
{
	return words != NULL ? json_string(words) : json_null();
}

/* In place of the stored cause, its words, and what the site's operator can do about it. */
static void tell_cause(json_t *row)
{
	const char *kind = field_string(row, "causeKind");
	const char *code = field_string(row, "causeCode");
	const char *stored = field_string(row, "causeMessage");
	const struct cause_text *words = cause_text_of(kind, code);
	json_t *cause =
		kind == NULL ? json_null()
			     : json_pack("{s:s, s:s?, s:o, s:o, s:o}", "kind", kind, "code", code,
					 "headline", text(words ? words->headline : NULL), "action",
					 text(words ? cause_advice(words->kind, code) : NULL),
					 "message", text(cause_message(kind, stored)));

	json_object_set_new(row, "cause", cause);
	json_object_del(row, "causeKind");
	json_object_del(row, "causeCode");
	json_object_del(row, "causeMessage");
}

int admin_stuck_get(struct call *c, struct err *e)
{
	struct admin_page page;
	size_t i;
	json_t *row;

	if (admin_page_stuck(c->db, SHOWN_MAX, &page, e) < 0)
		return -1;
	json_array_foreach(page.items, i, row) tell_cause(row);
	answer_page(c, &page);
	return 0;
}

/* What the database knows of the site. What a host knows of itself is fsactl doctor's. */
int admin_state_get(struct call *c, struct err *e)
{
	CLEANUP(json_decrefp) json_t *counts = NULL;
	CLEANUP(json_decrefp) json_t *queue = NULL;
	CLEANUP(json_decrefp) json_t *hosts = NULL;
	CLEANUP(json_decrefp) json_t *maintenance = NULL;

	if (admin_counts(c->db, &counts, e) < 0 || admin_queue(c->db, &queue, e) < 0 ||
	    admin_hosts(c->db, &hosts, e) < 0 || maintenance_get(c->db, &maintenance, e) < 0)
		return -1;
	response_json(c->response, 200,
		      json_pack("{s:O, s:O, s:O, s:O}", "counts", counts, "queue", queue, "hosts",
				hosts, "maintenance", maintenance));
	return 0;
}
