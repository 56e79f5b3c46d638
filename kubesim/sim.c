#include "sim.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "controllers.h"
#include "log.h"
#include "proxy.h"

static void changed(void *user, const struct object *before, const struct object *after)
{
	struct sim *sim = user;

	watches_changed(sim->watches, store_version(sim->store), before, after);
	controllers_changed(sim, before, after);
}

struct sim *sim_new(const struct settings *settings, uint64_t seed)
{
	struct sim *sim = mem_calloc(1, sizeof(*sim));

	sim->settings = *settings;
	sim->seed = seed;
	sim->rng.state = seed;
	sim->fault_rng.state = ~seed;
	sim->timers = timers_new();
	sim->queue = queue_new(sim->timers, controllers_handle, sim);
	sim->watches = watches_new(sim->timers);
	sim->store = store_new(changed, sim);
	sim->users = users_new();
	sim->faults = faults_new();
	sim->effects = effects_new(seed);
	sim->counters = counters_new();
	sim->logs = logs_new();
	sim->proxies = proxies_new();
	sim->runs = map_new();
	sim->phases = map_new();
	return sim;
}

static void visit_free(void *user, const char *key, void *value)
{
	(void)user;
	(void)key;
	free(value);
}

void sim_free(struct sim *sim)
{
	if (sim == NULL)
		return;
	map_visit(sim->runs, visit_free, NULL);
	map_free(sim->runs);
	map_visit(sim->phases, visit_free, NULL);
	map_free(sim->phases);
	snapshot_free(sim->snapshot);
	counters_free(sim->counters);
	proxies_free(sim->proxies);
	logs_free(sim->logs);
	effects_free(sim->effects);
	faults_free(sim->faults);
	users_free(sim->users);
	store_free(sim->store);
	watches_free(sim->watches);
	queue_free(sim->queue);
	timers_free(sim->timers);
	free(sim);
}

const char *sim_time(long long seconds_from_now, char ret_text[TIME_LENGTH])
{
	time_t at = time(NULL) + (time_t)seconds_from_now;
	struct tm parts;

	gmtime_r(&at, &parts);
	strftime(ret_text, TIME_LENGTH, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return ret_text;
}
