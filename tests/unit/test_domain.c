#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "domain/decide.h"
#include "domain/explain.h"
#include "domain/project.h"
#include "domain/role.h"
#include "domain/types.h"
#include "golden.h"

/* ---- names ---- */

/* Returns the name of a value of one of the enums. */
static const char *name_of(int family, int value)
{
	switch (family) {
	case 0:
		return resource_kind_name((enum resource_kind)value);
	case 1:
		return desired_name((enum desired)value);
	case 2:
		return observed_name((enum observed)value);
	case 3:
		return action_name((enum action)value);
	case 4:
		return status_name((enum status)value);
	case 5:
		return database_form_name((enum database_form)value);
	default:
		return stage_name((enum stage)value);
	}
}

START_TEST(every_word_has_a_name_of_its_own)
{
	static const int counts[] = { RESOURCE_KIND_COUNT, DESIRED_COUNT, OBSERVED_COUNT,
				      ACTION_COUNT,        STATUS_COUNT,  FORM_COUNT,
				      STAGE_COUNT };

	for (int family = 0; family < (int)ARRAY_SIZE(counts); family++) {
		for (int i = 0; i < counts[family]; i++) {
			ck_assert_ptr_nonnull(name_of(family, i));
			for (int j = 0; j < i; j++)
				ck_assert_str_ne(name_of(family, i), name_of(family, j));
		}
	}
	ck_assert_str_eq(resource_kind_name(RESOURCE_DATABASE), "DATABASE");
	ck_assert_str_eq(desired_name(DESIRED_GONE), "GONE");
	ck_assert_str_eq(observed_name(OBSERVED_SUSPENDED), "SUSPENDED");
	ck_assert_str_eq(action_name(ACTION_SCALE_DOWN), "SCALE_DOWN");
	ck_assert_str_eq(status_name(STATUS_PARTIAL), "PARTIAL");
	ck_assert_str_eq(stage_name(STAGE_TERMINAL), "terminal");
}
END_TEST

START_TEST(names_are_read_back_and_others_are_refused)
{
	enum resource_kind kind;
	enum database_form form;
	enum project_role role;
	enum desired desired;
	enum status status = STATUS_PARTIAL;
	enum stage stage;

	for (int i = 0; i < RESOURCE_KIND_COUNT; i++)
		ck_assert(resource_kind_parse(resource_kind_name((enum resource_kind)i), &kind) &&
			  (int)kind == i);
	for (int i = 0; i < FORM_COUNT; i++)
		ck_assert(database_form_parse(database_form_name((enum database_form)i), &form) &&
			  (int)form == i);
	for (int i = 0; i < DESIRED_COUNT; i++)
		ck_assert(desired_parse(desired_name((enum desired)i), &desired) &&
			  (int)desired == i);
	for (int i = 0; i < STAGE_COUNT; i++)
		ck_assert(stage_parse(stage_name((enum stage)i), &stage) && (int)stage == i);
	for (int i = 0; i < STATUS_COUNT; i++)
		ck_assert(status_parse(status_name((enum status)i), &status) && (int)status == i);
	ck_assert(!status_parse("running", &status));
	ck_assert(!status_parse("", &status));
	ck_assert_int_eq(status, STATUS_PARTIAL);
	ck_assert(!desired_parse("TERMINATED", &desired));
	ck_assert(!resource_kind_parse("PROJECT", &kind));
	ck_assert(!database_form_parse("KUBEBLOCKS", &form));
	for (int i = 0; i < PROJECT_ROLE_COUNT; i++)
		ck_assert(project_role_parse(project_role_name((enum project_role)i), &role) &&
			  (int)role == i);
	ck_assert(!project_role_parse("Owner", &role));
	ck_assert(!stage_parse("READY", &stage));
}
END_TEST

/* ---- the state table ---- */

