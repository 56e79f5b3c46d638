#ifndef FSA_KUBE_LANE_H
#define FSA_KUBE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * Who may send to which API server now. Of one server's requests so many are under way at once; the
 * others wait for their turn here and not in libcurl, which would count that as part of their
 * connecting and of their answer. Those who ask take turns, and the last places are for whoever has
 * nothing under way there: how much somebody asks for, and how long it takes, costs the others a
 * turn. No input or output.
 */
enum {
	KUBE_LANE_PLACES = 64,   /* all servers allow so many streams of one connection */
	KUBE_LANE_RESERVED = 16, /* of these, for whoever has no other */
};

struct kube_lanes;
struct kube_lane; /* one server's */

/* A request, until it is over. */
struct kube_turn {
	TAILQ_ENTRY(kube_turn) link;
	struct kube_asker *asker;
	struct kube_lane *lane; /* NULL: it has neither a place nor waits for one */
	int64_t until_ms;       /* it waits no longer than that */
	void *user;
};
TAILQ_HEAD(kube_turns, kube_turn);

/* Whoever asks, always of one server. */
struct kube_asker {
	size_t under_way;
	struct kube_turns waiting;
	TAILQ_ENTRY(kube_asker) link; /* while any waits */
};
void kube_asker_init(struct kube_asker *asker);

struct kube_lanes *kube_lanes_new(void);
/* Turns are the callers': they are not touched. */
void kube_lanes_free(struct kube_lanes *lanes);

/* Whether `turn` may be sent at once; otherwise it waits. `asker`, `until_ms` and `user` are set by
 * the caller. */
bool kube_lane_enter(struct kube_lanes *lanes, const char *server, struct kube_turn *turn);
/* One that was sent is over: the one that takes its place, to be sent now, or NULL. */
struct kube_turn *kube_lane_leave(struct kube_turn *turn);
/* Takes out one that has waited for too long, in one lane or in all; NULL: none has. */
struct kube_turn *kube_lane_late(struct kube_lane *lane, int64_t now_ms);
struct kube_turn *kube_lanes_late(struct kube_lanes *lanes, int64_t now_ms);

#endif
