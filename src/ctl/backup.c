/* fsactl backup: everything that is needed to restore a site elsewhere. */
#include "ctl/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "config.h"
#include "ctl/administrator.h"
#include "ctl/child.h"
#include "ctl/keys.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "store/admin_backup.h"

struct backup {
	const struct call *call;
	char *folder; /* the final path */
	char *part;   /* the path until the backup is complete; removed with this struct */
	int lock;
	struct admin_snapshot snapshot;
	json_t *paths[BACKUP_PARTS];
	json_t *keys;    /* rows of keys_state() */
	bool is_missing; /* a key is missing to which something is sealed */
};

static void backup_clear(struct backup *b)
{
	if (b->lock >= 0)
		backup_folder_remove(b->part);
	cleanup_close(&b->lock);
	for (unsigned part = 0; part < BACKUP_PARTS; part++)
		json_decref(b->paths[part]);
	json_decref(b->keys);
	free(b->folder);
	free(b->part);
}

/* Refuses to overwrite another backup; an incomplete one has a different name. */
static int backup_begin(struct backup *b, const struct call *call, struct err *e)
{
	size_t length = strlen(call->arguments[0]);
	struct stat st;

	b->call = call;
	while (length > 1 && call->arguments[0][length - 1] == '/')
		length--;
	b->folder = mem_printf("%.*s", (int)length, call->arguments[0]);
	b->part = mem_printf("%s.part", b->folder);
	if (lstat(b->folder, &st) == 0)
		return err_set(e, ERR_CONFLICT, NULL,
			       "%s exists: a backup is not written over something else", b->folder);
	for (unsigned part = 0; part < BACKUP_PARTS; part++)
		b->paths[part] = json_object();
	(void)umask(077);
	if (backup_files_find(call, b->paths, e) < 0)
		return -1;
	return backup_folder_make(b->part, &b->lock, e);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static int dump_database(const struct backup *b, struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(b->part, BACKUP_DATA, BACKUP_DUMP);
	const char *const argv[] = { "pg_dump",
				     "--format=custom",
				     "--no-password",
				     "--snapshot",
				     b->snapshot.id,
				     "--exclude-schema=fsa_before_restore",
				     "--file",
				     path,
				     NULL };

	return child_run_postgres(conf_string(b->call->conf, CONF_DATABASE), "fsa_owner", argv, e);
}

/* Paths are relative to the root, so that nothing is unpacked elsewhere. Links are replaced by
 * their targets, which may not exist on the host of the restore. */
static int archive(const struct backup *b, enum backup_part part, struct err *e)
{
	static const char *const words[] = { "tar", "--create", "--dereference", "--no-recursion",
					     "--directory=/" };
	CLEANUP(cleanup_free) char *path = backup_path(b->part, part, BACKUP_ARCHIVE);
	CLEANUP(cleanup_free) char *file = mem_printf("--file=%s", path);
	CLEANUP(cleanup_free)
	const char **argv =
		mem_calloc(ARRAY_SIZE(words) + json_object_size(b->paths[part]) + 3, sizeof(*argv));
	size_t count = ARRAY_SIZE(words);
	const char *found;
	json_t *unused;

	memcpy(argv, words, sizeof(words));
	argv[count++] = file;
	argv[count++] = "--";
	json_object_foreach(b->paths[part], found, unused)
	{
		argv[count++] = found + 1;
	}
	return child_run(argv, -1, e);
}

/* Reads all of it once, as a restore would. */
static int check(const struct backup *b, struct err *e)
{
	CLEANUP(cleanup_free) char *dump = backup_path(b->part, BACKUP_DATA, BACKUP_DUMP);
	const char *const restore[] = { "pg_restore", "--file=/dev/null", "--", dump, NULL };

	if (child_run(restore, -1, e) < 0)
		return -1;
	for (unsigned part = 0; part < BACKUP_PARTS; part++) {
		CLEANUP(cleanup_free)
		char *path = backup_path(b->part, (enum backup_part)part, BACKUP_ARCHIVE);
		const char *const list[] = { "tar", "--list", "--file", path, NULL };
		if (child_run(list, -1, e) < 0)
			return -1;
	}
	return 0;
}

/* Lists ids of keys: for the data, those that something is sealed to; for the keys, all. A key that
 * no file has any more is in neither list: it does not make the rest unusable. */
static json_t *list_keys(const struct backup *b, enum backup_part part)
{
	json_t *ids = json_array();
	size_t i;
	json_t *row;

	json_array_foreach(b->keys, i, row)
	{
		if (strcmp(row_text(row, "state"), "missing") != 0 &&
		    (part == BACKUP_KEYS || row_number(row, "sealed") > 0))
			(void)json_array_append(ids, json_object_get(row, "id"));
	}
	return ids;
}

static int finish(const struct backup *b, enum backup_part part, struct err *e)
{
	CLEANUP(cleanup_free) char *config = realpath(b->call->config_path, NULL);
	CLEANUP(json_decrefp)
	json_t *manifest = json_pack(
		"{s:i, s:s, s:s, s:s, s:i, s:s?, s:o}", "format", BACKUP_FORMAT, "part",
		backup_part_name(part), "madeAt", b->snapshot.at, "version", PACKAGE_VERSION,
		"schema", b->snapshot.schema, "config", config, "keys", list_keys(b, part));

	return backup_part_finish(b->part, part, manifest, e);
}

/* Dumps the database in one snapshot, then copies the keys. A key that is added meanwhile is in
 * the files before anything is sealed to it. A key that is removed by hand meanwhile is noticed,
 * because the keys that the dump needs are counted in the same snapshot, after the files were
 * read. */
static int write_parts(struct backup *b, struct db *tx, struct err *e)
{
	if (admin_snapshot(tx, &b->snapshot, e) < 0 || dump_database(b, e) < 0 ||
	    archive(b, BACKUP_DATA, e) < 0 || archive(b, BACKUP_KEYS, e) < 0 ||
	    keys_state(b->call, tx, &b->keys, &b->is_missing, e) < 0 || check(b, e) < 0)
		return -1;
	return finish(b, BACKUP_DATA, e) < 0 ? -1 : finish(b, BACKUP_KEYS, e);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Renames it: from here on it is a backup. */
static int give_name(struct backup *b, struct err *e)
{
	CLEANUP(cleanup_free) char *parent = mem_printf("%s/..", b->folder);

	if (backup_folder_sync(b->part, e) < 0)
		return -1;
	if (rename(b->part, b->folder) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", b->folder, strerror(errno));
	cleanup_close(&b->lock);
	b->lock = -1;
	return backup_folder_sync(parent, e);
}

static void print_backup(const struct backup *b)
{
	CLEANUP(json_decrefp)
	json_t *made =
		json_pack("{s:s, s:s, s:i, s:b}", "folder", b->folder, "madeAt", b->snapshot.at,
			  "schema", b->snapshot.schema, "keysMissing", b->is_missing);

	if (output_json(b->call, made))
		return;
	(void)printf(
		"%s/data   the database as of %s, and the configuration\n"
		"%s/keys   the keys that open it, and other secrets\n"
		"Both were read again and are whole. Keep them in different places: who has both "
		"has everything.\n",
		b->folder, b->snapshot.at, b->folder);
	if (b->is_missing)
		(void)puts(
			"Some values are sealed to keys that are in no file, and cannot be opened, "
			"neither here nor after a restore: see fsactl keys list");
}

int command_backup(const struct call *call, struct err *e)
{
	CLEANUP(backup_clear) struct backup b = { .lock = -1 };
	CLEANUP(db_freep) struct db *db = call_database_patient(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (backup_begin(&b, call, e) < 0 ||
	    administrator_note(db, "admin.backup", NULL, NULL, e) < 0 || db_begin(db, &tx, e) < 0 ||
	    write_parts(&b, tx, e) < 0 || give_name(&b, e) < 0)
		return -1;
	print_backup(&b);
	return b.is_missing ? 1 : 0;
}