/* The expected result of each pair, written from the design, not from the code. */
static const struct expected {
	const char *desired, *observed, *action;
	const char *status; /* "-": unchanged */
	enum requeue requeue;
	unsigned deadline_s;
} expectations[] = {
	{ "RUNNING", "ABSENT", "APPLY", "CREATING", REQUEUE_SOON, 600 },
	{ "RUNNING", "STOPPED", "APPLY", "STARTING", REQUEUE_SOON, 600 },
	{ "RUNNING", "STALE", "APPLY", "STARTING", REQUEUE_SOON, 600 },
	{ "RUNNING", "OUTDATED", "APPLY", "UPDATING", REQUEUE_SOON, 600 },
	{ "RUNNING", "PROGRESSING", "NONE", "STARTING", REQUEUE_SOON, 600 },
	{ "RUNNING", "READY", "NONE", "RUNNING", REQUEUE_SETTLE, 0 },
	{ "RUNNING", "RESTARTED", "NONE", "RUNNING", REQUEUE_SOON, 0 },
	{ "RUNNING", "BROKEN", "DIAGNOSE", "STARTING", REQUEUE_WATCH, 120 },
	{ "RUNNING", "DELETING", "NONE", "STARTING", REQUEUE_SOON, 600 },
	{ "RUNNING", "BLOCKED", "NONE", "CREATING", REQUEUE_SOON, 600 },
	{ "RUNNING", "UNREACHABLE", "NONE", "-", REQUEUE_BACKOFF, 600 },
	{ "RUNNING", "SUSPENDED", "NONE", "STOPPED", REQUEUE_RESYNC, 0 },
	{ "RUNNING", "AT_RISK", "NONE", "-", REQUEUE_RESYNC, 600 },
	{ "STOPPED", "ABSENT", "NONE", "STOPPED", REQUEUE_RESYNC, 0 },
	{ "STOPPED", "STOPPED", "NONE", "STOPPED", REQUEUE_RESYNC, 0 },
	{ "STOPPED", "STALE", "SCALE_DOWN", "STOPPED", REQUEUE_SOON, 0 },
	{ "STOPPED", "OUTDATED", "SCALE_DOWN", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "PROGRESSING", "SCALE_DOWN", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "READY", "SCALE_DOWN", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "RESTARTED", "SCALE_DOWN", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "BROKEN", "SCALE_DOWN", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "DELETING", "NONE", "STOPPING", REQUEUE_SOON, 300 },
	{ "STOPPED", "BLOCKED", "NONE", "STOPPED", REQUEUE_RESYNC, 0 },
	{ "STOPPED", "UNREACHABLE", "NONE", "-", REQUEUE_BACKOFF, 300 },
	{ "STOPPED", "SUSPENDED", "NONE", "STOPPED", REQUEUE_RESYNC, 0 },
	{ "STOPPED", "AT_RISK", "NONE", "-", REQUEUE_RESYNC, 300 },
	{ "GONE", "ABSENT", "FORGET", "TERMINATED", REQUEUE_NEVER, 0 },
	{ "GONE", "STOPPED", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "STALE", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "OUTDATED", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "PROGRESSING", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "READY", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "RESTARTED", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "BROKEN", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "DELETING", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "BLOCKED", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "UNREACHABLE", "NONE", "-", REQUEUE_BACKOFF, 900 },
	{ "GONE", "SUSPENDED", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
	{ "GONE", "AT_RISK", "DELETE", "TERMINATING", REQUEUE_SOON, 900 },
};

static const struct expected *expectation(int desired, int observed)
{
	const struct expected *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
		if (strcmp(expectations[i].desired, desired_name((enum desired)desired)) == 0 &&
		    strcmp(expectations[i].observed, observed_name((enum observed)observed)) == 0) {
			ck_assert_ptr_null(found);
			found = &expectations[i];
		}
	}
	ck_assert_ptr_nonnull(found);
	return found;
}

START_TEST(every_pair_has_the_row_that_the_design_asks_for)
{
	ck_assert_uint_eq(ARRAY_SIZE(expectations), DESIRED_COUNT * OBSERVED_COUNT);
	for (int desired = 0; desired < DESIRED_COUNT; desired++) {
		for (int observed = 0; observed < OBSERVED_COUNT; observed++) {
			const struct expected *x = expectation(desired, observed);
			const struct transition *t =
				transition_find((enum desired)desired, (enum observed)observed);
			ck_assert_str_eq(action_name(t->action), x->action);
			ck_assert_int_eq(t->requeue, x->requeue);
			ck_assert_uint_eq(t->deadline_s, x->deadline_s);
			ck_assert_msg(t->comment != NULL && *t->comment != '\0', "%s %s",
				      x->desired, x->observed);
			if (strcmp(x->status, "-") != 0)
				ck_assert_str_eq(status_name(t->status), x->status);
		}
	}
}
END_TEST

