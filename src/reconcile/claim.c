#include "reconcile/pass_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "reconcile/announce.h"
#include "reconcile/kind.h"
#include "reconcile/vouch.h"
#include "reconcile/wave.h"
#include "store/queue.h"

enum {
	CLAIM_REST = 4,    /* the pause after a claim, as a multiple of its duration */
	SLOW_SHARE = 4,    /* all users with slow rows together have one place in this many */
	DEBTOR_SHARE = 32, /* all in debt have one in this many */
};

/* As OBSERVE(): those of a row's lists that must be read in full after all. */
static unsigned unread_of_row(const struct work *w, const struct observation *observation)
{
	unsigned brief = observation_brief(observation) & work_lists(w);
	const struct view view = { w->kind, &w->row, observation, w->kept, w->desired };
	struct err e;

	/* What cannot be loaded is not compared with anything. */
	if (brief == 0 || observation_check(observation, work_lists(w), NULL) < 0 ||
	    desired_state_load(w->desired, &e) < 0)
		return 0;
	return vouch_unknown(&view, brief);
}

static unsigned unread_of(const struct group *g)
{
	unsigned unread = 0;

	for (const struct work *w = g->works; w != NULL; w = w->next_in_group)
		unread |= unread_of_row(w, g->observation);
	return unread;
}

/* All rows of a group have been claimed together, and their leases end together. */
static void group_observed(void *user)
{
	struct group *g = user;
	struct work *w = g->works;
	unsigned unread = unread_of(g);

	if (unread != 0 && wave_fits(w)) {
		observation_complete(g->observation, unread);
		return;
	}
	g->works = NULL;
	while (w != NULL) {
		struct work *next = w->next_in_group;
		if (unread != 0)
			g->pass->context.finished(w); /* given back */
		else
			work_observed(w, g->share, g->observation);
		w = next;
	}
}

static struct group *find_group(struct group **groups, size_t *count, struct pass *p,
				struct kube_target *target)
{
	for (size_t i = *count; i > 0; i--) {
		if (groups[i - 1]->target == target)
			return groups[i - 1];
	}
	struct group *g = mem_calloc(1, sizeof(*g));
	g->pass = p;
	g->target = target;
	groups[(*count)++] = g;
	return g;
}

/* For the operator: the owner is only shown that the address is not allowed. */
static void log_refused(const char *url, const char *address, const char *what)
{
	CLEANUP(cleanup_free) char *path = mem_strndup(url, strcspn(url, "?"));

	log_line(LOG_LEVEL_WARNING, "address not allowed", LOG_STR("url", path),
		 LOG_STR("address", address), LOG_STR("what", what));
}

int pass_ensure_client(struct pass *p, struct err *e)
{
	const struct conf *conf = p->r->conf;
	struct kube_client_options options = {
		.connect_timeout_ms = conf_number(conf, CONF_KUBE_CONNECT_TIMEOUT),
		.request_timeout_ms = conf_number(conf, CONF_KUBE_REQUEST_TIMEOUT),
		.body_max = conf_number(conf, CONF_KUBE_BODY_MAX),
		.allow_addresses = conf_string(conf, CONF_KUBE_ALLOW_ADDRESSES),
		.ca_file = conf_string(conf, CONF_KUBE_CA_FILE),
		.refused = log_refused,
	};

	if (p->client == NULL && kube_client_new(&options, &p->client, e) < 0)
		return -1;
	p->context.client = p->client;
	return 0;
}

/* Groups the rows of a batch by their targets; rows that cannot or need not be observed end
 * here. */
static void group_rows(struct pass *p, struct batch *b, uint64_t lease_ends_ms,
		       struct group **groups, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < b->rows.count; i++) {
		const struct queue_row *row = &b->rows.items[i];
		struct work *w = work_new(&p->context, row, &b->variables, lease_ends_ms);
		struct kube_target *target = NULL;
		struct err e;

		w->batch = b;
		w->claimed_ms = clock_ms();
		p->slow_in_flight += row->slow && !row->in_debt;
		p->debtors_in_flight += row->in_debt;
		TAILQ_INSERT_TAIL(&p->in_work, w, link);
		if (work_finish_blocked(w))
			continue;
		if (access_target(p->access, row, &target, &e) < 0) {
			work_fail(w, &e);
			continue;
		}
		w->group = find_group(groups, ret_count, p, target);
		w->group->unfinished++;
		w->next_in_group = w->group->works;
		w->group->works = w;
	}
}

static int load_variables(struct pass *p, struct batch *b, struct err *e)
{
	CLEANUP(cleanup_free) const char **ids = mem_calloc(b->rows.count, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < b->rows.count; i++) {
		if (kind_of_row(&b->rows.items[i])->has_environment &&
		    b->rows.items[i].desired != DESIRED_GONE)
			ids[count++] = b->rows.items[i].project_id;
	}
	return count > 0 ? queue_variables(p->r->db, ids, count, &b->variables, e) : 0;
}

static void observe_group(struct group *g)
{
	CLEANUP(cleanup_free)
	struct observe_subject *subjects = mem_calloc(g->unfinished, sizeof(*subjects));
	size_t count = 0;
	unsigned anchors = 0;

	for (const struct work *w = g->works; w != NULL; w = w->next_in_group) {
		g->lists |= work_lists(w);
		g->full |= work_lists(w) & ~vouch_brief(w->kind, &w->row, w->kept);
		anchors |= OBSERVE(kind_anchor(w->kind));
		subjects[count++] = work_subject(w);
	}
	const struct observe_query query = {
		.lists = g->lists,
		.brief = g->lists & ~g->full,
		.anchors = anchors,
		.subjects = subjects,
		.count = count,
	};
	if (count > 0)
		g->observation =
			observation_start(g->pass->client, g->share, &query, group_observed, g);
}

