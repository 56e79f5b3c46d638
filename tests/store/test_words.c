/* Tests the words and rules that exist in both C and the schema. */
#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "domain/project.h"
#include "domain/role.h"
#include "domain/types.h"
#include "store/limit.h"
#include "support.h"

/* Returns the members of a PostgreSQL enum, as "A B C". */
static const char *members(const char *type)
{
	return admin_text("SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder)"
			  " FROM pg_enum WHERE enumtypid = $1::regtype",
			  type);
}

static void add_word(char *list, size_t size, const char *word)
{
	size_t length = strlen(list);

	(void)snprintf(list + length, size - length, "%s%s", length ? " " : "", word);
}

#define ASSERT_SAME_WORDS(type, count, name)                                                       \
	do {                                                                                       \
		char list[512] = "";                                                               \
		for (unsigned i = 0; i < (unsigned)(count); i++)                                   \
			add_word(list, sizeof(list), name(i));                                     \
		ck_assert_str_eq(members(type), list);                                             \
	} while (0)

START_TEST(the_enums_are_those_of_the_schema)
{
	ASSERT_SAME_WORDS("resource_kind", RESOURCE_KIND_COUNT, resource_kind_name);
	ASSERT_SAME_WORDS("database_form", FORM_COUNT, database_form_name);
	ASSERT_SAME_WORDS("project_role", PROJECT_ROLE_COUNT, project_role_name);
	ASSERT_SAME_WORDS("desired", DESIRED_COUNT, desired_name);
	ASSERT_SAME_WORDS("status", STATUS_COUNT, status_name);
	ASSERT_SAME_WORDS("stage", STAGE_COUNT, stage_name);
}
END_TEST

START_TEST(the_categories_are_those_of_the_schema)
{
	const char *check = admin_text("SELECT pg_get_constraintdef(oid) FROM pg_constraint"
				       " WHERE conname = $1",
				       "environment_category_check");
	size_t quotes = 0;

	for (const char *c = check; *c != '\0'; c++)
		quotes += *c == '\'';
	ck_assert_uint_eq(quotes, 2 * environment_category_count);
	for (size_t i = 0; i < environment_category_count; i++) {
		char quoted[64];
		(void)snprintf(quoted, sizeof(quoted), "'%s'", environment_categories[i]);
		ck_assert_msg(strstr(check, quoted) != NULL, "%s", quoted);
	}
}
END_TEST

static size_t count_of(const enum status *statuses, size_t count, enum status wanted)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += statuses[i] == wanted;
	return found;
}

/* Applies the rules of the design one after the other, by counting. */
static enum status aggregate_by_counting(const enum status *s, size_t n)
{
	if (n == 0)
		return STATUS_TERMINATED;
	if (count_of(s, n, STATUS_ERROR) > 0)
		return STATUS_ERROR;
	if (count_of(s, n, STATUS_CREATING) > 0)
		return STATUS_CREATING;
	if (count_of(s, n, STATUS_UPDATING) > 0)
		return STATUS_UPDATING;
	if (count_of(s, n, s[0]) == n)
		return s[0];
	if (count_of(s, n, STATUS_RUNNING) + count_of(s, n, STATUS_STARTING) == n)
		return STATUS_STARTING;
	if (count_of(s, n, STATUS_STOPPED) + count_of(s, n, STATUS_STOPPING) == n)
		return STATUS_STOPPING;
	if (count_of(s, n, STATUS_TERMINATED) + count_of(s, n, STATUS_TERMINATING) == n)
		return STATUS_TERMINATING;
	return STATUS_PARTIAL;
}

/* Tests all sets of statuses that resources can have, in both orders. */
START_TEST(the_aggregation_is_that_of_the_schema)
{
	for (unsigned set = 0; set < 1U << STATUS_PARTIAL; set++) {
		enum status statuses[STATUS_COUNT];
		char forward[256] = "", backward[256] = "";
		size_t count = 0;
		for (int s = 0; s < STATUS_PARTIAL; s++) {
			if (set & 1U << s)
				statuses[count++] = (enum status)s;
		}
		for (size_t i = 0; i < count; i++) {
			add_word(forward, sizeof(forward), status_name(statuses[i]));
			add_word(backward, sizeof(backward), status_name(statuses[count - 1 - i]));
		}
		const char *sql = "SELECT aggregate_status("
				  "string_to_array(nullif($1, ''), ' ')::status[])";
		const char *expected = status_name(aggregate_by_counting(statuses, count));
		ck_assert_msg(strcmp(admin_text(sql, forward), expected) == 0, "%s", forward);
		ck_assert_msg(strcmp(admin_text(sql, backward), expected) == 0, "%s", backward);
	}
}
END_TEST

