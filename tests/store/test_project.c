/* Tests projects: creating, reading, changing, ownership. */
#include <stdio.h>
#include <string.h>

#include "store/environment.h"
#include "store/limit.h"
#include "support.h"

#define NOBODYS_ID "00000000-0000-4000-8000-000000000001"

static int create(const struct person *owner, const char *name, const char *seed, unsigned max,
		  struct err *e)
{
	struct err failed;

	struct parts parts;
	char id[STORE_ID_LENGTH + 1];

	make_parts(&parts, seed);
	const struct project_new new = { .user_id = owner->id,
					 .name = name,
					 .kube_name = "k",
					 .sandbox = &parts.sandbox,
					 .database_id = parts.id[1] };
	assert_ok(limit_set(admin, owner->id, LIMIT_PROJECTS, max, &failed), &failed);
	return project_create(api, &new, id, e);
}

START_TEST(a_project_is_created_with_all_that_belongs_to_it)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "My shop", true);
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	struct err e;

	assert_ok(project_get(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_uint_eq(rows.count, 1);
	const struct project_item *item = &rows.items[0];
	ck_assert_str_eq(item->project.name, "My shop");
	ck_assert_str_eq(item->project.user_id, owner.id);
	ck_assert_int_eq(item->project.status, STATUS_CREATING);
	ck_assert_ptr_null(item->project.description);
	ck_assert_uint_eq(strlen(item->project.created_at), strlen("2026-11-23T20:51:32.042Z"));

	const struct sandbox *s = item->sandboxes;
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(s->resource.id, made.sandbox);
	ck_assert_str_eq(s->resource.project_id, made.id);
	ck_assert_str_eq(s->resource.namespace, "ns-alice");
	ck_assert_str_eq(s->resource.server, "https://cluster.example:6443");
	ck_assert_int_eq(s->resource.desired, DESIRED_RUNNING);
	ck_assert_int_eq(s->resource.generation, 1);
	ck_assert_int_eq(s->resource.status, STATUS_CREATING);
	ck_assert_int_eq(s->resource.stage, STAGE_DATABASE);
	ck_assert_str_eq(s->resource.memory_limit, "256Mi");
	ck_assert_ptr_null(s->resource.cause_kind);
	ck_assert_ptr_null(s->resource.locked_until);
	ck_assert_str_eq(s->image, "image:1");
	ck_assert_uint_eq(s->terminal_token_sealed_length, 6);
	ck_assert_mem_eq(s->terminal_token_sealed, "\0token", 6);

	const struct database *d = item->database;
	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(d->resource.id, made.database);
	ck_assert_str_eq(d->resource.cpu_limit, "1000m");
	ck_assert_str_eq(d->storage_size, "3Gi");
	ck_assert_ptr_null(d->host);
	ck_assert_ptr_null(d->password_sealed);
}
END_TEST

START_TEST(a_project_may_do_without_a_database)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	CLEANUP(sandbox_view_clear) struct sandbox_view view = { 0 };
	struct err e;

	assert_ok(project_get(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_ptr_null(rows.items[0].database);
	assert_ok(sandbox_get(api, owner.id, made.id, SANDBOX_FIRST, &view, &e), &e);
	ck_assert(!view.has_database);
	ck_assert_str_eq(view.project.name, "shop");
	ck_assert_str_eq(view.sandbox.resource.id, made.sandbox);
}
END_TEST

START_TEST(a_refused_creation_leaves_nothing)
{
	struct person poor = make_person("poor");
	struct person owner = make_owner("alice");
	struct err e;

	assert_fails(create(&poor, "shop", "a", 5, &e), &e, ERR_UNPROCESSABLE,
		     "KUBECONFIG_MISSING");
	assert_ok(create(&owner, "shop", "a", 5, &e), &e);
	assert_fails(create(&owner, "SHOP", "b", 5, &e), &e, ERR_CONFLICT, "PROJECT_EXISTS");
	assert_fails(create(&owner, "other", "a", 5, &e), &e, ERR_CONFLICT, "NAME_COLLISION");
	assert_fails(create(&owner, "9bad", "c", 5, &e), &e, ERR_INVALID, "projects_name_check");
	assert_ok(create(&owner, "other", "d", 2, &e), &e);
	assert_fails(create(&owner, "third", "e", 2, &e), &e, ERR_RATE_LIMITED, "PROJECT_QUOTA");
	ck_assert_uint_gt(e.retry_after_s, 0);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM projects", NULL), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM resources", NULL), 4);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM sandboxes", NULL), 2);
	ck_assert_int_eq(admin_int("SELECT count(*) FROM databases", NULL), 2);
}
END_TEST

