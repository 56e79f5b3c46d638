#include "sandboxd/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

enum { STAT_LENGTH = 1024, PROGRAM_MAX = 31 };

/* Fields of /proc/PID/stat, by their numbers in proc(5). */
enum { FIELD_NAME = 2, FIELD_GROUP = 5, FIELD_TICKS = 14 };

/* Returns the field after `skipped` others; "" if there are fewer. */
static const char *skip(const char *at, int skipped)
{
	for (; skipped > 0 && at != NULL; skipped--)
		at = strchr(at + 1, ' ');
	return at != NULL ? at : "";
}

static bool read_stat(int pid, char *ret, size_t size)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	size_t got = file != NULL ? fread(ret, 1, size - 1, file) : 0;
	ret[got] = '\0';
	if (file != NULL)
		(void)fclose(file);
	return got > 0;
}

/* The numbers follow the name, which may contain anything. */
static bool read_one(int pid, struct proc *ret)
{
	char content[STAT_LENGTH], *rest;

	if (!read_stat(pid, content, sizeof(content)))
		return false;
	const char *open = strchr(content, '('), *close = strrchr(content, ')');
	if (open == NULL || close == NULL)
		return false;
	size_t length = (size_t)(close - open - 1);
	*ret = (struct proc) {
		.pid = pid,
		.zombie = strncmp(close, ") Z", 3) == 0,
		.group = (int)strtol(skip(close, FIELD_GROUP - FIELD_NAME), NULL, 10),
		.ticks = strtoull(skip(close, FIELD_TICKS - FIELD_NAME), &rest, 10),
	};
	ret->ticks += strtoull(rest, NULL, 10);
	memcpy(ret->program, open + 1, length < PROGRAM_MAX ? length : PROGRAM_MAX);
	parse_make_utf8(ret->program);
	return true;
}

size_t proc_read_all(struct proc *ret)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	size_t count = 0;

	while (processes != NULL && count < PROC_MAX && (entry = readdir(processes)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_one((int)strtol(entry->d_name, NULL, 10), &ret[count]))
			count++;
	if (processes != NULL)
		closedir(processes);
	return count;
}

bool proc_group_has_others(int leader)
{
	CLEANUP(cleanup_free) struct proc *all = mem_calloc(PROC_MAX, sizeof(*all));
	size_t count = proc_read_all(all);

	for (size_t i = 0; i < count; i++)
		if (all[i].group == leader && all[i].pid != leader && !all[i].zombie)
			return true;
	return false;
}