/* False: the work is over. If the cluster cannot be asked, a database of a known form is observed
 * as one of that. */
static bool decide_form(struct work *w, enum database_form form, const struct err *failure)
{
	struct pass *p = w->context->user;
	struct err e;

	if (!form_is_open(w))
		return true;
	if (failure != NULL) {
		if (work_row(w)->form != FORM_UNDECIDED)
			return true;
		work_fail(w, failure);
		return false;
	}
	if (form_decide(w, p->r->db, form, &e) == 0)
		return true;
	log_err(LOG_LEVEL_WARNING, "the form of a database is not recorded", &e);
	w->context->finished(w);
	return false;
}

static void form_found(void *user, enum database_form form, const struct err *failure)
{
	struct group *g = user;
	struct work *works = STEAL(g->works);

	while (works != NULL) {
		struct work *w = works;
		works = w->next_in_group;
		if (!decide_form(w, form, failure))
			continue;
		w->next_in_group = g->works;
		g->works = w;
	}
	observe_group(g);
}

/* What fsa.conf says, if it says anything. */
static bool configured_form(const struct pass *p, enum database_form *ret_form)
{
	static const struct {
		const char *value;
		enum database_form form;
	} values[] = {
		{ "0.8", FORM_KUBEBLOCKS_0_8 },
		{ "0.9", FORM_KUBEBLOCKS_0_9 },
		{ "1.0", FORM_KUBEBLOCKS_1_0 },
		{ "none", FORM_PLAIN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (strcmp(conf_string(p->r->conf, CONF_KUBEBLOCKS_VERSION), values[i].value) != 0)
			continue;
		*ret_form = values[i].form;
		return true;
	}
	return false;
}

static bool group_has_open_form(const struct group *g)
{
	for (const struct work *w = g->works; w != NULL; w = w->next_in_group) {
		if (form_is_open(w))
			return true;
	}
	return false;
}

static void start_group(struct group *g)
{
	struct pass *p = g->pass;
	enum database_form form;

	g->share = kube_target_share(g->target, &p->memory, g->unfinished);
	if (!group_has_open_form(g)) {
		observe_group(g);
	} else if (configured_form(p, &form)) {
		form_found(g, form, NULL);
	} else {
		g->form_lookup = (struct form_lookup) { .done = form_found, .user = g };
		form_look_up(&g->form_lookup, p->client, g->share);
	}
}

static void start_batch(struct pass *p, struct batch *b, uint64_t lease_ends_ms)
{
	CLEANUP(cleanup_free)
	struct group **groups = mem_calloc(b->rows.count, sizeof(struct group *));
	size_t count;

	group_rows(p, b, lease_ends_ms, groups, &count);
	for (size_t i = 0; i < count; i++)
		start_group(groups[i]);
}

void pass_worker(pid_t pid, char ret_worker[PASS_WORKER_MAX])
{
	(void)snprintf(ret_worker, PASS_WORKER_MAX, "%s/%ld", announce_host(), (long)pid);
}

size_t pass_places(const struct pass *p)
{
	unsigned count = p->r->shard.count;

	return (conf_number(p->r->conf, CONF_ROWS_IN_FLIGHT) + count - 1) / count;
}

bool pass_is_closing(const struct pass *p)
{
	return clock_ms() >= p->r->claim_until_ms;
}

/* A claim costs the database milliseconds, however few places are free, so the next one waits until
 * more are. */
static void rest(struct pass *p, uint64_t claim_took_ms)
{
	uint64_t rest_ms = CLAIM_REST * claim_took_ms;

	p->rested_ms = clock_ms() + (rest_ms < PASS_LINGER_MS ? rest_ms : PASS_LINGER_MS);
}

/* Returns how many places are left of those that some users share: users with slow rows, which
 * occupy places for long however often they ask, and users in debt. */
static unsigned shared_limit(const struct pass *p, size_t share, size_t in_flight)
{
	size_t places = (pass_places(p) + share - 1) / share;

	return places > in_flight ? (unsigned)(places - in_flight) : 0;
}

int pass_claim(struct pass *p, size_t *ret_count, struct err *e)
{
	const struct conf *conf = p->r->conf;
	uint64_t lease_ms = conf_number(conf, CONF_LEASE_TIME);
	uint64_t claimed_ms = clock_ms();
	char worker[PASS_WORKER_MAX];
	struct queue_claim query = {
		.worker = worker,
		.shard = p->r->shard,
		.limit = (unsigned)(pass_places(p) - p->in_flight),
		.per_user = (unsigned)conf_number(conf, CONF_ROWS_PER_USER),
		.slow_limit = shared_limit(p, SLOW_SHARE, p->slow_in_flight),
		.debtor_limit = shared_limit(p, DEBTOR_SHARE, p->debtors_in_flight),
		.lease_ms = lease_ms,
		.only_well = pass_is_closing(p),
		.foreign_keys = p->foreign_keys,
	};
	struct batch *b = mem_calloc(1, sizeof(*b));

	pass_worker(getpid(), worker);
	if (queue_claim(p->r->db, &query, &b->rows, e) < 0) {
		free(b);
		return -1;
	}
	p->claimed = true;
	rest(p, clock_ms() - claimed_ms);
	*ret_count = b->unfinished = b->rows.count;
	if (b->rows.count == 0) {
		b->unfinished = 1;
		pass_batch_release(b);
		return 0;
	}
	if (load_variables(p, b, e) < 0 || pass_ensure_client(p, e) < 0) {
		b->unfinished = 1; /* the leases run out */
		pass_batch_release(b);
		return -1;
	}
	p->summary->claimed += b->rows.count;
	p->in_flight += b->rows.count;
	start_batch(p, b, claimed_ms + lease_ms);
	return 0;
}
