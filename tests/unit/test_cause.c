/* Tests the texts about causes. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "domain/cause.h"
#include "domain/decide.h"
#include "domain/remedy.h"
#include "golden.h"

/* Whether it can be a resource's cause: faults that clusters report or show, and our own. */
static bool is_cause(enum err_kind kind)
{
	return kind >= ERR_INTERNAL;
}

/* Kinds that have a row for every code, and no others. */
START_TEST(every_cause_has_texts_and_nothing_else_has)
{
	for (unsigned kind = 0; kind < ERR_KIND_COUNT; kind++)
		ck_assert_msg((cause_text((enum err_kind)kind, "ANY") != NULL) ==
				      is_cause((enum err_kind)kind),
			      "%s", err_kind_name((enum err_kind)kind));
}
END_TEST

START_TEST(a_code_with_a_row_of_its_own_is_told_in_its_own_words)
{
	unsigned count;
	const struct cause_text *texts = cause_texts(&count);

	for (unsigned i = 0; i < count; i++)
		ck_assert_ptr_eq(cause_text(texts[i].kind, texts[i].code), &texts[i]);
	ck_assert_ptr_eq(cause_text_of("KUBECONFIG", "KUBECONFIG_MISSING"),
			 cause_text(ERR_KUBECONFIG, "KUBECONFIG_MISSING"));
	ck_assert_ptr_null(cause_text_of("OF_ANOTHER_VERSION", "ANY"));
	ck_assert_ptr_null(cause_text_of(NULL, NULL));
}
END_TEST

/* A headline is a sentence without a full stop, an action consists of whole sentences; neither
 * mentions our internals. */
START_TEST(texts_for_people_mention_no_internals)
{
	static const char *const insides[] = {
		"HTTP", "apply", "statefulset", "secrets/", "ERR_", "fsa", "_", "null", "row",
	};
	unsigned count;
	const struct cause_text *texts = cause_texts(&count);

	for (unsigned i = 0; i < count; i++) {
		const char *headline = texts[i].headline, *action = texts[i].action;
		ck_assert_msg(headline[0] >= 'A' && headline[0] <= 'Z', "%s", headline);
		ck_assert_msg(headline[strlen(headline) - 1] != '.', "%s", headline);
		ck_assert_msg(strlen(headline) <= 70, "%s", headline);
		ck_assert_msg(action[0] >= 'A' && action[0] <= 'Z', "%s", action);
		ck_assert_msg(action[strlen(action) - 1] == '.', "%s", action);
		for (size_t j = 0; j < ARRAY_SIZE(insides); j++)
			ck_assert_msg(strstr(headline, insides[j]) == NULL &&
					      strstr(action, insides[j]) == NULL,
				      "%s: %s %s", insides[j], headline, action);
	}
}
END_TEST