START_TEST(a_name_is_free_once_deletion_is_requested_and_counts_until_done)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", true);
	struct err e;

	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_GONE, &e), &e);
	assert_fails(create(&owner, "shop", "b", 1, &e), &e, ERR_RATE_LIMITED, "PROJECT_QUOTA");
	assert_ok(create(&owner, "shop", "b", 2, &e), &e);
}
END_TEST

START_TEST(a_project_is_changed)
{
	struct person owner = make_owner("alice");
	struct made_project made = make_project(&owner, "shop", false);
	struct made_project other = make_project(&owner, "other", false);
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	struct err e;

	assert_ok(project_change(api, owner.id, made.id,
				 &(struct project_change) { .description = "text" }, &e),
		  &e);
	assert_ok(project_change(api, owner.id, made.id,
				 &(struct project_change) { .name = "Shop" }, &e),
		  &e);
	assert_ok(project_get(api, owner.id, made.id, &rows, &e), &e);
	ck_assert_str_eq(rows.items[0].project.name, "Shop");
	ck_assert_str_eq(rows.items[0].project.description, "text");
	assert_fails(project_change(api, owner.id, other.id,
				    &(struct project_change) { .name = "sHOP" }, &e),
		     &e, ERR_CONFLICT, "PROJECT_EXISTS");
	assert_ok(project_set_desired(api, owner.id, made.id, DESIRED_GONE, &e), &e);
	assert_fails(project_change(api, owner.id, made.id,
				    &(struct project_change) { .name = "x" }, &e),
		     &e, ERR_NOT_FOUND, "PROJECT_NOT_FOUND");
}
END_TEST

/* ---- lists ----------------------------------------------------------------------------------- */

/* Returns the names in a list, "a b c". */
static const char *names(const struct person *owner, const struct project_filter *filter,
			 char *ret_cursor)
{
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	static char list[512];
	struct err e;

	assert_ok(project_list(api, owner->id, filter, &rows, &e), &e);
	list[0] = '\0';
	for (size_t i = 0; i < rows.count; i++) {
		size_t length = strlen(list);
		(void)snprintf(list + length, sizeof(list) - length, "%s%s", i ? " " : "",
			       rows.items[i].project.name);
		ck_assert_ptr_nonnull(rows.items[i].sandboxes);
	}
	if (ret_cursor != NULL)
		memcpy(ret_cursor, rows.next_cursor, sizeof(rows.next_cursor));
	return list;
}

START_TEST(a_list_is_filtered)
{
	struct person owner = make_owner("alice");
	struct person other = make_owner("bob");
	struct made_project shop = make_project(&owner, "Shop", true);
	struct made_project blog = make_project(&owner, "blog", false);
	struct err e;

	(void)make_project(&other, "hidden", false);
	admin_run("UPDATE projects SET created_at = '2026-01-01T12:00:00Z' WHERE id = $1", shop.id);
	admin_run("UPDATE projects SET created_at = '2026-02-01T12:00:00Z',"
		  " description = '100% Hop' WHERE id = $1",
		  blog.id);
#define LIST(...) names(&owner, &(struct project_filter) { __VA_ARGS__ }, NULL)
	ck_assert_str_eq(names(&owner, &(struct project_filter) { 0 }, NULL), "blog Shop");
	ck_assert_str_eq(LIST(.keyword = "hOp"), "blog Shop");
	ck_assert_str_eq(LIST(.keyword = "shop"), "Shop");
	ck_assert_str_eq(LIST(.keyword = "%"), "blog");
	ck_assert_str_eq(LIST(.keyword = "_"), "");
	ck_assert_str_eq(LIST(.created_from = "2026-02-01T12:00:00Z"), "blog");
	ck_assert_str_eq(LIST(.created_from = "2026-02-01T13:00:00+01:00"), "blog");
	ck_assert_str_eq(LIST(.created_to = "2026-01-01T12:00:00Z"), "Shop");
	assert_ok(project_set_desired(api, owner.id, shop.id, DESIRED_GONE, &e), &e);
	ck_assert_str_eq(LIST(.limit = 5), "blog Shop"); /* until it is gone */
	ck_assert_str_eq(names(&owner, &(struct project_filter) { 0 }, NULL), "Shop blog");
#undef LIST
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	const struct project_filter bad = { .created_from = "yesterday-ish" };
	assert_fails(project_list(api, owner.id, &bad, &rows, &e), &e, ERR_INVALID, "INVALID");
}
END_TEST

