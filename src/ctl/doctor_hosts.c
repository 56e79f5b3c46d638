/* Checks of the hosts that run passes: whether they do, and whether all have the same keys. */
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/doctor.h"
#include "ctl/keys.h"
#include "ctl/output.h"
#include "store/pass_host.h"

static const char *const rings[] = { "cluster", "owner" };

static const char *name_of(const json_t *host)
{
	return json_string_value(json_object_get(host, "host"));
}

static bool is_late(const json_t *host)
{
	return json_integer_value(json_object_get(host, "ageMs")) > PASS_HOST_LATE_MS;
}

static bool has_key(const json_t *host, const char *ring, const char *id)
{
	const json_t *ids = json_object_get(json_object_get(host, "keys"), ring);
	size_t i;
	json_t *own;

	json_array_foreach(ids, i, own)
	{
		if (strcmp(json_string_value(own), id) == 0)
			return true;
	}
	return false;
}

/* Finds a host that has a key which another host lacks; NULL if there is none. */
static const char *find_holder(const json_t *hosts, const char *ring, const char *id)
{
	size_t i;
	json_t *host;

	json_array_foreach(hosts, i, host)
	{
		if (has_key(host, ring, id))
			return name_of(host);
	}
	return NULL;
}

/* A key that no host has is reported with the keys of this host. */
static void judge_key(struct doctor *d, const json_t *hosts, const json_t *host, const char *ring,
		      const char *id, const json_t *count)
{
	const char *holder = find_holder(hosts, ring, id);

	if (holder == NULL || has_key(host, ring, id))
		return;
	CLEANUP(cleanup_free)
	char *advice =
		mem_printf("copy /etc/fullstack-agent/keys from %s to %s, and on both: "
			   "systemctl restart fsa-api fsa-auth; all hosts of a site have the "
			   "same keys. What only this host has a key for, if anything, has to "
			   "be kept in both files",
			   holder, name_of(host));
	doctor_say(d, HEALTH_FAILED, name_of(host), advice,
		   "its passes do not have the %s key %s, to which %lld values are sealed; %s has",
		   ring, id, (long long)json_integer_value(count), holder);
}

static void judge_keys(struct doctor *d, const json_t *hosts, const char *ring)
{
	CLEANUP(json_decrefp) json_t *counts = json_object();
	const char *id;
	json_t *count, *host;
	size_t i;
	struct err e;

	if (keys_count(d->db, ring, counts, &e) < 0)
		return; /* reported with the secrets */
	json_array_foreach(hosts, i, host)
	{
		json_object_foreach(counts, id, count)
		{
			if (!is_late(host))
				judge_key(d, hosts, host, ring, id, count);
		}
	}
}

/* Returns the newest of its keys, which new values are sealed to. */
static const char *newest_key(const json_t *host, const char *ring)
{
	const json_t *ids = json_object_get(json_object_get(host, "keys"), ring);
	const char *id = json_string_value(json_array_get(ids, 0));

	return id != NULL ? id : "none";
}

static void judge_age(struct doctor *d, const json_t *host, enum health when_late)
{
	CLEANUP(cleanup_free)
	char *age = output_duration((uint64_t)json_integer_value(json_object_get(host, "ageMs")));
	const char *version = json_string_value(json_object_get(host, "version"));

	if (is_late(host))
		doctor_say(
			d, when_late, name_of(host),
			"there: systemctl status fsa-reconcile.timer fsa-reconcile, and journalctl "
			"-u fsa-reconcile; a host that is no more is forgotten after a week",
			"no pass has been at work for %s (version %s)", age, version);
	else
		doctor_say(d, HEALTH_OK, name_of(host), NULL,
			   "a pass was at work %s ago (version %s, cluster key %s, owner key %s)",
			   age, version, newest_key(host, "cluster"), newest_key(host, "owner"));
}

void doctor_hosts(struct doctor *d)
{
	CLEANUP(json_decrefp) json_t *hosts = NULL;
	enum health when_late = HEALTH_FAILED; /* only a warning if another host works */
	size_t i;
	json_t *host;
	struct err e;

	if (pass_host_list(d->db, &hosts, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "passes", "run fsactl migrate", &e);
		return;
	}
	json_array_foreach(hosts, i, host)
	{
		if (!is_late(host))
			when_late = HEALTH_WARNING;
	}
	json_array_foreach(hosts, i, host)
	{
		judge_age(d, host, when_late);
	}
	if (json_array_size(hosts) == 0)
		doctor_say(d, HEALTH_FAILED, "passes",
			   "systemctl status fsa-reconcile.timer fsa-reconcile, and journalctl -u "
			   "fsa-reconcile",
			   "none has ever been at work");
	for (i = 0; i < ARRAY_SIZE(rings); i++)
		judge_keys(d, hosts, rings[i]);
}
