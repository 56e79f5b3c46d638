/* Checks of the key files: what they open, who can read them, and how to repair them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "ctl/doctor.h"
#include "ctl/keys.h"
#include "ctl/service.h"
#include "ctl/units.h"

static const struct ring {
	const char *name;
	enum conf_option public_file, private_file;
} rings[] = {
	{ "owner", CONF_OWNER_PUBLIC_KEY_FILE, CONF_OWNER_PRIVATE_KEY_FILE },
	{ "cluster", CONF_CLUSTER_PUBLIC_KEY_FILE, CONF_CLUSTER_PRIVATE_KEY_FILE },
};

enum finding { KEY_MISSING, KEY_UNREADABLE, KEY_EXPOSED, KEY_BROKEN, KEY_NO_PAIR, KEY_FINDINGS };

/* What to do on a site that has data sealed to the keys, and on one without; RING stands for the
 * ring's name. */
static const struct {
	const char *with_data, *without_data;
} remedies[KEY_FINDINGS] = {
	[KEY_MISSING] = { "put the file back, from another host of this site or from the backup, "
			  "as "
			  "old as the database; a new key opens nothing that is stored",
			  "nothing is stored yet: fsactl keys add RING makes the keys" },
	[KEY_UNREADABLE] = { "run fsactl doctor as root: the private keys are root's",
			     "run fsactl doctor as root: the private keys are root's" },
	[KEY_EXPOSED] = { "chmod 600 the file; whoever has been on this host may have the key, so "
			  "make "
			  "another one: fsactl keys add RING, systemctl restart fsa-api fsa-auth, "
			  "then "
			  "fsactl keys rotate RING; what was sealed to it may be known",
			  "chmod 600 the file; nothing is stored yet, so another key costs "
			  "nothing: "
			  "fsactl keys add RING" },
	[KEY_BROKEN] = { "put the file back, from another host of this site or from the backup, as "
			 "old as the database",
			 "nothing is stored yet: remove both files and run fsactl keys add RING" },
	[KEY_NO_PAIR] = { "both files belong together: copy them from one place, another host of "
			  "this "
			  "site or one backup",
			  "nothing is stored yet: remove both files and run fsactl keys add RING" },
};

/* If the database cannot be asked, assumes that there is data. */
static bool has_data(struct doctor *d, const struct ring *ring)
{
	CLEANUP(json_decrefp) json_t *counts = json_object();
	struct err e;

	return !d->database_answers || keys_count(d->db, ring->name, counts, &e) < 0 ||
	       json_object_size(counts) > 0;
}

/* The caller frees. */
static char *fill(const char *text, const char *ring)
{
	static const char place[] = "RING";
	char *filled = mem_strdup("");

	for (const char *next; (next = strstr(text, place)) != NULL; text = next + strlen(place)) {
		CLEANUP(cleanup_free) char *before = STEAL(filled);
		filled = mem_printf("%s%.*s%s", before, (int)(next - text), text, ring);
	}
	CLEANUP(cleanup_free) char *before = STEAL(filled);
	return mem_printf("%s%s", before, text);
}

static void report_finding(struct doctor *d, const struct ring *ring, enum finding finding,
			   const struct err *e)
{
	const char *remedy =
		has_data(d, ring) ? remedies[finding].with_data : remedies[finding].without_data;
	CLEANUP(cleanup_free) char *advice = fill(remedy, ring->name);

	doctor_say_error(d, HEALTH_FAILED, ring->name, advice, e);
}

/* Finds why a file cannot be loaded. */
static enum finding find_reason(const char *path, bool private)
{
	enum { FORBIDDEN_MODE = 0027 }; /* as crypto/keyring.c */
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? KEY_MISSING : KEY_UNREADABLE;
	if (private && fstat(fd, &status) == 0 && (status.st_mode & FORBIDDEN_MODE) != 0)
		return KEY_EXPOSED;
	return KEY_BROKEN;
}

