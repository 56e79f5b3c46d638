/* The sandbox's resource usage and limits, and whether anybody uses it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/problem.h"
#include "sandboxd/proc.h"
#include "sandboxd/terminal.h"

/* cgroup v2 first, then v1, as the container sees them. */
#define V2 "/sys/fs/cgroup/"

#define UNLIMITED (1LL << 60)

enum { FILE_LENGTH = 4096 };

/* ---- cgroups ------------------------------------------------------------------------------- */

static bool read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t got = file != NULL ? fread(ret, 1, size - 1, file) : 0;

	ret[got] = '\0';
	if (file != NULL)
		(void)fclose(file);
	return got > 0;
}

/* Reads a number from a file, alone or after a word at the beginning of a line. */
static json_t *number(const char *path, const char *word, double divide)
{
	char content[FILE_LENGTH];
	const char *at = content;
	char *end;

	if (!read_file(path, content, sizeof(content)))
		return NULL;
	if (word != NULL) {
		at = strstr(content, word);
		if (at == NULL || (at != content && at[-1] != '\n'))
			return NULL;
		at += strlen(word);
	}
	long long value = strtoll(at, &end, 10);
	if (end == at || value >= UNLIMITED || value < 0)
		return NULL;
	return divide > 1 ? json_real((double)value / divide) : json_integer(value);
}

static json_t *either(json_t *first, json_t *second)
{
	if (first != NULL) {
		json_decref(second);
		return first;
	}
	return second != NULL ? second : json_null();
}

static json_t *cpu_seconds(void)
{
	return either(number(V2 "cpu.stat", "usage_usec ", 1e6),
		      number(V2 "cpuacct/cpuacct.usage", NULL, 1e9));
}

static json_t *cpu_limit(void)
{
	char content[FILE_LENGTH], *rest = content;
	double quota = 0, period = 0;

	if (read_file(V2 "cpu.max", content, sizeof(content))) { /* "max" is read as 0 */
		quota = strtod(content, &rest);
		period = strtod(rest, NULL);
	} else if (read_file(V2 "cpu/cpu.cfs_quota_us", content, sizeof(content))) {
		quota = strtod(content, NULL);
		if (read_file(V2 "cpu/cpu.cfs_period_us", content, sizeof(content)))
			period = strtod(content, NULL);
	}
	return quota > 0 && period > 0 ? json_real(quota / period) : json_null();
}

static json_t *disk(const char *path)
{
	struct statvfs v;

	if (path == NULL || statvfs(path, &v) != 0)
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:I, s:o}", "path", path, "used",
			 (json_int_t)(v.f_blocks - v.f_bfree) * (json_int_t)v.f_frsize, "limit",
			 (json_int_t)v.f_blocks * (json_int_t)v.f_frsize, "inodesUsed",
			 (json_int_t)v.f_files - (json_int_t)v.f_ffree, "inodesLimit",
			 v.f_files > 0 ? json_integer((json_int_t)v.f_files) : json_null());
}

/* ---- usage -------------------------------------------------------------------------------- */

int usage_read(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(cleanup_free) struct proc *all = mem_calloc(PROC_MAX, sizeof(*all));
	json_t *cpu = json_pack("{s:o, s:o, s:o}", "usedSeconds", cpu_seconds(), "limitCores",
				cpu_limit(), "throttledSeconds",
				either(number(V2 "cpu.stat", "throttled_usec ", 1e6),
				       number(V2 "cpu/cpu.stat", "throttled_time ", 1e9)));
	json_t *memory = json_pack("{s:o, s:o, s:o}", "used",
				   either(number(V2 "memory.current", NULL, 1),
					  number(V2 "memory/memory.usage_in_bytes", NULL, 1)),
				   "limit",
				   either(number(V2 "memory.max", NULL, 1),
					  number(V2 "memory/memory.limit_in_bytes", NULL, 1)),
				   "oomKills",
				   either(number(V2 "memory.events", "oom_kill ", 1),
					  number(V2 "memory/memory.oom_control", "oom_kill ", 1)));

	(void)body;
	(void)e;
	conn_json(c, 200,
		  json_pack("{s:o, s:o, s:[o, o], s:I}", "cpu", cpu, "memory", memory, "disks",
			    disk(getenv("HOME")), disk("/tmp"), "processes",
			    (json_int_t)proc_read_all(all)));
	return 0;
}

/* ---- activity ------------------------------------------------------------------------------ */

/* Processes that took more than a twentieth of a processor between two queries. */
static json_t *busy(const struct proc *now, size_t count, const struct proc *before,
		    size_t before_count, double seconds)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct proc *past = NULL;
		for (size_t k = 0; k < before_count && past == NULL; k++)
			if (before[k].pid == now[i].pid && before[k].ticks <= now[i].ticks)
				past = &before[k];
		if (past == NULL || seconds <= 0)
			continue;
		double share = (double)(now[i].ticks - past->ticks) / (double)sysconf(_SC_CLK_TCK) /
			       seconds;
		if (share > 0.05)
			json_array_append_new(list,
					      json_pack("{s:i, s:s, s:f}", "pid", now[i].pid,
							"program", now[i].program, "share", share));
	}
	return list;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int activity_read(struct conn *c, json_t *body, struct err *e)
{
	static struct proc *before;
	static size_t before_count;
	static double before_at, begun_at;
	struct proc *all = mem_calloc(PROC_MAX, sizeof(*all));
	size_t count = proc_read_all(all);
	double now = now_seconds();
	json_t *working = busy(all, count, before, before_count, now - before_at);
	int64_t input = conn_last_input();

	(void)body;
	(void)e;
	if (begun_at == 0)
		begun_at = now;
	json_int_t idle = input > 0 ? time(NULL) - input : (json_int_t)(now - begun_at);
	if (json_array_size(working) > 0)
		idle = 0;
	free(before);
	before = mem_realloc(all, count, sizeof(*all));
	before_count = count;
	before_at = now;
	conn_json(c, 200,
		  json_pack("{s:I, s:o, s:I, s:I, s:o, s:o, s:f}", "idleSeconds", idle,
			    "lastInputAt", input > 0 ? json_time(input, 0) : json_null(),
			    "connections", (json_int_t)conn_count(), "terminals",
			    (json_int_t)terminal_count(), "busy", working, "cpuSeconds",
			    cpu_seconds(), "clockSeconds", now));
	return 0;
}
