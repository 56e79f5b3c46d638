#ifndef KUBESIM_SIM_H
#define KUBESIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "effects.h"
#include "faults.h"
#include "queue.h"
#include "rng.h"
#include "snapshot.h"
#include "store.h"
#include "timers.h"
#include "users.h"
#include "watch.h"

struct kubeblocks;
struct logs;
struct proxies;

/* How the cluster behaves when nothing goes wrong. */
struct settings {
	uint64_t ready_after_ms; /* from scheduled to Ready */
	uint64_t gone_after_ms;  /* from a pod's deletion to its end */
	uint64_t backoff_ms;     /* between two runs of a container that crashes */
	uint64_t react_after_ms; /* KubeBlocks: how long a status lags behind a change */
	uint64_t creating_ms, updating_ms, stopping_ms; /* least times in these phases */
	const struct kubeblocks *kubeblocks;            /* what is installed of it; NULL: nothing */
	bool has_kubelet; /* a kubelet runs the pods, reports their status and removes them */
};

/*
 * The whole: one of it, one thread. Every part is reached from here; a part knows those that it
 * needs by their own headers.
 */
struct sim {
	struct settings settings;
	uint64_t seed;
	struct rng rng;       /* uids, names, addresses */
	struct rng fault_rng; /* apart, so that a fault does not change the names */
	struct timers *timers;
	struct queue *queue; /* of the controllers */
	struct store *store;
	struct users *users;
	struct faults *faults;
	struct effects *effects;
	struct counters *counters;
	struct snapshot *snapshot; /* for stale reads, NULL without such a rule */
	struct watches *watches;
	struct logs *logs;
	struct proxies *proxies;
	struct map *runs;   /* the nodes' memory of their pods, see pod.c */
	struct map *phases; /* KubeBlocks' memory of its phases, see cluster.c */
	uint64_t addresses; /* given to pods and Services so far */
};

struct sim *sim_new(const struct settings *settings, uint64_t seed);
void sim_free(struct sim *sim);

enum { TIME_LENGTH = 32 };

/* "2026-11-24T06:00:00Z", some seconds from now. Returns `ret_text`. */
const char *sim_time(long long seconds_from_now, char ret_text[TIME_LENGTH]);

#endif