/* Checks that what is sealed with the public key can be opened. */
static int try_keys(const char *public_file, const char *private_file, enum finding *ret_finding,
		    struct err *e)
{
	static const char context[] = "doctor", secret[] = "secret";
	CLEANUP(keyring_freep) struct keyring *public_ring = NULL;
	CLEANUP(keyring_freep) struct keyring *private_ring = NULL;
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(1024);
	CLEANUP(buf_release) struct buf opened = BUF_INIT(1024);

	*ret_finding = find_reason(private_file, true);
	if (keyring_load_private(private_file, &private_ring, e) < 0)
		return -1;
	*ret_finding = find_reason(public_file, false);
	if (keyring_load_public(public_file, &public_ring, e) < 0)
		return -1;
	*ret_finding = KEY_NO_PAIR;
	if (seal(public_ring, context, secret, strlen(secret), &sealed, e) < 0)
		return -1;
	if (unseal(private_ring, context, sealed.data, sealed.length, &opened, e) < 0)
		return err_wrap(e, "%s and %s are no pair", public_file, private_file);
	return 0;
}

/* ---- as the services see them ---------------------------------------------------------------- */

/* Private keys are not listed: systemd passes them, as root. */
static const struct {
	const char *user;
	enum conf_option file;
} read_by[] = {
	{ "fsa-api", CONF_CLUSTER_PUBLIC_KEY_FILE },
	{ "fsa-auth", CONF_CLUSTER_PUBLIC_KEY_FILE },
	{ "fsa-auth", CONF_PROVIDER_CA_FILE },
	{ "fsa-auth", CONF_SEALOS_JWT_SECRET_FILE },
	{ "fsa-auth", CONF_GITHUB_CLIENT_SECRET_FILE },
	{ "fsa-auth", CONF_OIDC_CLIENT_SECRET_FILE },
	{ "fsa-reconcile", CONF_OWNER_PUBLIC_KEY_FILE },
	{ "fsa-reconcile", CONF_OPERATOR_ENV_FILE },
};

static bool is_public_key(enum conf_option file)
{
	return file == CONF_CLUSTER_PUBLIC_KEY_FILE || file == CONF_OWNER_PUBLIC_KEY_FILE;
}

static void report_unreadable(struct doctor *d, size_t i, const char *path, int error)
{
	CLEANUP(cleanup_free)
	char *advice =
		is_public_key(read_by[i].file)
			? mem_printf("chmod 644 %s, and 755 its folder: the key is public", path)
			: mem_printf("chgrp %s %s && chmod 640 %s", read_by[i].user, path, path);

	doctor_say(d, HEALTH_FAILED, read_by[i].user, advice, "cannot read %s (%s): %s", path,
		   conf_spec(read_by[i].file)->name, strerror(error));
}

/* Tries to read as each service's own user, which only root can; without the service, there is no
 * such user. Files that systemd passes are read by root. */
static void check_readers(struct doctor *d)
{
	const struct conf *conf = d->call->conf;
	size_t readable = 0;

	for (size_t i = 0; geteuid() == 0 && i < ARRAY_SIZE(read_by); i++) {
		const char *path = conf_string(conf, read_by[i].file);
		int error;
		if (path == NULL || !service_open(read_by[i].user, path, &error))
			continue;
		if (error != 0 && !units_hand_over(read_by[i].user, path))
			report_unreadable(d, i, path, error);
		else
			readable++;
	}
	if (readable > 0)
		doctor_say(d, HEALTH_OK, "services", NULL,
			   "%zu files can be read by the services' own users", readable);
}

void doctor_keys(struct doctor *d)
{
	const struct conf *conf = d->call->conf;
	enum finding finding;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		const char *private_file = conf_string(conf, rings[i].private_file);
		const char *public_file = conf_string(conf, rings[i].public_file);
		if (try_keys(public_file, private_file, &finding, &e) < 0)
			report_finding(d, &rings[i], finding, &e);
		else
			doctor_say(d, HEALTH_OK, rings[i].name, NULL, "%s opens what is sealed",
				   private_file);
	}
	check_readers(d);
}
