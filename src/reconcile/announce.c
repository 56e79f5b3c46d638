#include "reconcile/announce.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "config.h"
#include "store/pass_host.h"

const char *announce_host(void)
{
	static char name[65];
	struct utsname host;

	if (name[0] == '\0' && uname(&host) == 0)
		(void)snprintf(name, sizeof(name), "%.64s", host.nodename);
	return name;
}

static json_t *key_ids(const struct keyring *ring)
{
	json_t *ids = json_array();
	char id[17];

	for (size_t i = 0; i < keyring_count(ring); i++) {
		keyring_id(ring, i, id);
		(void)json_array_append_new(ids, json_string(id));
	}
	return ids;
}

int announce_pass(const struct reconciler *r, char **ret_foreign_keys, struct err *e)
{
	CLEANUP(json_decrefp)
	json_t *keys = json_pack("{s:o, s:o}", "cluster", key_ids(r->cluster_private), "owner",
				 key_ids(r->desired.owner_private));
	const struct pass_host host = {
		.host = announce_host(),
		.version = PACKAGE_VERSION,
		.keys = keys,
	};

	return pass_host_announce(r->db, &host, ret_foreign_keys, e);
}
