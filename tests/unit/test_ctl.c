/* What fsactl says of causes; its commands are tested live, by tests/ctl. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/advice.h"
#include "domain/decide.h"
#include "golden.h"

/* Kinds that a resource can have as its cause: what clusters answer and show, and our own faults.
 */
static bool is_cause(enum err_kind kind)
{
	return kind >= ERR_INTERNAL;
}

START_TEST(every_cause_has_an_advice_and_nothing_else_has)
{
	for (unsigned kind = 0; kind < ERR_KIND_COUNT; kind++)
		ck_assert_msg((advice_for((enum err_kind)kind) != NULL) ==
				      is_cause((enum err_kind)kind),
			      "%s", err_kind_name((enum err_kind)kind));
}
END_TEST

static const char *retry_cell(enum err_kind kind)
{
	static const char *const paces[] = {
		[PACE_BACKOFF] = "backoff",
		[PACE_RESYNC] = "slowly",
	};

	return paces[pace_with_cause(PACE_BACKOFF, kind)];
}

static void add(struct buf *b, char *text)
{
	ck_assert_int_eq(buf_append(b, text, strlen(text), NULL), 0);
	free(text);
}

static const char table_head[] =
	"# Causes\n"
	"\n"
	"Written from the tables in `src/base/err.c` and `src/ctl/advice.c` by `make "
	"update-golden`; a test compares them.\n"
	"What a sandbox or a database can have as its cause: `cause.kind` in answers of the API, "
	"`CAUSE` in `fsactl project explain`.\n"
	"The code beside it says more: the cluster's own word, such as `ImagePullBackOff`, where "
	"there is one.\n"
	"\n"
	"Tried again with backoff: after 1 s, then later and later, up to 2 minutes. Slowly: at "
	"the "
	"slow resync (`resync`) and as soon as the user has stored a kubeconfig, since only "
	"somebody "
	"can mend it.\n"
	"\n"
	"| kind | what it means | tried again | what to do |\n"
	"| --- | --- | --- | --- |\n";

START_TEST(the_documented_causes_are_these)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 16);

	add(&b, mem_strdup(table_head));
	for (unsigned k = 0; k < ERR_KIND_COUNT; k++) {
		enum err_kind kind = (enum err_kind)k;
		if (is_cause(kind))
			add(&b,
			    mem_printf("| `%s` | %s | %s | %s |\n", err_kind_name(kind),
				       err_kind_title(kind), retry_cell(kind), advice_for(kind)));
	}
	golden_check("docs/causes.md", b.data);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tc = tcase_create("advice");

	tcase_add_test(tc, every_cause_has_an_advice_and_nothing_else_has);
	tcase_add_test(tc, the_documented_causes_are_these);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