START_TEST(what_is_told_at_once)
{
	static const enum status expected[DESIRED_COUNT][STATUS_PARTIAL] = {
		[DESIRED_RUNNING] = { [STATUS_CREATING] = STATUS_CREATING,
				      [STATUS_STARTING] = STATUS_STARTING,
				      [STATUS_RUNNING] = STATUS_STARTING,
				      [STATUS_UPDATING] = STATUS_UPDATING,
				      [STATUS_STOPPING] = STATUS_STARTING,
				      [STATUS_STOPPED] = STATUS_STARTING,
				      [STATUS_TERMINATING] = STATUS_CREATING,
				      [STATUS_TERMINATED] = STATUS_CREATING,
				      [STATUS_ERROR] = STATUS_STARTING },
		[DESIRED_STOPPED] = { [STATUS_CREATING] = STATUS_STOPPING,
				      [STATUS_STARTING] = STATUS_STOPPING,
				      [STATUS_RUNNING] = STATUS_STOPPING,
				      [STATUS_UPDATING] = STATUS_STOPPING,
				      [STATUS_STOPPING] = STATUS_STOPPING,
				      [STATUS_STOPPED] = STATUS_STOPPED,
				      [STATUS_TERMINATING] = STATUS_STOPPING,
				      [STATUS_TERMINATED] = STATUS_STOPPING,
				      [STATUS_ERROR] = STATUS_STOPPING },
	};

	for (int d = 0; d < DESIRED_COUNT; d++) {
		for (int s = 0; s < STATUS_PARTIAL; s++) {
			char pair[64];
			(void)snprintf(pair, sizeof(pair), "%s %s", desired_name((enum desired)d),
				       status_name((enum status)s));
			const char *wanted =
				d == DESIRED_GONE ? "TERMINATING" : status_name(expected[d][s]);
			ck_assert_msg(strcmp(admin_text("SELECT told_status("
							" split_part($1, ' ', 1)::desired,"
							" split_part($1, ' ', 2)::status)",
							pair),
					     wanted) == 0,
				      "%s", pair);
		}
	}
}
END_TEST

START_TEST(the_limits_are_those_that_triggers_enforce)
{
	for (int kind = 0; kind < LIMIT_RUNNING; kind++) {
		const struct limit_spec *spec = limit_spec((enum limit_kind)kind);
		char arguments[128];
		(void)snprintf(arguments, sizeof(arguments), "%s\\000%s\\000", spec->name,
			       conf_spec(spec->option)->name);
		ck_assert_int_eq(admin_int("SELECT count(*) FROM pg_trigger"
					   " WHERE encode(tgargs, 'escape') = $1",
					   arguments),
				 1);
		ck_assert_int_eq(admin_int("SELECT limit_used(gen_random_uuid(), $1)", spec->name),
				 0);
	}
	ck_assert_int_eq(admin_int("SELECT count(*) FROM pg_trigger"
				   " WHERE tgname = 'limited'",
				   NULL),
			 LIMIT_RUNNING);
}
END_TEST

/* Those that are checked over all that a user has. */
START_TEST(the_quotas_are_those_that_the_schema_checks)
{
	for (int kind = LIMIT_RUNNING; kind < LIMIT_KIND_COUNT; kind++) {
		const struct limit_spec *spec = limit_spec((enum limit_kind)kind);
		char option[64];
		(void)snprintf(option, sizeof(option), "%s_per_user", spec->name);
		ck_assert_str_eq(conf_spec(spec->option)->name, option);
		ck_assert_int_eq(
			admin_int("SELECT count(*) FROM pg_proc WHERE proname = 'enforce_quotas'"
				  " AND strpos(prosrc, quote_literal($1)) > 0",
				  spec->name),
			1);
		ck_assert_int_eq(admin_int("SELECT limit_used(gen_random_uuid(), $1)", spec->name),
				 0);
	}
}
END_TEST

START_TEST(quantities_are_compared_as_the_schema_compares_them)
{
	static const char *const samples[] = { "1",     "0.5",   "500m",   "1500m", "2k",
					       "1e3",   "1.5Gi", "1536Mi", "1Gi",   "1G",
					       "256Mi", "1Ti",   "3M",     "20m" };

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(samples); k++) {
			char pair[64];
			int sign = quantity_compare(samples[i], samples[k]);
			(void)snprintf(pair, sizeof(pair), "%s %s", samples[i], samples[k]);
			ck_assert_int_eq(admin_int("SELECT sign(quantity(split_part($1, ' ', 1))"
						   " - quantity(split_part($1, ' ', 2)))",
						   pair),
					 (sign > 0) - (sign < 0));
		}
	}
	ck_assert_int_eq(admin_int("SELECT quantity($1)", "much"), 0);
}
END_TEST

Suite *words_suite(void)
{
	Suite *suite = suite_create("words");
	TCase *c = live_case("schema and C");

	tcase_add_test(c, the_enums_are_those_of_the_schema);
	tcase_add_test(c, the_categories_are_those_of_the_schema);
	tcase_add_test(c, the_aggregation_is_that_of_the_schema);
	tcase_add_test(c, what_is_told_at_once);
	tcase_add_test(c, the_limits_are_those_that_triggers_enforce);
	tcase_add_test(c, the_quotas_are_those_that_the_schema_checks);
	tcase_add_test(c, quantities_are_compared_as_the_schema_compares_them);
	suite_add_tcase(suite, c);
	return suite;
}
