#include "reconcile/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_at.h"
#include "base/mem.h"
#include "base/parse.h"
#include "crypto/sandboxd_token.h"
#include "crypto/token.h"
#include "reconcile/warn.h"
#include "reconcile/wave.h"
#include "reconcile/work_internal.h"

#define PATH "v1/activity"

enum { PORT = 7681, TOKEN_LIFETIME_S = 300, IDLE_MAX_S = 366 * 86400 };

/* A sandbox works while it uses more of a processor than this, all of its processes together: many
 * short ones, as those of a build, count like a long one. */
static const double WORKING = 0.05;

bool activity_is_due(const struct work *w)
{
	return w->kind->terminal_token != NULL && w->row.watches_activity && w->warnings != NULL &&
	       w->row.status == STATUS_RUNNING && w->observed == OBSERVED_READY;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* 0 for what is no time that a container can have: jansson reads no integer that is much larger. */
static double sane(const json_t *seconds)
{
	double value = json_number_value(seconds);

	return value >= 0 && value < 1e12 ? value : 0;
}

/* The share of a processor that was used since the last look, of which the row keeps the figures;
 * 0: not known, as after a restart of the container. */
static double share_of(struct work *w, const json_t *answer)
{
	const json_t *before = json_object_get(w->kept, "cpu");
	double seconds = sane(json_object_get(answer, "cpuSeconds"));
	double clock = sane(json_object_get(answer, "clockSeconds"));
	double used = seconds - json_number_value(json_object_get(before, "seconds"));
	double passed = clock - json_number_value(json_object_get(before, "clock"));

	json_object_set_new(w->kept, "cpu",
			    json_pack("{s:f, s:f}", "seconds", seconds, "clock", clock));
	return before != NULL && used >= 0 && passed > 0 ? used / passed : 0;
}

static void describe(const json_t *answer, bool works, char *ret_words, size_t size)
{
	const char *program = json_text_at(answer, "busy.0.program");

	if (!works)
		(void)snprintf(ret_words, size, "input to a terminal, a process or a port");
	else if (program[0] != '\0')
		(void)snprintf(ret_words, size, "work of a program: %.64s", program);
	else
		(void)snprintf(ret_words, size, "work of programs");
	parse_make_utf8(ret_words);
}

static void take_answer(struct work *w, const json_t *answer)
{
	const json_t *idle = json_object_get(answer, "idleSeconds");
	bool works = share_of(w, answer) > WORKING ||
		     json_array_size(json_object_get(answer, "busy")) > 0;

	if (!json_is_integer(idle) || json_integer_value(idle) < 0) {
		warn_set(w->warnings, WARNING_ACTIVITY_UNKNOWN,
			 "the sandbox's answer is not one of sandboxd");
		return;
	}
	warn_clear(w->warnings, WARNING_ACTIVITY_UNKNOWN);
	w->looked = true;
	/* The answer is the tenant's: the database computes with it. */
	json_int_t idle_s = json_integer_value(idle);
	w->idle_s = works ? 0 : (uint64_t)(idle_s < IDLE_MAX_S ? idle_s : IDLE_MAX_S);
	describe(answer, works, w->activity, sizeof(w->activity));
}

/* A failure is none of the row's: it runs all the same. What a program in the sandbox answers is
 * not repeated, as it may be anything, and neither is the time that it takes the API server's. */
static void answered(void *user, const struct kube_answer *answer)
{
	struct work *w = user;

	w->aside_ms = clock_ms() - w->aside_ms;
	if (answer->ok)
		take_answer(w, answer->body);
	else if (answer->err.kind == ERR_KUBE_FORBIDDEN)
		warn_set(w->warnings, WARNING_ACTIVITY_UNKNOWN, "%s", answer->err.message);
	else
		warn_set(w->warnings, WARNING_ACTIVITY_UNKNOWN,
			 "sandboxd does not answer at port %d of the sandbox", PORT);
	wave_ready(w);
}

/* ---- the request ----------------------------------------------------------------------------- */

static char *make_header(const struct work *w, struct err *e)
{
	char secret[TERMINAL_TOKEN_LENGTH + 1];
	int64_t now = (int64_t)time(NULL);

	if (w->kind->terminal_token(w->context->desired, &w->row, secret, e) < 0)
		return NULL;
	CLEANUP(cleanup_free)
	char *token = sandboxd_token_make(
		secret, &(struct sandboxd_token) { .issuer = "fsa-reconcile",
						   .subject = w->row.user_id,
						   .scope = "usage",
						   .issued = now,
						   .expires = now + TOKEN_LIFETIME_S });
	explicit_bzero(secret, sizeof(secret));
	return mem_printf("X-Sandboxd-Token: %s", token);
}

void activity_look(struct work *w, void (*next)(struct work *))
{
	CLEANUP(cleanup_free) char *pod = mem_printf("%s-0", w->row.name);
	struct err e;
	CLEANUP(cleanup_free) char *header = make_header(w, &e);

	if (header == NULL) {
		next(w);
		return;
	}
	if (!wave_begin(w, next))
		return;
	w->pending++;
	w->aside_ms = clock_ms(); /* until it has been answered: since when */
	kube_submit_proxy(w->context->client, w->target,
			  &(struct kube_proxy) { pod, PORT, PATH, header }, answered, w);
	wave_ready(w);
}

void activity_forget(const struct work *w)
{
	if (!w->row.watches_activity || w->decision.status != STATUS_RUNNING)
		warn_clear(w->warnings, WARNING_ACTIVITY_UNKNOWN);
}

void activity_to_result(const struct work *w, struct queue_result *r)
{
	r->looked = w->looked;
	r->idle_s = w->idle_s;
	r->activity = w->activity;
}
