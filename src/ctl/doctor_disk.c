/* Checks of free space for the database and the logs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "ctl/doctor.h"
#include "store/server.h"

#define MIB UINT64_C(1048576)

enum { FULL_MIB = 64, LOW_MIB = 5 * 1024, LOW_PERCENT = 10, FOLDERS_MAX = 8 };

/* Each file system is reported once, for the first of these folders on it. */
struct folders {
	dev_t reported[FOLDERS_MAX];
	size_t count;
};

static bool is_reported(struct folders *folders, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0 || folders->count == FOLDERS_MAX)
		return true;
	for (size_t i = 0; i < folders->count; i++) {
		if (folders->reported[i] == status.st_dev)
			return true;
	}
	folders->reported[folders->count++] = status.st_dev;
	return false;
}

static enum health judge_room(const struct statvfs *fs)
{
	uint64_t free_mib = (uint64_t)fs->f_bavail * fs->f_frsize / MIB;
	uint64_t all_mib = (uint64_t)fs->f_blocks * fs->f_frsize / MIB;

	if (free_mib < FULL_MIB || (fs->f_files > 0 && fs->f_favail == 0))
		return HEALTH_FAILED;
	return free_mib < LOW_MIB && free_mib * 100 < all_mib * LOW_PERCENT ? HEALTH_WARNING
									    : HEALTH_OK;
}

static void check_folder(struct doctor *d, struct folders *folders, const char *what,
			 const char *path, const char *shown)
{
	struct statvfs fs;

	if (is_reported(folders, path) || statvfs(path, &fs) < 0)
		return;
	enum health health = judge_room(&fs);
	CLEANUP(cleanup_free)
	char *advice = mem_printf("make room on the file system of %s (df -h, df -i): where "
				  "PostgreSQL cannot write, nothing can be changed",
				  shown);
	doctor_say(d, health, what, health == HEALTH_OK ? NULL : advice,
		   "%s has %llu MiB and %llu files left", shown,
		   (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize / MIB),
		   (unsigned long long)fs.f_favail);
}

/* Finds the data directory, which is the working directory of a server process; only root can read
 * that. */
static void check_database(struct doctor *d, struct folders *folders)
{
	struct server_facts facts;
	char shown[PATH_MAX] = "";
	struct err e;

	if (!d->database_answers || server_facts(d->db, &facts, &e) < 0 || !facts.is_local)
		return;
	CLEANUP(cleanup_free) char *data = mem_printf("/proc/%lld/cwd", (long long)facts.pid);
	CLEANUP(cleanup_free) char *log = mem_printf("%s/pg_wal", data);
	ssize_t length = readlink(data, shown, sizeof(shown) - 1);
	if (length < 0 || access(log, F_OK) < 0)
		return;
	shown[length] = '\0';
	check_folder(d, folders, "database", data, shown);
	CLEANUP(cleanup_free) char *shown_log = mem_printf("%s/pg_wal", shown);
	check_folder(d, folders, "write-ahead log", log, shown_log);
}

void doctor_disk(struct doctor *d)
{
	static const struct {
		const char *what, *path;
	} places[] = {
		{ "logs", "/var/log" },           { "logs", "/var/log/journal" },
		{ "logs", "/var/log/nginx" },     { "logs", "/var/log/postgresql" },
		{ "requests", "/var/lib/nginx" }, { "state", "/run/fullstack-agent" },
	};
	struct folders folders = { .count = 0 };

	check_database(d, &folders);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		check_folder(d, &folders, places[i].what, places[i].path, places[i].path);
}
