#include "domain/explain.h"

#define BIT(observed) (1U << (observed))

enum { ANY = (1U << OBSERVED_COUNT) - 1 };

/* Whether the action in this row of the table changes the cluster, which may refuse that. */
static bool is_write(enum desired desired, enum observed observed)
{
	enum action action = transition_find(desired, observed)->action;

	return action == ACTION_APPLY || action == ACTION_SCALE_DOWN || action == ACTION_DELETE;
}

/* Returns the observations after which a cause of this kind is recorded. */
static unsigned observed_with(enum desired desired, enum err_kind kind)
{
	unsigned possible = BIT(OBSERVED_UNREACHABLE);

	switch (kind) {
	case ERR_KUBE_BILLING:
		return BIT(OBSERVED_SUSPENDED);
	case ERR_POD_UNSCHEDULABLE:
		return BIT(OBSERVED_BROKEN) | BIT(OBSERVED_PROGRESSING); /* a node is being added */
	case ERR_DATA_AT_RISK:
		return BIT(OBSERVED_AT_RISK);
	case ERR_POD_IMAGE:
	case ERR_POD_CRASH:
	case ERR_POD_MOUNT:
	case ERR_POD_UNREADY:
	case ERR_POD_REFUSED:
	case ERR_DATABASE_FAILED:
		return BIT(OBSERVED_BROKEN);
	case ERR_DEADLINE:
	case ERR_POD_TERMINATING:
	case ERR_OBJECT_HELD:
		return ANY & ~(BIT(OBSERVED_UNREACHABLE) | BIT(OBSERVED_SUSPENDED));
	default:
		break;
	}
	/* A response to a read, or to the action that followed. A refusal may also have been
	 * received by a controller that makes our pod. */
	for (unsigned observed = 0; observed < OBSERVED_COUNT; observed++)
		possible |= is_write(desired, (enum observed)observed) ? BIT(observed) : 0;
	if (kind == ERR_KUBE_QUOTA || kind == ERR_KUBE_ADMISSION)
		possible |= BIT(OBSERVED_BROKEN);
	return possible;
}

/* Whether the cause is that the action was refused. */
static bool is_refused(const struct reported *reported, enum observed observed)
{
	if (!reported->has_cause || !is_write(reported->desired, observed))
		return false;
	return reported->cause_kind != ERR_DEADLINE &&
	       reported->cause_kind != ERR_POD_TERMINATING &&
	       reported->cause_kind != ERR_OBJECT_HELD &&
	       reported->cause_kind != ERR_KUBE_BILLING && reported->cause_kind != ERR_DATA_AT_RISK;
}

/* 0: that of the table. */
static unsigned own_deadline_s(const struct reported *reported, enum observed observed)
{
	if (!reported->has_cause || reported->cause_kind != ERR_POD_UNSCHEDULABLE)
		return 0;
	return deadline_for_node(reported->desired, observed, reported->unschedulable_s);
}

struct decision explain_next(const struct reported *reported, enum observed observed)
{
	return decide(&(struct situation) {
		.desired = reported->desired,
		.observed = observed,
		.status = reported->status,
		.status_age_ms = reported->status_age_ms,
		.refused = is_refused(reported, observed),
		.deadline_s = own_deadline_s(reported, observed),
	});
}

/* Returns the table's decision as if no deadline had passed. */
static struct decision in_time(const struct reported *reported, enum observed observed)
{
	struct reported young = *reported;

	young.status_age_ms = 0;
	return explain_next(&young, observed);
}

bool explain_fits(const struct reported *reported, enum observed observed)
{
	struct decision d = in_time(reported, observed);

	if (d.status != reported->status)
		return false;
	/* Attempts are counted only while something is wrong; a change of the desired state resets
	 * them. */
	if (reported->attempts > 0 ? !requeue_backs_off(d.requeue)
				   : reported->is_observed && requeue_backs_off(d.requeue))
		return false;
	/* A row that is held up has a cause. */
	if (observed == OBSERVED_AT_RISK && reported->is_observed && !reported->has_cause)
		return false;
	/* An ERROR without failing attempts keeps the cause that it began with. */
	return !reported->has_cause ||
	       (reported->status == STATUS_ERROR && reported->attempts == 0) ||
	       (observed_with(reported->desired, reported->cause_kind) & BIT(observed)) != 0;
}

uint64_t explain_deadline_ms(const struct reported *reported, enum observed observed)
{
	unsigned own_s = own_deadline_s(reported, observed);
	unsigned table_s = transition_find(reported->desired, observed)->deadline_s;
	uint64_t deadline_ms = (uint64_t)(own_s > 0 ? own_s : table_s) * 1000;
	struct reported late = *reported;

	late.status_age_ms = deadline_ms + 1;
	if (!explain_next(&late, observed).overdue)
		return UINT64_MAX;
	return deadline_ms > reported->status_age_ms ? deadline_ms - reported->status_age_ms : 0;
}
