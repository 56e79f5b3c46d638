#ifndef FSA_KUBE_LIMITER_H
#define FSA_KUBE_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * Limits the requests in flight to each API server. Those above the limit wait here and not in
 * libcurl, which would count the time as part of their connecting and of their answer. Slots that
 * become free go to the waiting tenants in turn, several to each: as many as the work on a row
 * needs, so that on a busy server it is finished for one after the other and not begun for all. The
 * last ones are reserved for tenants that have no request in flight: however much one of them asks
 * for, and however long it takes, another one's request waits for one slot at most. No input or
 * output.
 */
enum {
	KUBE_LIMITER_SLOTS = 64,    /* all servers allow so many streams of one connection */
	KUBE_LIMITER_RESERVED = 16, /* of these, for tenants that have no other */
	KUBE_LIMITER_TURN = 8,      /* slots in a row for one tenant: a sandbox has six objects */
};

struct kube_limiters;
struct kube_limiter; /* one server's */

/* A request, from when it asks for a slot until it is over. */
struct kube_slot {
	TAILQ_ENTRY(kube_slot) link;
	struct kube_tenant *tenant;
	struct kube_limiter *limiter; /* NULL: it neither has a slot nor waits for one */
	int64_t until_ms;             /* how long it may wait */
	void *user;
};
TAILQ_HEAD(kube_slots, kube_slot);

/* Whose requests they are, all to one server. */
struct kube_tenant {
	size_t in_flight;
	unsigned served; /* slots in its turn so far; 0: it has not begun */
	struct kube_slots waiting;
	TAILQ_ENTRY(kube_tenant) link; /* while any waits */
};
void kube_tenant_init(struct kube_tenant *tenant);

struct kube_limiters *kube_limiters_new(void);
/* Slots belong to the callers and are not touched. */
void kube_limiters_free(struct kube_limiters *limiters);

/* Whether `slot` may be sent at once; otherwise it waits. `tenant`, `until_ms` and `user` are set
 * by the caller. */
bool kube_limiter_enter(struct kube_limiters *limiters, const char *server, struct kube_slot *slot);
/* One that was sent is over: returns the one that has its slot now and is to be sent, or NULL. */
struct kube_slot *kube_limiter_leave(struct kube_slot *slot);
/* Takes out one that has waited too long, in one limiter or in all; NULL: none has. */
struct kube_slot *kube_limiter_expire(struct kube_limiter *limiter, int64_t now_ms);
struct kube_slot *kube_limiters_expire(struct kube_limiters *limiters, int64_t now_ms);

#endif
