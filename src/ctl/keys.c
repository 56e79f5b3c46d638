#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/seal.h"
#include "ctl/command.h"

static const struct {
	const char *name;
	enum conf_option public_file, private_file;
} rings[] = {
	{ "cluster", CONF_CLUSTER_PUBLIC_KEY_FILE, CONF_CLUSTER_PRIVATE_KEY_FILE },
	{ "owner", CONF_OWNER_PUBLIC_KEY_FILE, CONF_OWNER_PRIVATE_KEY_FILE },
};

int command_keys(const struct conf *conf, int argc, char **argv, struct err *e)
{
	char id[17];

	if (argc != 3 || strcmp(argv[1], "add") != 0)
		return err_set(e, ERR_INVALID, "USAGE", "usage: keys add cluster|owner");
	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		if (strcmp(rings[i].name, argv[2]) != 0)
			continue;
		const char *public_file = conf_string(conf, rings[i].public_file);
		const char *private_file = conf_string(conf, rings[i].private_file);
		if (keyring_add(public_file, private_file, id, e) < 0)
			return -1;
		(void)printf("added key %s to %s and %s\n", id, public_file, private_file);
		return 0;
	}
	return err_set(e, ERR_INVALID, "USAGE", "keys: \"%s\" is neither cluster nor owner",
		       argv[2]);
}
