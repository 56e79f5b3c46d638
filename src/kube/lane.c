#include "kube/lane.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

TAILQ_HEAD(asker_list, kube_asker);

struct kube_lane {
	char *server;
	size_t under_way;
	struct asker_list waiting; /* whose turn it is comes first, and then goes to the end */
	TAILQ_ENTRY(kube_lane) link;
};

struct kube_lanes {
	void *by_server; /* tsearch(3) tree */
	TAILQ_HEAD(, kube_lane) all;
};

void kube_asker_init(struct kube_asker *asker)
{
	*asker = (struct kube_asker) { 0 };
	TAILQ_INIT(&asker->waiting);
}

struct kube_lanes *kube_lanes_new(void)
{
	struct kube_lanes *lanes = mem_calloc(1, sizeof(*lanes));

	TAILQ_INIT(&lanes->all);
	return lanes;
}

static void free_lane(void *node)
{
	struct kube_lane *lane = node;

	free(lane->server);
	free(lane);
}

void kube_lanes_free(struct kube_lanes *lanes)
{
	tdestroy(lanes->by_server, free_lane);
	free(lanes);
}

static int compare_lanes(const void *a, const void *b)
{
	return strcmp(((const struct kube_lane *)a)->server, ((const struct kube_lane *)b)->server);
}

static struct kube_lane *find_lane(struct kube_lanes *lanes, const char *server)
{
	struct kube_lane *lane = mem_calloc(1, sizeof(*lane));

	lane->server = mem_strdup(server);
	struct kube_lane **found = tsearch(lane, &lanes->by_server, compare_lanes);
	if (*found != lane) {
		free_lane(lane);
		return *found;
	}
	TAILQ_INIT(&lane->waiting);
	TAILQ_INSERT_TAIL(&lanes->all, lane, link);
	return lane;
}

static bool has_place(const struct kube_lane *lane, const struct kube_asker *asker)
{
	size_t reserved = asker->under_way > 0 ? KUBE_LANE_RESERVED : 0;

	return lane->under_way < KUBE_LANE_PLACES - reserved;
}

static void take_place(struct kube_turn *turn)
{
	turn->lane->under_way++;
	turn->asker->under_way++;
}

static void start_waiting(struct kube_turn *turn)
{
	struct kube_asker *asker = turn->asker;

	if (TAILQ_EMPTY(&asker->waiting))
		TAILQ_INSERT_TAIL(&turn->lane->waiting, asker, link);
	TAILQ_INSERT_TAIL(&asker->waiting, turn, link);
}

/* Takes out the asker's first, and puts the asker behind all others if there are more. */
static struct kube_turn *stop_waiting(struct kube_lane *lane, struct kube_asker *asker)
{
	struct kube_turn *turn = TAILQ_FIRST(&asker->waiting);

	TAILQ_REMOVE(&asker->waiting, turn, link);
	TAILQ_REMOVE(&lane->waiting, asker, link);
	if (!TAILQ_EMPTY(&asker->waiting))
		TAILQ_INSERT_TAIL(&lane->waiting, asker, link);
	return turn;
}

bool kube_lane_enter(struct kube_lanes *lanes, const char *server, struct kube_turn *turn)
{
	turn->lane = find_lane(lanes, server);
	if (TAILQ_EMPTY(&turn->asker->waiting) && has_place(turn->lane, turn->asker)) {
		take_place(turn);
		return true;
	}
	start_waiting(turn);
	return false;
}

struct kube_turn *kube_lane_leave(struct kube_turn *turn)
{
	struct kube_lane *lane = turn->lane;
	struct kube_asker *asker;

	turn->lane = NULL;
	lane->under_way--;
	turn->asker->under_way--;
	TAILQ_FOREACH(asker, &lane->waiting, link)
	{
		if (!has_place(lane, asker))
			continue;
		struct kube_turn *next = stop_waiting(lane, asker);
		take_place(next);
		return next;
	}
	return NULL;
}

struct kube_turn *kube_lane_late(struct kube_lane *lane, int64_t now_ms)
{
	struct kube_asker *asker;

	TAILQ_FOREACH(asker, &lane->waiting, link)
	{
		if (TAILQ_FIRST(&asker->waiting)->until_ms > now_ms)
			continue;
		struct kube_turn *turn = stop_waiting(lane, asker);
		turn->lane = NULL;
		return turn;
	}
	return NULL;
}

struct kube_turn *kube_lanes_late(struct kube_lanes *lanes, int64_t now_ms)
{
	struct kube_lane *lane;

	TAILQ_FOREACH(lane, &lanes->all, link)
	{
		struct kube_turn *turn = kube_lane_late(lane, now_ms);
		if (turn != NULL)
			return turn;
	}
	return NULL;
}