START_TEST(the_detail_is_what_the_cluster_said)
{
	static const char *const cases[][2] = {
		{ "apply secrets/f-env: HTTP 403: exceeded quota: q", "exceeded quota: q" },
		{ "list pods: HTTP 500: a: HTTP 404: b", "a: HTTP 404: b" },
		{ "get secrets/x: HTTP 403", "get secrets/x: HTTP 403" },
		{ "get secrets/x: HTTP 403: ", "get secrets/x: HTTP 403: " },
		{ "Back-off: HTTP 4: no", "Back-off: HTTP 4: no" },
		{ "pull: it said: HTTP 404: no", "pull: it said: HTTP 404: no" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_str_eq(cause_detail(cases[i][0]), cases[i][1]);
}
END_TEST

static const char *retry_cell(enum err_kind kind)
{
	static const char *const paces[] = {
		[REQUEUE_BACKOFF] = "backoff",
		[REQUEUE_RESYNC] = "slowly",
	};

	return paces[requeue_with_cause(REQUEUE_BACKOFF, kind)];
}

static void add(struct buf *b, char *text)
{
	ck_assert_int_eq(buf_append(b, text, strlen(text), NULL), 0);
	free(text);
}

static const char table_head[] =
	"# Causes\n"
	"\n"
	"Written from the tables in `src/base/err.c` and `src/domain/cause.c` by\n"
	"`make update-golden`; a test compares them.\n"
	"\n"
	"A cause says why a sandbox or a database is not as desired. It is in responses of the "
	"API\n"
	"(`cause.kind`, `cause.code`, `cause.headline`, `cause.action`), in the console, and in\n"
	"`fsactl project explain`. A code is the cluster's own word, such as `ImagePullBackOff`, "
	"if\n"
	"there is one; a row without a code stands for all others of its kind. `cause.detail` is\n"
	"the cluster's message.\n"
	"\n"
	"Tried again with backoff: after 1 s, then at growing intervals, up to 2 minutes. Slowly:\n"
	"at the slow resync (`resync`), and as soon as the user has stored a kubeconfig, because\n"
	"somebody has to act first.\n"
	"\n"
	"How soon a cause is found: a resource in transition is observed every half second at\n"
	"first; one that has been running for a while only at the slow resync. So a container "
	"that\n"
	"begins to crash repeatedly long after its start is found within one `resync` (5 minutes;\n"
	"sooner if it has not been running for long). That observation shows the restart; from\n"
	"then on the container is observed every half second, and it is reported as `POD_CRASH`\n"
	"when it has ended once more. Nothing cheaper would be reliable without watches: listing\n"
	"the pods of all users once a minute would be most of the requests to all their clusters.\n"
	"\n"
	"| kind | code | what it means | tried again | the owner | the operator |\n"
	"| --- | --- | --- | --- | --- | --- |\n";

static char *code_cell(const char *code)
{
	return code != NULL ? mem_printf("`%s`", code) : mem_strdup("");
}

START_TEST(the_documented_causes_are_these)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 16);
	unsigned count;
	const struct cause_text *texts = cause_texts(&count);

	add(&b, mem_strdup(table_head));
	for (unsigned i = 0; i < count; i++) {
		const struct cause_text *t = &texts[i];
		CLEANUP(cleanup_free) char *code = code_cell(t->code);
		add(&b, mem_printf("| `%s` | %s | %s | %s | %s | %s |\n", err_kind_name(t->kind),
				   code, t->headline, retry_cell(t->kind), t->action,
				   t->operator != NULL ? t->operator : ""));
	}
	golden_check("docs/causes.md", b.data);
}
END_TEST

START_TEST(of_our_own_failures_only_the_operator_reads_the_words)
{
	const char *words = "the stored secret \"environment:1:KEY\" cannot be opened";

	ck_assert_str_eq(cause_message("INTERNAL", words), "Something failed on our side");
	ck_assert_str_eq(cause_message("KUBE_TIMEOUT", "no answer"), "no answer");
	ck_assert_ptr_null(cause_message("KUBE_TIMEOUT", NULL));
}
END_TEST

/* Returns the text as a block in a document, indented by four blanks. */
static char *as_block(const char *text)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 16);

	while (*text != '\0') {
		size_t length = strcspn(text, "\n") + 1;
		ck_assert_int_eq(buf_append(&b, "    ", 4, NULL), 0);
		ck_assert_int_eq(buf_append(&b, text, length, NULL), 0);
		text += length;
	}
	return mem_strdup(b.data);
}

START_TEST(the_commands_that_help_are_documented)
{
	static const char *const codes[] = { "KUBECONFIG_EXEC",        "KUBECONFIG_BASIC_AUTH",
					     "KUBECONFIG_IMPERSONATE", "KUBECONFIG_FILE",
					     "KUBECONFIG_INSECURE",    "ADDRESS_FORBIDDEN" };
	CLEANUP(buf_release) struct buf document = BUF_INIT(1 << 16);
	struct err e;

	ck_assert_int_eq(buf_read_file(&document, TEST_SOURCE_DIR "/docs/kubeconfig.md", &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		CLEANUP(cleanup_free) char *block = as_block(remedy_for(codes[i]));
		ck_assert_msg(strstr(document.data, block) != NULL, "%s:\n%s", codes[i], block);
	}
	ck_assert_ptr_null(remedy_for("PROJECT_EXISTS"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cause");
	TCase *tc = tcase_create("texts");

	tcase_add_test(tc, every_cause_has_texts_and_nothing_else_has);
	tcase_add_test(tc, a_code_with_a_row_of_its_own_is_told_in_its_own_words);
	tcase_add_test(tc, texts_for_people_mention_no_internals);
	tcase_add_test(tc, the_detail_is_what_the_cluster_said);
	tcase_add_test(tc, of_our_own_failures_only_the_operator_reads_the_words);
	tcase_add_test(tc, the_documented_causes_are_these);
	tcase_add_test(tc, the_commands_that_help_are_documented);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