START_TEST(pages_show_each_project_once_even_when_made_at_the_same_time)
{
	struct person owner = make_owner("alice");
	char cursor[96] = "";
	char seen[1024] = "";
	int pages = 0;

	for (char name[] = "a"; name[0] <= 'g'; name[0]++)
		(void)make_project(&owner, name, name[0] % 2 == 0);
	admin_run("UPDATE projects SET created_at = '2026-01-01T00:00:00.123456Z'"
		  " WHERE name < 'e'",
		  NULL);
	do {
		const struct project_filter filter = { .limit = 2,
						       .cursor = cursor[0] ? cursor : NULL };
		char next[96];
		const char *page = names(&owner, &filter, next);
		(void)snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", page);
		memcpy(cursor, next, sizeof(cursor));
		pages++;
	} while (cursor[0] != '\0');
	ck_assert_int_eq(pages, 4);
	ck_assert_uint_eq(strlen(seen), 14);
	for (int c = 'a'; c <= 'g'; c++)
		ck_assert_ptr_nonnull(strchr(seen, c));
	ck_assert_int_eq(strncmp(seen, "g f e ", 6), 0);
}
END_TEST

START_TEST(a_cursor_that_is_not_ours_is_refused)
{
	static const char *const bad[] = { "",
					   "x",
					   "1",
					   "1.",
					   "." NOBODYS_ID,
					   "-1." NOBODYS_ID,
					   "1." NOBODYS_ID "x",
					   "99999999999999999999999." NOBODYS_ID,
					   "9223372036854775807." NOBODYS_ID };
	CLEANUP(project_rows_clear) struct project_rows rows = { 0 };
	struct person owner = make_owner("alice");
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct project_filter filter = { .cursor = bad[i], .limit = 1 };
		assert_fails(project_list(api, owner.id, &filter, &rows, &e), &e, ERR_INVALID,
			     "INVALID_CURSOR");
	}
}
END_TEST

/* ---- whose ----------------------------------------------------------------------------------- */

struct attempt {
	const char *user_id, *project_id, *variable_id;
};

#define ATTEMPT(function, call)                                                                    \
	static int function(const struct attempt *a, struct err *e)                                \
	{                                                                                          \
		return call;                                                                       \
	}

static struct project_rows project_rows;
static struct sandbox_view sandbox_view;
static struct event_rows event_rows;
static struct variable_rows variable_rows;
static struct parts parts;
static const struct variable_new variable = { .key = "K",
					      .value_sealed = "v",
					      .value_sealed_length = 1 };
static const struct variable_change change = { .value_sealed = "w", .value_sealed_length = 1 };

ATTEMPT(try_get, project_get(api, a->user_id, a->project_id, &project_rows, e))
ATTEMPT(try_change,
	project_change(api, a->user_id, a->project_id, &(struct project_change) { .name = "x" }, e))
ATTEMPT(try_run, project_set_desired(api, a->user_id, a->project_id, DESIRED_RUNNING, e))
ATTEMPT(try_stop, project_set_desired(api, a->user_id, a->project_id, DESIRED_STOPPED, e))
ATTEMPT(try_delete, project_set_desired(api, a->user_id, a->project_id, DESIRED_GONE, e))
ATTEMPT(try_restart, project_restart(api, a->user_id, a->project_id, e))
ATTEMPT(try_sandbox, sandbox_get(api, a->user_id, a->project_id, SANDBOX_FIRST, &sandbox_view, e))
ATTEMPT(try_start, sandbox_start(api, a->user_id, a->project_id, &parts.sandbox, e))
ATTEMPT(try_terminate,
	sandbox_set_desired(api, a->user_id, a->project_id, SANDBOX_FIRST, DESIRED_GONE, e))
