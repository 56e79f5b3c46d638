/* Which files belong to a site: those that its fsa.conf names and, for the installed site, those
 * around it. */
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/backup.h"

/* For the installed site, all of: its configuration with certificates, nginx's files, what
 * `systemctl edit` made, and the enabled nginx site. */
static const char *const places[] = {
	FSA_SYSCONFDIR,
	"/etc/nginx/fullstack-agent",
	"/etc/nginx/sites-available/fullstack-agent*.conf",
	"/etc/systemd/system/fsa-*",
	"/etc/systemd/system/fullstack-agent*",
	(FSA_LOCALSTATEDIR "/lib/fullstack-agent/site"),
};

/* Longer than any private key in PEM. */
enum { SECRET_FILE_MAX = 64 * 1024 };

/* A key is private even if its file is readable by others. */
static bool is_private_key(const char *path)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(SECRET_FILE_MAX);

	return buf_read_file(&text, path, NULL) == 0 && text.data != NULL &&
	       strstr(text.data, "PRIVATE KEY-----") != NULL;
}

static void add(json_t *paths[BACKUP_PARTS], enum backup_part part, const char *path)
{
	if (json_object_get(paths[BACKUP_KEYS], path) == NULL &&
	    json_object_get(paths[BACKUP_DATA], path) == NULL)
		(void)json_object_set_new(paths[part], path, json_true());
}

static void add_found(json_t *paths[BACKUP_PARTS], const FTSENT *entry)
{
	bool open = (entry->fts_statp->st_mode & S_IROTH) != 0;

	if (entry->fts_info == FTS_D) { /* for its mode, if it contains anything */
		(void)json_object_set_new(paths[BACKUP_DATA], entry->fts_path, json_true());
		(void)json_object_set_new(paths[BACKUP_KEYS], entry->fts_path, json_true());
	} else if (entry->fts_info == FTS_F) {
		add(paths, open && !is_private_key(entry->fts_path) ? BACKUP_DATA : BACKUP_KEYS,
		    entry->fts_path);
	}
}

/* Follows links: certificates are often kept elsewhere. */
static void walk(json_t *paths[BACKUP_PARTS], char *const roots[])
{
	FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (tree != NULL && (entry = fts_read(tree)) != NULL)
		add_found(paths, entry);
	if (tree != NULL)
		(void)fts_close(tree);
}

static void add_places(json_t *paths[BACKUP_PARTS])
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		glob_t found;
		if (glob(places[i], 0, NULL, &found) == 0) {
			walk(paths, found.gl_pathv);
			globfree(&found);
		}
	}
}

/* Adds a file that the programs read; one that does not exist is no part of the site. */
static void add_option(json_t *paths[BACKUP_PARTS], const struct conf *conf,
		       enum conf_option option)
{
	const char *path = conf_string(conf, option);

	if (path != NULL && access(path, F_OK) == 0)
		add(paths, BACKUP_KEYS, path);
}

int backup_files_find(const struct call *call, json_t *ret_paths[BACKUP_PARTS], struct err *e)
{
	CLEANUP(cleanup_free) char *config = realpath(call->config_path, NULL);

	if (config == NULL || access(config, R_OK) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s cannot be read", call->config_path);
	/* Each half of a key pair is useless without the other, so public keys go with the private
	 * ones. */
	add_option(ret_paths, call->conf, CONF_OWNER_PUBLIC_KEY_FILE);
	add_option(ret_paths, call->conf, CONF_CLUSTER_PUBLIC_KEY_FILE);
	for (int option = 0; option < CONF_OPTION_COUNT; option++) {
		if (conf_spec((enum conf_option)option)->type == CONF_SECRET_FILE)
			add_option(ret_paths, call->conf, (enum conf_option)option);
	}
	add(ret_paths, BACKUP_DATA, config);
	if (strcmp(call->config_path, COMMAND_DEFAULT_CONFIG) == 0)
		add_places(ret_paths);
	return 0;
}