static bool among(const char *word, const char *words)
{
	const char *at = strstr(words, word);

	return at != NULL && (at[strlen(word)] == ' ' || at[strlen(word)] == '\0');
}

/* Returns the status after `reported`, according to the design, without the deadline. */
static const char *next_status_of(const struct expected *x, const char *reported)
{
	bool up = strcmp(x->desired, "RUNNING") == 0;

	if (strcmp(x->status, "-") == 0)
		return reported;
	if (up && among(x->observed, "PROGRESSING DELETING") && strcmp(reported, "UPDATING") == 0)
		return reported;
	if (up && strcmp(x->observed, "OUTDATED") == 0 && among(reported, "CREATING STARTING"))
		return reported;
	if (up && strcmp(x->observed, "BLOCKED") == 0 && among(reported, "STARTING UPDATING"))
		return reported;
	if (strcmp(reported, "ERROR") == 0 && !among(x->status, "RUNNING STOPPED TERMINATED"))
		return reported;
	return x->status;
}

static void check_decision(int desired, int observed, int reported, uint64_t age_ms)
{
	const struct expected *x = expectation(desired, observed);
	struct situation s = { (enum desired)desired,
			       (enum observed)observed,
			       (enum status)reported,
			       age_ms,
			       false,
			       0 };
	struct decision d = decide(&s);
	const char *next = next_status_of(x, status_name((enum status)reported));
	bool overdue = x->deadline_s > 0 && age_ms > 1000ULL * x->deadline_s &&
		       strcmp(next, status_name((enum status)reported)) == 0 &&
		       among(next, "CREATING STARTING UPDATING STOPPING TERMINATING");

	ck_assert_msg(strcmp(status_name(d.status), overdue ? "ERROR" : next) == 0,
		      "%s %s told %s for %llu ms: got %s", x->desired, x->observed,
		      status_name((enum status)reported), (unsigned long long)age_ms,
		      status_name(d.status));
	ck_assert_int_eq(d.overdue, overdue);
	ck_assert_str_eq(action_name(d.action), x->action);
	bool in_vain = x->requeue == REQUEUE_WATCH && d.status == STATUS_ERROR;
	ck_assert_int_eq(d.requeue, in_vain ? REQUEUE_BACKOFF : x->requeue);
	ck_assert_ptr_eq(d.transition, transition_find(s.desired, s.observed));
}

START_TEST(every_situation_is_decided_by_the_rules)
{
	static const uint64_t ages[] = { 0,      120000, 120001, 300000, 300001,
					 600000, 600001, 900000, 900001, UINT64_MAX };

	for (int desired = 0; desired < DESIRED_COUNT; desired++) {
		for (int observed = 0; observed < OBSERVED_COUNT; observed++) {
			for (int reported = 0; reported < STATUS_PARTIAL; reported++) {
				for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
					check_decision(desired, observed, reported, ages[i]);
			}
		}
	}
}
END_TEST

