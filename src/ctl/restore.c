/* fsactl restore: restores a site from what fsactl backup has written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/administrator.h"
#include "ctl/backup.h"
#include "ctl/child.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "db/migrate.h"
#include "store/admin_backup.h"

struct restore {
	const struct call *call;
	const char *folder;
	bool replace; /* whether to replace existing data */
	bool start;   /* whether fsa-setup sets up the site */
	json_t *manifests[BACKUP_PARTS];
	struct conf *conf; /* the backup's */
	struct db *db;
};

static void restore_clear(struct restore *r)
{
	for (unsigned part = 0; part < BACKUP_PARTS; part++)
		json_decref(r->manifests[part]);
	conf_free(r->conf);
	db_free(r->db);
}

/* ---- before anything is changed -------------------------------------------------------------- */

static bool has_key(const json_t *keys, const char *id)
{
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key)
	{
		if (strcmp(json_string_value(key), id) == 0)
			return true;
	}
	return false;
}

/* The parts may come from different backups, if these keys open that data. */
static int check_match(const struct restore *r, struct err *e)
{
	const json_t *data = r->manifests[BACKUP_DATA];
	const json_t *keys = json_object_get(r->manifests[BACKUP_KEYS], "keys");
	size_t i;
	json_t *key;

	json_array_foreach(json_object_get(data, "keys"), i, key)
	{
		if (!has_key(keys, json_string_value(key)))
			return err_set(
				e, ERR_INVALID, "KEYS_DO_NOT_MATCH",
				"%s/keys lacks key %s, to which values in %s/data are "
				"sealed: take the keys of a backup from the same time, or later",
				r->folder, json_string_value(key), r->folder);
	}
	return 0;
}

static const char *migrations(const struct restore *r)
{
	const char *directory = r->call->options[OPTION_SQL_DIR];

	return directory ? directory : FSA_DATADIR "/sql";
}

static int check_version(const struct restore *r, struct err *e)
{
	const json_t *data = r->manifests[BACKUP_DATA];
	unsigned latest;

	if (migrate_latest(migrations(r), &latest, e) < 0)
		return -1;
	if (row_number(data, "schema") > latest)
		return err_set(
			e, ERR_INVALID, "BACKUP_NEWER",
			"the backup is of version %s, whose schema is newer than that of this "
			"version: install that one first",
			row_text(data, "version"));
	return 0;
}

/* Loads the backup's fsa.conf before it is installed. */
static int load_conf(struct restore *r, struct err *e)
{
	const char *config = row_text(r->manifests[BACKUP_DATA], "config");
	CLEANUP(cleanup_free) char *archive = backup_path(r->folder, BACKUP_DATA, BACKUP_ARCHIVE);
	CLEANUP(cleanup_close) int fd = memfd_create("fsa.conf", MFD_CLOEXEC);
	CLEANUP(cleanup_free) char *path = mem_printf("/proc/self/fd/%d", fd);
	const char *const argv[] = { "tar",
				     "--extract",
				     "--to-stdout",
				     "--file",
				     archive,
				     "--",
				     config + (config[0] == '/'),
				     NULL };

	if (fd < 0)
		return err_set(e, ERR_INTERNAL, NULL, "%s", strerror(errno));
	if (child_run(argv, fd, e) < 0)
		return -1;
	if (conf_load(path, &r->conf, e) < 0)
		return err_wrap(e, "%s, as it is in the backup", config);
	return 0;
}

static int check_no_keys(const struct restore *r, struct err *e)
{
	static const enum conf_option files[] = { CONF_OWNER_PRIVATE_KEY_FILE,
						  CONF_CLUSTER_PRIVATE_KEY_FILE };

	for (size_t i = 0; i < ARRAY_SIZE(files) && !r->replace; i++) {
		const char *path = conf_string(r->conf, files[i]);
		if (access(path, F_OK) == 0)
			return err_set(
				e, ERR_CONFLICT, "IN_USE",
				"%s is there already: a restore is for an empty host. With "
				"--replace it takes the place of what is here, which is lost",
				path);
	}
	return 0;
}

/* Checks that PostgreSQL lets us in, and that its contents may be replaced. */
static int check_database(const struct restore *r, bool *ret_answers, struct err *e)
{
	bool used;

	*ret_answers = db_ping(r->db, e) == 0;
	if (!*ret_answers)
		return 0;
	if (admin_is_in_use(r->db, &used, e) < 0)
		return -1;
	if (used && !r->replace)
		return err_set(
			e, ERR_CONFLICT, "IN_USE",
			"the database is in use: a restore is for an empty one. With --replace "
			"it takes the place of what is there, which is lost");
	return 0;
}

static int open_backup(struct restore *r, struct err *e)
{
	for (unsigned part = 0; part < BACKUP_PARTS; part++) {
		if (backup_part_read(r->folder, (enum backup_part)part, &r->manifests[part], e) < 0)
			return -1;
	}
	if (check_match(r, e) < 0 || check_version(r, e) < 0 || load_conf(r, e) < 0)
		return -1;
	r->db = call_database_patient(&(struct call) { .conf = r->conf });
	return check_no_keys(r, e);
}

