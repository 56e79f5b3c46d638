#include "kube/limiter.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

TAILQ_HEAD(tenant_list, kube_tenant);

struct kube_limiter {
	char *server;
	size_t in_flight;
	struct tenant_list waiting; /* in order; a tenant that had its turn goes to the end */
	TAILQ_ENTRY(kube_limiter) link;
};

struct kube_limiters {
	void *by_server; /* tsearch(3) tree */
	TAILQ_HEAD(, kube_limiter) all;
};

void kube_tenant_init(struct kube_tenant *tenant)
{
	*tenant = (struct kube_tenant) { 0 };
	TAILQ_INIT(&tenant->waiting);
}

struct kube_limiters *kube_limiters_new(void)
{
	struct kube_limiters *limiters = mem_calloc(1, sizeof(*limiters));

	TAILQ_INIT(&limiters->all);
	return limiters;
}

static void free_limiter(void *node)
{
	struct kube_limiter *limiter = node;

	free(limiter->server);
	free(limiter);
}

void kube_limiters_free(struct kube_limiters *limiters)
{
	tdestroy(limiters->by_server, free_limiter);
	free(limiters);
}

static int compare_limiters(const void *a, const void *b)
{
	return strcmp(((const struct kube_limiter *)a)->server,
		      ((const struct kube_limiter *)b)->server);
}

static struct kube_limiter *find_limiter(struct kube_limiters *limiters, const char *server)
{
	struct kube_limiter *limiter = mem_calloc(1, sizeof(*limiter));

	limiter->server = mem_strdup(server);
	struct kube_limiter **found = tsearch(limiter, &limiters->by_server, compare_limiters);
	if (*found != limiter) {
		free_limiter(limiter);
		return *found;
	}
	TAILQ_INIT(&limiter->waiting);
	TAILQ_INSERT_TAIL(&limiters->all, limiter, link);
	return limiter;
}

static bool has_slot(const struct kube_limiter *limiter, const struct kube_tenant *tenant)
{
	size_t reserved = tenant->in_flight > 0 ? KUBE_LIMITER_RESERVED : 0;

	return limiter->in_flight < KUBE_LIMITER_SLOTS - reserved;
}

static void take_slot(struct kube_slot *slot)
{
	slot->limiter->in_flight++;
	slot->tenant->in_flight++;
}

/* To the front while its turn lasts. */
static void queue_tenant(struct kube_limiter *limiter, struct kube_tenant *tenant)
{
	if (tenant->served > 0)
		TAILQ_INSERT_HEAD(&limiter->waiting, tenant, link);
	else
		TAILQ_INSERT_TAIL(&limiter->waiting, tenant, link);
}

static void start_waiting(struct kube_slot *slot)
{
	struct kube_tenant *tenant = slot->tenant;

	if (TAILQ_EMPTY(&tenant->waiting))
		queue_tenant(slot->limiter, tenant);
	TAILQ_INSERT_TAIL(&tenant->waiting, slot, link);
}

/* Takes the tenant's first request; if the tenant has more and its turn is over, moves it behind
 * all others. */
static struct kube_slot *stop_waiting(struct kube_limiter *limiter, struct kube_tenant *tenant)
{
	struct kube_slot *slot = TAILQ_FIRST(&tenant->waiting);

	TAILQ_REMOVE(&tenant->waiting, slot, link);
	TAILQ_REMOVE(&limiter->waiting, tenant, link);
	tenant->served = (tenant->served + 1) % KUBE_LIMITER_TURN;
	if (!TAILQ_EMPTY(&tenant->waiting))
		queue_tenant(limiter, tenant);
	return slot;
}

bool kube_limiter_enter(struct kube_limiters *limiters, const char *server, struct kube_slot *slot)
{
	slot->limiter = find_limiter(limiters, server);
	if (TAILQ_EMPTY(&slot->tenant->waiting) && has_slot(slot->limiter, slot->tenant)) {
		take_slot(slot);
		return true;
	}
	start_waiting(slot);
	return false;
}

struct kube_slot *kube_limiter_leave(struct kube_slot *slot)
{
	struct kube_limiter *limiter = slot->limiter;
	struct kube_tenant *tenant;

	slot->limiter = NULL;
	limiter->in_flight--;
	slot->tenant->in_flight--;
	TAILQ_FOREACH(tenant, &limiter->waiting, link)
	{
		if (!has_slot(limiter, tenant))
			continue;
		struct kube_slot *next = stop_waiting(limiter, tenant);
		take_slot(next);
		return next;
	}
	return NULL;
}

struct kube_slot *kube_limiter_expire(struct kube_limiter *limiter, int64_t now_ms)
{
	struct kube_tenant *tenant;

	TAILQ_FOREACH(tenant, &limiter->waiting, link)
	{
		if (TAILQ_FIRST(&tenant->waiting)->until_ms > now_ms)
			continue;
		struct kube_slot *slot = stop_waiting(limiter, tenant);
		slot->limiter = NULL;
		return slot;
	}
	return NULL;
}

struct kube_slot *kube_limiters_expire(struct kube_limiters *limiters, int64_t now_ms)
{
	struct kube_limiter *limiter;

	TAILQ_FOREACH(limiter, &limiters->all, link)
	{
		struct kube_slot *slot = kube_limiter_expire(limiter, now_ms);
		if (slot != NULL)
			return slot;
	}
	return NULL;
}
