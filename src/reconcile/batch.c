/* The end of a claim's rows: each is freed separately, what they share with the last one. */
#include <stdlib.h>

#include "reconcile/pass_internal.h"

void pass_batch_release(struct batch *b)
{
	if (--b->unfinished > 0)
		return;
	queue_rows_clear(&b->rows);
	queue_variables_clear(&b->variables);
	free(b);
}

static void group_release(struct group *g)
{
	if (g == NULL || --g->unfinished > 0)
		return;
	observation_free(g->observation);
	kube_target_free(g->share);
	free(g);
}

void pass_work_free(struct work *w, struct work_list *list)
{
	struct pass *p = w->context->user;
	struct group *group = w->group;
	struct batch *batch = w->batch;

	TAILQ_REMOVE(list, w, link);
	p->in_flight--;
	p->slow_in_flight -= w->row.slow && !w->row.in_debt;
	p->debtors_in_flight -= w->row.in_debt;
	work_free(w);
	group_release(group);
	pass_batch_release(batch);
}