/* ---- restoring ------------------------------------------------------------------------------- */

/* Unpacks with owners, by name, and modes. */
static int unpack(const struct restore *r, enum backup_part part, struct err *e)
{
	CLEANUP(cleanup_free) char *archive = backup_path(r->folder, part, BACKUP_ARCHIVE);
	const char *const argv[] = {
		"tar", "--extract", "--directory=/", "--same-permissions", "--file", archive, NULL
	};

	return child_run(argv, -1, e);
}

/* Its output is not part of --json. */
static int set_up(const struct restore *r, const char *what, struct err *e)
{
	const char *const argv[] = { "fsa-setup", what, NULL };

	return r->start ? child_run(argv, STDERR_FILENO, e) : 0;
}

/* Unlike other parts of a connection string, the database's name is no secret. */
static char *database_name(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	char *name = NULL;

	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
			name = mem_strdup(o->val);
	}
	PQconninfoFree(options);
	return name ? name : mem_strdup("fsa_owner");
}

static int load_dump(const struct restore *r, struct err *e)
{
	const char *conninfo = conf_string(r->conf, CONF_DATABASE);
	CLEANUP(cleanup_free) char *dump = backup_path(r->folder, BACKUP_DATA, BACKUP_DUMP);
	CLEANUP(cleanup_free) char *name = database_name(conninfo);
	const char *const argv[] = { "pg_restore",
				     "--exit-on-error",
				     "--single-transaction",
				     "--no-password",
				     "--dbname",
				     name,
				     dump,
				     NULL };

	return child_run_postgres(conninfo, "fsa_owner", argv, e);
}

static int migrate(const struct restore *r, struct err *e)
{
	CLEANUP(migrations_clear) struct migrations applied = { 0 };

	return migrate_apply(r->db, migrations(r), &applied, e);
}

/* Migrations first make the roles that the dump uses, and later upgrade an older dump. If it fails,
 * the former data is restored. */
static int restore_database(const struct restore *r, struct err *e)
{
	struct err other;

	if (migrate(r, e) < 0 || admin_put_aside(r->db, e) < 0)
		return -1;
	if (load_dump(r, e) < 0) {
		(void)admin_bring_back(r->db, &other);
		return err_wrap(e, "the database is as it was before");
	}
	if (admin_drop_aside(r->db, e) < 0 || migrate(r, e) < 0)
		return -1;
	return administrator_note(r->db, "admin.restore", NULL, NULL, e);
}

static int stop_services(const struct restore *r, struct err *e)
{
	static const char *const argv[] = { "systemctl", "stop", "fullstack-agent.target", "fsa-*",
					    NULL };

	return r->start && r->replace ? child_run(argv, -1, e) : 0;
}

/* The keys come last: until they are restored, the same command can be run again. */
static int put_back(const struct restore *r, struct err *e)
{
	bool answers;

	if (check_database(r, &answers, e) < 0 || stop_services(r, e) < 0 ||
	    unpack(r, BACKUP_DATA, e) < 0)
		return -1;
	if (!answers && (set_up(r, "database", e) < 0 || db_ping(r->db, e) < 0 ||
			 check_database(r, &answers, e) < 0))
		return -1;
	if (restore_database(r, e) < 0 || unpack(r, BACKUP_KEYS, e) < 0)
		return -1;
	if (set_up(r, "all", e) < 0)
		return err_wrap(
			e, "all is put back, but the site does not run yet; mend that, and run "
			   "fsa-setup");
	return 0;
}

static void print_restore(const struct restore *r)
{
	const char *at = row_text(r->manifests[BACKUP_DATA], "madeAt");
	CLEANUP(json_decrefp)
	json_t *done = json_pack("{s:s, s:s, s:b}", "folder", r->folder, "madeAt", at, "started",
				 r->start);

	if (output_json(r->call, done))
		return;
	(void)printf("The site is as it was at %s.\n", at);
	if (!r->start)
		(void)puts("Nothing was started: fsa-setup does.");
	(void)puts(
		"Next: fsactl doctor. What was made in the clusters since then has no row any "
		"more: "
		"fsactl orphans lists it. Certificates are files now, also where they were links "
		"to those of an ACME client: link them again when it renews here.");
}

int command_restore(const struct call *call, struct err *e)
{
	CLEANUP(restore_clear)
	struct restore r = {
		.call = call,
		.folder = call->arguments[0],
		.replace = call->options[OPTION_REPLACE] != NULL,
		.start = call->options[OPTION_NO_START] == NULL,
	};

	(void)umask(022); /* for missing folders; restored files have their own modes */
	if (open_backup(&r, e) < 0 || put_back(&r, e) < 0)
		return -1;
	print_restore(&r);
	return 0;
}