ATTEMPT(try_events, event_list(api, a->user_id, a->project_id, 0, 10, &event_rows, e))
ATTEMPT(try_variables, variable_list(api, a->user_id, a->project_id, &variable_rows, e))
ATTEMPT(try_variable,
	variable_get(api, a->user_id, a->project_id, a->variable_id, &variable_rows, e))
ATTEMPT(try_put, variable_put(api, a->user_id, a->project_id, &variable, 1, e))
ATTEMPT(try_change_variable,
	variable_change(api, a->user_id, a->project_id, a->variable_id, &change, e))
ATTEMPT(try_delete_variable, variable_delete(api, a->user_id, a->project_id, a->variable_id, e))

static int (*const attempts[])(const struct attempt *a, struct err *e) = {
	try_get,     try_change,          try_run,
	try_stop,    try_delete,          try_restart,
	try_sandbox, try_start,           try_terminate,
	try_events,  try_variables,       try_variable,
	try_put,     try_change_variable, try_delete_variable,
};

/* Returns a digest of all tables, for comparison. */
static const char *fingerprint(void)
{
	return admin_text("SELECT md5(string_agg(t, ',' ORDER BY t)) FROM ("
			  " SELECT p::text AS t FROM projects p"
			  " UNION ALL SELECT r::text FROM resources r"
			  " UNION ALL SELECT s::text FROM sandboxes s"
			  " UNION ALL SELECT e::text FROM environment e"
			  " UNION ALL SELECT e::text FROM events e) AS everything",
			  NULL);
}

START_TEST(a_stranger_finds_nothing_and_changes_nothing)
{
	struct person owner = make_owner("alice");
	struct person stranger = make_owner("eve");
	struct made_project made = make_project(&owner, "shop", true);
	struct made_project theirs = make_project(&stranger, "shop", true);
	char variable_id[STORE_ID_LENGTH + 1];
	char before[64];
	struct err e;

	make_parts(&parts, "parts");
	assert_ok(variable_put(api, owner.id, made.id, &variable, 1, &e), &e);
	(void)snprintf(variable_id, sizeof(variable_id), "%s",
		       admin_text("SELECT id FROM environment", NULL));
	(void)snprintf(before, sizeof(before), "%s", fingerprint());
	const struct attempt bad[] = { { stranger.id, made.id, variable_id },
				       { owner.id, NOBODYS_ID, variable_id } };
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(bad); j++)
			assert_fails(attempts[i](&bad[j], &e), &e, ERR_NOT_FOUND,
				     "PROJECT_NOT_FOUND");
	}
	/* The variable belongs to another user's project. */
	const struct attempt mixed = { stranger.id, theirs.id, variable_id };
	assert_fails(try_variable(&mixed, &e), &e, ERR_NOT_FOUND, "VARIABLE_NOT_FOUND");
	assert_fails(try_change_variable(&mixed, &e), &e, ERR_NOT_FOUND, "VARIABLE_NOT_FOUND");
	assert_fails(try_delete_variable(&mixed, &e), &e, ERR_NOT_FOUND, "VARIABLE_NOT_FOUND");
	ck_assert_str_eq(fingerprint(), before);
}
END_TEST

Suite *project_suite(void)
{
	Suite *suite = suite_create("projects");
	TCase *c = live_case("projects");

	tcase_add_test(c, a_project_is_created_with_all_that_belongs_to_it);
	tcase_add_test(c, a_project_may_do_without_a_database);
	tcase_add_test(c, a_refused_creation_leaves_nothing);
	tcase_add_test(c, a_name_is_free_once_deletion_is_requested_and_counts_until_done);
	tcase_add_test(c, a_project_is_changed);
	tcase_add_test(c, a_list_is_filtered);
	tcase_add_test(c, pages_show_each_project_once_even_when_made_at_the_same_time);
	tcase_add_test(c, a_cursor_that_is_not_ours_is_refused);
	tcase_add_test(c, a_stranger_finds_nothing_and_changes_nothing);
	suite_add_tcase(suite, c);
	return suite;
}