/* The situations that a reader would ask about first, without computation. */
START_TEST(situations_worth_a_line_of_their_own)
{
	static const struct {
		struct situation s;
		enum status status;
		bool overdue;
	} rows[] = {
		/* An update stays one until it is over. */
		{ { DESIRED_RUNNING, OBSERVED_PROGRESSING, STATUS_UPDATING, 5000, false, 0 },
		  STATUS_UPDATING,
		  false },
		/* A creation that was interrupted by a crash of the reconciler is no update. */
		{ { DESIRED_RUNNING, OBSERVED_OUTDATED, STATUS_CREATING, 5000, false, 0 },
		  STATUS_CREATING,
		  false },
		/* A crash after weeks of running starts a new deadline. */
		{ { DESIRED_RUNNING, OBSERVED_BROKEN, STATUS_RUNNING, 3000000000, false, 0 },
		  STATUS_STARTING,
		  false },
		{ { DESIRED_RUNNING, OBSERVED_BROKEN, STATUS_STARTING, 120001, false, 0 },
		  STATUS_ERROR,
		  true },
		/* ERROR does not flicker, and heals. */
		{ { DESIRED_RUNNING, OBSERVED_PROGRESSING, STATUS_ERROR, 9000000, false, 0 },
		  STATUS_ERROR,
		  false },
		{ { DESIRED_RUNNING, OBSERVED_READY, STATUS_ERROR, 9000000, false, 0 },
		  STATUS_RUNNING,
		  false },
		{ { DESIRED_STOPPED, OBSERVED_STOPPED, STATUS_ERROR, 9000000, false, 0 },
		  STATUS_STOPPED,
		  false },
		/* With an unreachable cluster, running resources stay RUNNING, and starts fail. */
		{ { DESIRED_RUNNING, OBSERVED_UNREACHABLE, STATUS_RUNNING, 9000000, false, 0 },
		  STATUS_RUNNING,
		  false },
		{ { DESIRED_RUNNING, OBSERVED_UNREACHABLE, STATUS_STARTING, 600001, false, 0 },
		  STATUS_ERROR,
		  true },
		{ { DESIRED_GONE, OBSERVED_UNREACHABLE, STATUS_TERMINATING, 600001, false, 0 },
		  STATUS_TERMINATING,
		  false },
		/* The observation counts, although the action after it was refused. */
		{ { DESIRED_RUNNING, OBSERVED_ABSENT, STATUS_RUNNING, 9000000, true, 0 },
		  STATUS_CREATING,
		  false },
		/* A cause's own deadline takes precedence. */
		{ { DESIRED_RUNNING, OBSERVED_BROKEN, STATUS_STARTING, 120001, false, 300 },
		  STATUS_STARTING,
		  false },
		{ { DESIRED_RUNNING, OBSERVED_BROKEN, STATUS_STARTING, 300001, false, 300 },
		  STATUS_ERROR,
		  true },
		{ { DESIRED_RUNNING, OBSERVED_READY, STATUS_STARTING, 300001, false, 300 },
		  STATUS_RUNNING,
		  false },
		/* An unpaid account is no error. */
		{ { DESIRED_RUNNING, OBSERVED_SUSPENDED, STATUS_ERROR, 0, false, 0 },
		  STATUS_STOPPED,
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decision d = decide(&rows[i].s);
		ck_assert_msg(d.status == rows[i].status, "row %zu: %s", i, status_name(d.status));
		ck_assert_msg(d.overdue == rows[i].overdue, "row %zu", i);
	}
}
END_TEST

START_TEST(what_is_refused_is_tried_again_later_and_later)
{
	for (int i = 0; i < DESIRED_COUNT * OBSERVED_COUNT; i++) {
		struct situation s = {
			.desired = (enum desired)(i % DESIRED_COUNT),
			.observed = (enum observed)(i / DESIRED_COUNT),
			.status = STATUS_RUNNING,
			.refused = true,
		};
		struct decision refused = decide(&s);
		s.refused = false;
		ck_assert_int_eq(refused.requeue, REQUEUE_BACKOFF);
		ck_assert_int_eq(refused.status, decide(&s).status);
	}
}
END_TEST

static const char *requeue_name(enum requeue requeue)
{
	static const char *const names[] = {
		[REQUEUE_NEVER] = "never",
		[REQUEUE_SOON] = "soon",
		[REQUEUE_SETTLE] = "slow resync, sooner while young",
		[REQUEUE_RESYNC] = "slow resync",
		[REQUEUE_BACKOFF] = "backoff",
		[REQUEUE_WATCH] = "backoff, 10 s at most",
	};
	return names[requeue];
}

static void add(struct buf *b, char *text)
{
	CLEANUP(cleanup_free) char *owned = text;

	ck_assert_int_eq(buf_append(b, owned, strlen(owned), NULL), 0);
}

static char *status_cell(const struct transition *t)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(512);

	if (t->keeps == ~0u)
		return mem_strdup("unchanged");
	add(&b, mem_strdup(status_name(t->status)));
	for (int status = 0; status < STATUS_COUNT; status++) {
		if (t->keeps & (1u << status))
			add(&b, mem_printf("; %s stays", status_name((enum status)status)));
	}
	return mem_strdup(b.data);
}

