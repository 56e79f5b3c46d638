/* One part of a backup: its files, checksums and manifest. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/backup.h"

#define SUMS "SHA256SUMS"

enum { HASH_DIGITS = 2 * crypto_hash_sha256_BYTES, SUMS_MAX = 4096, CHUNK = 65536 };

/* The files that have checksums. */
static const struct part {
	const char *name;
	const char *files[4];
} parts[BACKUP_PARTS] = {
	[BACKUP_DATA] = { "data", { BACKUP_DUMP, BACKUP_ARCHIVE, BACKUP_MANIFEST } },
	[BACKUP_KEYS] = { "keys", { BACKUP_ARCHIVE, BACKUP_MANIFEST } },
};

const char *backup_part_name(enum backup_part part)
{
	return parts[part].name;
}

char *backup_path(const char *folder, enum backup_part part, const char *file)
{
	return mem_printf("%s/%s%s%s", folder, parts[part].name, file[0] != '\0' ? "/" : "", file);
}

static int fail(const char *path, struct err *e)
{
	return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
}

/* ---- checksums ------------------------------------------------------------------------------- */

static int hash_file(const char *path, char ret_digits[HASH_DIGITS + 1], struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned char chunk[CHUNK], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	ssize_t got;

	if (fd < 0)
		return fail(path, e);
	(void)crypto_hash_sha256_init(&state);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		(void)crypto_hash_sha256_update(&state, chunk, (unsigned long long)got);
	if (got < 0)
		return fail(path, e);
	(void)crypto_hash_sha256_final(&state, hash);
	sodium_bin2hex(ret_digits, HASH_DIGITS + 1, hash, sizeof(hash));
	return 0;
}

/* Returns the file's line as sha256sum(1) prints it. */
static int sum_line(const char *folder, enum backup_part part, const char *file, char **ret_line,
		    struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(folder, part, file);
	char digits[HASH_DIGITS + 1];

	if (hash_file(path, digits, e) < 0)
		return -1;
	*ret_line = mem_printf("%s  %s\n", digits, file);
	return 0;
}

static int write_sums(const char *folder, enum backup_part part, struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(folder, part, SUMS);
	FILE *file = fopen(path, "wex");
	bool written = file != NULL;

	if (file == NULL)
		return fail(path, e);
	for (const char *const *name = parts[part].files; *name != NULL && written; name++) {
		CLEANUP(cleanup_free) char *line = NULL;
		if (sum_line(folder, part, *name, &line, e) < 0) {
			(void)fclose(file);
			return -1;
		}
		written = fputs(line, file) >= 0;
	}
	return fclose(file) == 0 && written ? 0 : fail(path, e);
}

static int check_sums(const char *folder, enum backup_part part, struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(folder, part, SUMS);
	CLEANUP(buf_release) struct buf sums = BUF_INIT(SUMS_MAX);

	if (buf_read_file(&sums, path, e) < 0)
		return err_wrap(e, "not a backup, or the part %s is missing", parts[part].name);
	for (const char *const *name = parts[part].files; *name != NULL; name++) {
		CLEANUP(cleanup_free) char *line = NULL;
		if (sum_line(folder, part, *name, &line, e) < 0)
			return -1;
		if (sums.data == NULL || strstr(sums.data, line) == NULL)
			return err_set(
				e, ERR_INVALID, "BACKUP_ALTERED",
				"%s/%s/%s is not what was written: its checksum differs from "
				"%s. Take another copy, or another backup",
				folder, parts[part].name, *name, SUMS);
	}
	return 0;
}

/* ---- to the disk ----------------------------------------------------------------------------- */

static int sync_path(const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 0 : fail(path, e);
}

int backup_folder_sync(const char *folder, struct err *e)
{
	return sync_path(folder, e);
}

static int sync_part(const char *folder, enum backup_part part, struct err *e)
{
	static const char *const others[] = { SUMS, "" };

	for (const char *const *name = parts[part].files; *name != NULL; name++) {
		CLEANUP(cleanup_free) char *path = backup_path(folder, part, *name);
		if (sync_path(path, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		CLEANUP(cleanup_free) char *path = backup_path(folder, part, others[i]);
		if (sync_path(path, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- a part ---------------------------------------------------------------------------------- */

int backup_part_finish(const char *folder, enum backup_part part, const json_t *manifest,
		       struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(folder, part, BACKUP_MANIFEST);

	if (json_dump_file(manifest, path, JSON_INDENT(2)) < 0)
		return fail(path, e);
	if (write_sums(folder, part, e) < 0)
		return -1;
	return sync_part(folder, part, e);
}

int backup_part_read(const char *folder, enum backup_part part, json_t **ret_manifest,
		     struct err *e)
{
	CLEANUP(cleanup_free) char *path = backup_path(folder, part, BACKUP_MANIFEST);
	json_error_t wrong;

	if (check_sums(folder, part, e) < 0)
		return -1;
	json_t *manifest = json_load_file(path, 0, &wrong);
	json_int_t format = json_integer_value(json_object_get(manifest, "format"));
	const char *name = json_string_value(json_object_get(manifest, "part"));
	if (format == BACKUP_FORMAT && name != NULL && strcmp(name, parts[part].name) == 0) {
		*ret_manifest = manifest;
		return 0;
	}
	json_decref(manifest);
	return err_set(e, ERR_INVALID, NULL, "%s: not the part %s of a backup of this form", path,
		       parts[part].name);
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int make(const char *path, struct err *e)
{
	return mkdir(path, 0700) == 0 ? 0 : fail(path, e);
}

static int take(const char *folder, int *ret_lock, struct err *e)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return fail(folder, e);
	int lock = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (lock < 0)
		return fail(folder, e);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		(void)close(lock);
		return err_set(e, ERR_CONFLICT, NULL, "%s: another backup is being written there",
			       folder);
	}
	*ret_lock = lock;
	return 0;
}

static void remove_parts(const char *folder)
{
	for (unsigned part = 0; part < BACKUP_PARTS; part++) {
		CLEANUP(cleanup_free) char *path = backup_path(folder, (enum backup_part)part, "");
		CLEANUP(cleanup_free)
		char *sums = backup_path(folder, (enum backup_part)part, SUMS);
		for (const char *const *name = parts[part].files; *name != NULL; name++) {
			CLEANUP(cleanup_free)
			char *file = backup_path(folder, (enum backup_part)part, *name);
			(void)unlink(file);
		}
		(void)unlink(sums);
		(void)rmdir(path);
	}
}

int backup_folder_make(const char *folder, int *ret_lock, struct err *e)
{
	if (take(folder, ret_lock, e) < 0)
		return -1;
	remove_parts(folder);
	for (unsigned part = 0; part < BACKUP_PARTS; part++) {
		CLEANUP(cleanup_free) char *path = backup_path(folder, (enum backup_part)part, "");
		if (make(path, e) < 0)
			return -1;
	}
	return 0;
}

void backup_folder_remove(const char *folder)
{
	remove_parts(folder);
	(void)rmdir(folder);
}
