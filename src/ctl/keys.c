#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/seal.h"
#include "ctl/command.h"
#include "ctl/output.h"

static const struct {
	const char *name;
	enum conf_option public_file, private_file;
} rings[] = {
	{ "cluster", CONF_CLUSTER_PUBLIC_KEY_FILE, CONF_CLUSTER_PRIVATE_KEY_FILE },
	{ "owner", CONF_OWNER_PUBLIC_KEY_FILE, CONF_OWNER_PRIVATE_KEY_FILE },
};

static void print_added(const struct call *call, const char *id, const char *public_file,
			const char *private_file)
{
	json_t *added = json_pack("{s:s, s:s, s:s}", "id", id, "publicFile", public_file,
				  "privateFile", private_file);

	if (!output_json(call, added))
		(void)printf("added key %s to %s and %s\n", id, public_file, private_file);
	json_decref(added);
}

int command_keys_add(const struct call *call, struct err *e)
{
	const char *name = call->arguments[0];
	char id[17];

	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		if (strcmp(rings[i].name, name) != 0)
			continue;
		const char *public_file = conf_string(call->conf, rings[i].public_file);
		const char *private_file = conf_string(call->conf, rings[i].private_file);
		if (keyring_add(public_file, private_file, id, e) < 0)
			return -1;
		print_added(call, id, public_file, private_file);
		return 0;
	}
	return err_set(e, ERR_INVALID, "USAGE", "keys: \"%s\" is neither cluster nor owner", name);
}