static void add_row(struct buf *b, enum desired desired, enum observed observed)
{
	const struct transition *t = transition_find(desired, observed);
	CLEANUP(cleanup_free) char *status = status_cell(t);
	CLEANUP(cleanup_free)
	char *deadline = t->deadline_s > 0 ? mem_printf("%u s", t->deadline_s) : mem_strdup("–");

	add(b, mem_printf("| %s | %s | %s | %s | %s | %s | %s |\n", desired_name(desired),
			  observed_name(observed),
			  t->action == ACTION_NONE ? "–" : action_name(t->action), status,
			  requeue_name(t->requeue), deadline, t->comment));
}

static const char table_head[] =
	"# State table\n"
	"\n"
	"Written from the table in `src/domain/decide.c` by `make update-golden`; a test compares "
	"them.\n"
	"The desired state, and the state that is observed in the cluster, decide the action, the "
	"status, and when the row is due again.\n"
	"\n"
	"In addition, a transitional status (not RUNNING, STOPPED, TERMINATED) that lasts longer "
	"than the deadline becomes ERROR,\n"
	"and ERROR stays until RUNNING, STOPPED or TERMINATED is reached or the user requests a "
	"change; its backoff grows to 2 minutes.\n"
	"\n"
	"| desired | observed | action | status | requeue | deadline | why |\n"
	"| --- | --- | --- | --- | --- | --- | --- |\n";

START_TEST(the_documented_table_is_this_one)
{
	CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 16);

	add(&b, mem_strdup(table_head));
	for (int desired = 0; desired < DESIRED_COUNT; desired++) {
		for (int observed = 0; observed < OBSERVED_COUNT; observed++)
			add_row(&b, (enum desired)desired, (enum observed)observed);
	}
	golden_check("docs/state-table.md", b.data);
}
END_TEST

/* ---- requeue ---- */

static void check_between(enum requeue requeue, uint64_t age, unsigned attempts,
			  unsigned retry_after_s, uint64_t low, uint64_t high)
{
	static const uint32_t randoms[] = { 0, 1, 999, 12345, 0x7fffffff, 0x80000000, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(randoms); i++) {
		uint64_t ms =
			requeue_delay_ms(requeue, age, attempts, 300000, retry_after_s, randoms[i]);
		ck_assert_msg(ms >= low && ms <= high, "requeue %d age %llu attempts %u: %llu",
			      requeue, (unsigned long long)age, attempts, (unsigned long long)ms);
	}
}

START_TEST(the_next_look_comes_when_it_is_promised)
{
	check_between(REQUEUE_NEVER, 0, 0, 0, 0, 0);
	check_between(REQUEUE_SOON, 0, 0, 0, 500, 500);
	check_between(REQUEUE_SOON, 20000, 0, 0, 2000, 2000);
	check_between(REQUEUE_SOON, UINT64_MAX, 0, 0, 10000, 10000);
	check_between(REQUEUE_SETTLE, 0, 0, 0, 13500, 16500);
	check_between(REQUEUE_SETTLE, 60000, 0, 0, 54000, 66000);
	check_between(REQUEUE_SETTLE, UINT64_MAX, 0, 0, 270000, 330000);
	check_between(REQUEUE_RESYNC, 0, 0, 0, 270000, 330000);
	check_between(REQUEUE_BACKOFF, 0, 0, 0, 750, 1250);
	check_between(REQUEUE_BACKOFF, 0, 1, 0, 750, 1250);
	check_between(REQUEUE_BACKOFF, 0, 2, 0, 1500, 2500);
	check_between(REQUEUE_BACKOFF, 0, 7, 0, 48000, 80000);
	check_between(REQUEUE_BACKOFF, 0, 8, 0, 90000, 150000);
	check_between(REQUEUE_BACKOFF, 0, UINT32_MAX, 0, 90000, 150000);
	check_between(REQUEUE_BACKOFF, 0, 1, 30, 30000, 37500);
	check_between(REQUEUE_BACKOFF, 0, 1, 1, 1000, 1250);
	check_between(REQUEUE_WATCH, 0, 1, 0, 750, 1250);
	check_between(REQUEUE_WATCH, 0, 4, 0, 6000, 10000);
	check_between(REQUEUE_WATCH, 0, UINT32_MAX, 0, 7500, 12500);
	check_between(REQUEUE_WATCH, 0, 9, 30, 30000, 37500);
	ck_assert_uint_eq(requeue_delay_ms(REQUEUE_RESYNC, 0, 0, 0, 0, 7), 0);
	ck_assert_uint_ne(requeue_delay_ms(REQUEUE_RESYNC, 0, 0, 300000, 0, 1),
			  requeue_delay_ms(REQUEUE_RESYNC, 0, 0, 300000, 0, 2));
}
END_TEST

/* ---- projects ---- */

START_TEST(project_names_are_checked_and_the_reason_is_said)
{
	static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const good[] = { "a", "My project", "x-1 y", "Z9", longest };
	static const struct {
		const char *name;
		const char *message;
	} bad[] = {
		{ "", "is required" },
		{ "9bad", "must start with a letter" },
		{ " a", "must start with a letter" },
		{ "\xc3\xa9t\xc3\xa9", "must start with a letter" },
		{ "a_b", "may only have" },
		{ "a\n", "may only have" },
		{ "caf\xc3\xa9", "may only have" },
		{ "a ", "must end with" },
		{ "a-", "must end with" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "at most 64" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(project_name_check(good[i], &e) == 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(project_name_check(bad[i].name, &e) == -1, "%s", bad[i].name);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_str_eq(e.code, "INVALID_PROJECT_NAME");
		ck_assert_msg(strstr(e.message, bad[i].message) != NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(the_kubernetes_name_is_derived)
{
	static const char *const rows[][2] = {
		{ "My Project", "my-project" },
		{ "a -- b", "a-b" },
		{ "shape test", "shape-test" },
		{ "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst" },
		{ "abcdefghijklmnopqrs tuvwxyz", "abcdefghijklmnopqrs" },
		{ "abcdefghijklmnopqrs - tuvwxyz", "abcdefghijklmnopqrs" },
		{ "Z9", "z9" },
	};
	char name[PROJECT_KUBE_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		project_kube_name(rows[i][0], name);
		ck_assert_str_eq(name, rows[i][1]);
	}
}
END_TEST

START_TEST(environment_keys_and_values_are_checked)
{
	static const char *const good[] = { "A", "_", "a1_B", "DATABASE_URL_2", "PATHS", "lower" };
	static const char *const bad[] = { "", "1A", "A-B", "A B", "A=B", "\xc3\xa9" };
	static const char *const reserved[] = { "DATABASE_URL", "PROJECT_NAME",      "TTYD_PORT",
						"NODE_ENV",     "TTYD_ACCESS_TOKEN", "PATH",
						"HOME",         "LD_PRELOAD",        "FSA_SITE" };
	CLEANUP(cleanup_free) char *long_text = mem_calloc(ENVIRONMENT_VALUE_MAX + 2, 1);
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(environment_key_check(good[i], &e) == 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_msg(environment_key_check(bad[i], &e) == -1, "%s", bad[i]);
		ck_assert_str_eq(e.code, "INVALID_ENVIRONMENT_KEY");
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		ck_assert_msg(environment_key_check(reserved[i], &e) == -1, "%s", reserved[i]);
		ck_assert_str_eq(e.code, "RESERVED_ENVIRONMENT_KEY");
	}
	memset(long_text, 'x', ENVIRONMENT_VALUE_MAX + 1);
	ck_assert_int_eq(environment_value_check(long_text, ENVIRONMENT_VALUE_MAX, &e), 0);
	ck_assert_int_eq(environment_value_check(long_text, ENVIRONMENT_VALUE_MAX + 1, &e), -1);
	ck_assert_int_eq(environment_value_check("", 0, &e), 0);
	ck_assert_int_eq(environment_value_check("a\0b", 3, &e), -1);
	ck_assert_int_eq(environment_value_check("s\xff", 2, &e), -1);
	ck_assert_str_eq(e.code, "INVALID_ENVIRONMENT_VALUE");
	long_text[ENVIRONMENT_KEY_MAX] = '\0';
	ck_assert_int_eq(environment_key_check(long_text, &e), 0);
	long_text[ENVIRONMENT_KEY_MAX] = 'x';
	long_text[ENVIRONMENT_KEY_MAX + 1] = '\0';
	ck_assert_int_eq(environment_key_check(long_text, &e), -1);
}
END_TEST

START_TEST(the_categories_are_those_of_the_interface)
{
	static const char *const names[] = { "auth",         "payment", "ttyd",
					     "file_browser", "general", "secret" };

	ck_assert_uint_eq(environment_category_count, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(environment_categories[i], names[i]);
}
END_TEST

START_TEST(the_stages_show_how_far_a_start_is)
{
	static const struct {
		enum stage current;
		enum status status;
		const char *states; /* one letter per stage */
		enum status database;
	} rows[] = {
		{ STAGE_DATABASE, STATUS_CREATING, "apppp", STATUS_RUNNING },
		{ STAGE_NETWORK, STATUS_STARTING, "ddapp", STATUS_RUNNING },
		{ STAGE_TERMINAL, STATUS_UPDATING, "dddap", STATUS_RUNNING },
		{ STAGE_CONTAINER, STATUS_ERROR, "dfppp", STATUS_RUNNING },
		{ STAGE_READY, STATUS_RUNNING, "ddddd", STATUS_RUNNING },
		{ STAGE_CONTAINER, STATUS_RUNNING, "ddddd", STATUS_RUNNING },
		{ STAGE_READY, STATUS_ERROR, "ddddf", STATUS_RUNNING },
		{ STAGE_READY, STATUS_STOPPED, "ppppp", STATUS_RUNNING },
		{ STAGE_NETWORK, STATUS_STOPPING, "ppppp", STATUS_RUNNING },
		{ STAGE_READY, STATUS_TERMINATED, "ppppp", STATUS_RUNNING },
		{ STAGE_READY, STATUS_RUNNING, "adddp", STATUS_STARTING },
		{ STAGE_READY, STATUS_RUNNING, "fdddp", STATUS_ERROR },
		{ STAGE_DATABASE, STATUS_STARTING, "apppp", STATUS_CREATING },
		{ STAGE_CONTAINER, STATUS_STARTING, "fappp", STATUS_ERROR },
		{ STAGE_READY, STATUS_STOPPED, "ppppp", STATUS_STOPPED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int stage = 0; stage < STAGE_COUNT; stage++) {
			const char *state = stage_state((enum stage)stage, rows[i].current,
							rows[i].status, rows[i].database);
			ck_assert_msg(state[0] == rows[i].states[stage], "row %zu stage %d: %s", i,
				      stage, state);
		}
	}
	ck_assert_int_eq(stage_reached(STAGE_READY, STATUS_RUNNING), STAGE_READY);
	ck_assert_int_eq(stage_reached(STAGE_READY, STATUS_STARTING), STAGE_DATABASE);
	ck_assert_int_eq(stage_reached(STAGE_CONTAINER, STATUS_ERROR), STAGE_CONTAINER);
}
END_TEST

/* ---- reading the table backwards ---- */

/* Returns what a pass with this observation reports, with its cause. */
static struct reported pass_once(const struct reported *before, enum observed observed)
{
	struct decision d = explain_next(before, observed);
	struct reported after = *before;

	after.status = d.status;
	after.is_observed = true;
	after.attempts = requeue_backs_off(d.requeue) ? before->attempts + 1 : 0;
	after.has_cause = requeue_backs_off(d.requeue) || observed == OBSERVED_SUSPENDED ||
			  observed == OBSERVED_AT_RISK;
	after.cause_kind = observed == OBSERVED_SUSPENDED     ? ERR_KUBE_BILLING
			   : observed == OBSERVED_AT_RISK     ? ERR_DATA_AT_RISK
			   : observed == OBSERVED_UNREACHABLE ? ERR_KUBE_TIMEOUT
							      : ERR_POD_IMAGE;
	return after;
}

START_TEST(what_a_pass_leaves_is_explained_by_what_it_saw)
{
	for (int i = 0; i < DESIRED_COUNT * OBSERVED_COUNT * STATUS_PARTIAL; i++) {
		enum observed observed = (enum observed)(i / DESIRED_COUNT % OBSERVED_COUNT);
		struct reported reported = {
			.desired = (enum desired)(i % DESIRED_COUNT),
			.status = (enum status)(i / DESIRED_COUNT / OBSERVED_COUNT),
		};
		reported = pass_once(&reported, observed);
		ck_assert_msg(explain_fits(&reported, observed), "%s %s",
			      desired_name(reported.desired), observed_name(observed));
		/* The next such pass finds the same. */
		reported = pass_once(&reported, observed);
		ck_assert(explain_fits(&reported, observed));
	}
}
END_TEST

START_TEST(a_cause_says_what_was_seen)
{
	static const struct {
		enum err_kind kind;
		enum observed observed;
		bool fits;
	} rows[] = {
		{ ERR_POD_IMAGE, OBSERVED_BROKEN, true },
		{ ERR_POD_IMAGE, OBSERVED_UNREACHABLE, false },
		{ ERR_KUBE_TIMEOUT, OBSERVED_UNREACHABLE, true },
		{ ERR_KUBE_TIMEOUT, OBSERVED_BROKEN, false },
		{ ERR_KUBE_QUOTA, OBSERVED_BROKEN, true },
		{ ERR_KUBE_QUOTA, OBSERVED_UNREACHABLE, true },
		{ ERR_KUBECONFIG, OBSERVED_UNREACHABLE, true },
		/* The action was refused. */
		{ ERR_KUBE_TIMEOUT, OBSERVED_ABSENT, true },
		{ ERR_KUBE_ADMISSION, OBSERVED_OUTDATED, true },
		{ ERR_KUBE_ADMISSION, OBSERVED_READY, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reported reported = {
			.desired = DESIRED_RUNNING,
			.status = STATUS_ERROR,
			.attempts = 3,
			.has_cause = true,
			.cause_kind = rows[i].kind,
		};
		ck_assert_msg(explain_fits(&reported, rows[i].observed) == rows[i].fits, "row %zu",
			      i);
	}
}
END_TEST

START_TEST(what_runs_without_an_attempt_that_failed_was_seen)
{
	struct reported reported = { .desired = DESIRED_RUNNING, .status = STATUS_RUNNING };

	/* A kubeconfig may just have been stored, so nothing is known. */
	ck_assert(explain_fits(&reported, OBSERVED_READY));
	ck_assert(explain_fits(&reported, OBSERVED_UNREACHABLE));
	reported.is_observed = true;
	ck_assert(explain_fits(&reported, OBSERVED_READY));
	ck_assert(!explain_fits(&reported, OBSERVED_UNREACHABLE));
}
END_TEST

START_TEST(a_deadline_is_told_before_it_passes)
{
	struct reported reported = { .desired = DESIRED_RUNNING, .status = STATUS_STARTING };

	reported.status_age_ms = 590000;
	ck_assert_uint_eq(explain_deadline_ms(&reported, OBSERVED_PROGRESSING), 10000);
	reported.status_age_ms = 700000;
	ck_assert_uint_eq(explain_deadline_ms(&reported, OBSERVED_PROGRESSING), 0);
	ck_assert(explain_deadline_ms(&reported, OBSERVED_READY) == UINT64_MAX);
	reported.status = STATUS_RUNNING; /* a state that was reached is never late */
	ck_assert(explain_deadline_ms(&reported, OBSERVED_UNREACHABLE) == UINT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("domain");
	TCase *tc = tcase_create("domain");

	tcase_add_test(tc, every_word_has_a_name_of_its_own);
	tcase_add_test(tc, names_are_read_back_and_others_are_refused);
	tcase_add_test(tc, every_pair_has_the_row_that_the_design_asks_for);
	tcase_add_test(tc, every_situation_is_decided_by_the_rules);
	tcase_add_test(tc, situations_worth_a_line_of_their_own);
	tcase_add_test(tc, what_is_refused_is_tried_again_later_and_later);
	tcase_add_test(tc, the_documented_table_is_this_one);
	tcase_add_test(tc, the_next_look_comes_when_it_is_promised);
	tcase_add_test(tc, project_names_are_checked_and_the_reason_is_said);
	tcase_add_test(tc, the_kubernetes_name_is_derived);
	tcase_add_test(tc, environment_keys_and_values_are_checked);
	tcase_add_test(tc, the_categories_are_those_of_the_interface);
	tcase_add_test(tc, the_stages_show_how_far_a_start_is);
	tcase_add_test(tc, what_a_pass_leaves_is_explained_by_what_it_saw);
	tcase_add_test(tc, a_cause_says_what_was_seen);
	tcase_add_test(tc, what_runs_without_an_attempt_that_failed_was_seen);
	tcase_add_test(tc, a_deadline_is_told_before_it_passes);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
