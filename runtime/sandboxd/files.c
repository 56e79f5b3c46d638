/* Files: reading, writing, listing, moving and removing them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/handlers.h"
#include "sandboxd/job.h"
#include "sandboxd/place.h"
#include "sandboxd/problem.h"
#include "sandboxd/tree.h"

enum { LIST_MAX = 1000, NEW_FILE_MODE = 0644 };

static int path_of(const struct conn *c, const char **ret_path, struct err *e)
{
	*ret_path = request_parameter(&c->request, "path");
	if (*ret_path == NULL)
		return problem(e, "INVALID_REQUEST", "path is missing");
	return 0;
}

static int find_place(const struct conn *c, bool parents, struct place *ret, struct err *e)
{
	const char *path;

	return path_of(c, &path, e) < 0 ? -1 : place_find(path, parents, ret, e);
}

static int answer_entry(struct conn *c, int status, const struct place *p, struct err *e)
{
	json_t *entry = place_entry(p->directory, p->name, p->path);

	if (entry == NULL)
		return problem_errno(e, p->path);
	conn_json(c, status, entry);
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* One range: bytes=a-b, bytes=a-, bytes=-n. Anything else is ignored (RFC 9110). */
static int parse_range(const char *given, uint64_t size, uint64_t *ret_start, uint64_t *ret_end,
		       struct err *e)
{
	const char *dash = given != NULL ? strchr(given, '-') : NULL;
	uint64_t start = 0, end = UINT64_MAX;

	*ret_start = 0;
	*ret_end = size;
	if (dash == NULL || strncmp(given, "bytes=", 6) != 0)
		return 0;
	CLEANUP(cleanup_free) char *first = mem_strndup(given + 6, (size_t)(dash - given - 6));
	if (*first != '\0' ? !parse_u64(first, 0, INT64_MAX, &start) : dash[1] == '\0')
		return 0;
	if (dash[1] != '\0' && !parse_u64(dash + 1, 0, INT64_MAX, &end))
		return 0;
	if (*first == '\0') {
		start = end < size ? size - end : 0;
		end = UINT64_MAX;
	}
	if (end < start)
		return 0;
	if (start >= size)
		return problem(e, "WRONG_RANGE", "the file has %llu bytes",
			       (unsigned long long)size);
	*ret_start = start;
	*ret_end = end < size ? end + 1 : size;
	return 1;
}

static void send_part(struct conn *c, int fd, const struct stat *st, int status, uint64_t start,
		      uint64_t end)
{
	char headers[300], etag[ETAG_MAX], range[96] = "", date[48];
	struct tm parts;

	place_etag(st, etag);
	gmtime_r(&st->st_mtim.tv_sec, &parts);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	if (status == 206)
		(void)snprintf(range, sizeof(range), "Content-Range: bytes %llu-%llu/%llu\r\n",
			       (unsigned long long)start, (unsigned long long)end - 1,
			       (unsigned long long)st->st_size);
	(void)snprintf(headers, sizeof(headers),
		       "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n%s", etag, date,
		       range);
	conn_begin(c, status, "application/octet-stream", headers, (int64_t)(end - start));
	c->answered = true;
	if (status == 304 || c->request.method == HTTP_HEAD || end == start)
		return;
	c->file = fd;
	c->file_offset = start;
	c->file_left = end - start;
}

int files_read(struct conn *c, json_t *body, struct err *e)
{
	const char *path, *known = c->request.values[HEADER_IF_NONE_MATCH];
	CLEANUP(cleanup_close) int fd = -1;
	uint64_t start, end;
	char etag[ETAG_MAX];
	struct stat st;
	int ranged;

	(void)body;
	if (path_of(c, &path, e) < 0 ||
	    place_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, e) < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		return problem_errno(e, path);
	if (!S_ISREG(st.st_mode))
		return problem(e, S_ISDIR(st.st_mode) ? "IS_DIRECTORY" : "NOT_FILE",
			       "%.200s is no regular file", path);
	ranged =
		parse_range(c->request.values[HEADER_RANGE], (uint64_t)st.st_size, &start, &end, e);
	if (ranged < 0)
		return -1;
	place_etag(&st, etag);
	if (known != NULL && strcmp(known, etag) == 0)
		send_part(c, fd, &st, 304, 0, 0);
	else
		send_part(c, fd, &st, ranged > 0 ? 206 : 200, start, end);
	if (c->file == fd)
		fd = -1;
	return 0;
}

int files_stat(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(place_release) struct place p = { .directory = -1 };

	(void)body;
	return find_place(c, false, &p, e) < 0 ? -1 : answer_entry(c, 200, &p, e);
}

/* ---- listing ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name as it is shown, and after its NUL as it is: JSON has no other bytes than UTF-8. */
static char *make_name(const char *bytes)
{
	size_t size = strlen(bytes) + 1;
	char *name = mem_calloc(2, size);

	memcpy(name, bytes, size);
	parse_make_utf8(name);
	memcpy(name + strlen(name) + 1, bytes, size);
	return name;
}

static const char *real_name(const char *name)
{
	return name + strlen(name) + 1;
}

static bool is_after(const char *name, const char *after)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, after) > 0;
}

/* The names after `after`, the first `limit` + 1 of them, sorted: a directory of any size is read
 * without keeping more. */
static size_t read_names(DIR *directory, const char *after, size_t limit, char **names)
{
	size_t used = 0, most = 2 * (limit + 1);
	const struct dirent *entry;

	while ((entry = readdir(directory)) != NULL) {
		names[used] = make_name(entry->d_name);
		if (!is_after(names[used], after))
			free(names[used]);
		else
			used++;
		if (used < most)
			continue;
		qsort(names, used, sizeof(*names), compare);
		while (used > limit + 1)
			free(names[--used]);
	}
	qsort(names, used, sizeof(*names), compare);
	return used;
}

static json_t *list_entries(int fd, const char *path, char **names, size_t count)
{
	json_t *entries = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *name = real_name(names[i]);
		CLEANUP(cleanup_free) char *whole = mem_printf("%s/%s", path, name);
		json_t *entry = place_entry(fd, name, whole);
		if (entry != NULL)
			json_array_append_new(entries, entry);
	}
	return entries;
}

static void answer_list(struct conn *c, DIR *directory, const char *path, const char *after,
			size_t limit)
{
	CLEANUP(cleanup_free) char **names = mem_calloc(2 * (limit + 1), sizeof(*names));
	size_t count = read_names(directory, after, limit, names);
	size_t shown = count < limit ? count : limit;

	conn_json(c, 200,
		  json_pack("{s:o, s:s?}", "entries",
			    list_entries(dirfd(directory), path, names, shown), "next",
			    count > limit ? names[limit - 1] : NULL));
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

int files_list(struct conn *c, json_t *body, struct err *e)
{
	const char *path, *after = request_parameter(&c->request, "after");
	CLEANUP(place_release) struct place p = { .directory = -1 };
	uint64_t limit;
	int fd;

	(void)body;
	if (path_of(c, &path, e) < 0 ||
	    request_number(&c->request, "limit", LIST_MAX, LIST_MAX, &limit, e) < 0 ||
	    place_find(path, false, &p, e) < 0 ||
	    place_open(path, O_RDONLY | O_DIRECTORY, &fd, e) < 0)
		return -1;
	DIR *directory = fdopendir(fd);
	if (directory == NULL)
		abort();
	answer_list(c, directory, p.path, after != NULL ? after : "",
		    limit > 0 ? (size_t)limit : 1);
	closedir(directory);
	return 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

struct write {
	struct place place;
	struct draft draft;
	struct precondition condition;
	bool exists;
};

static void end_write(struct conn *c)
{
	struct write *w = c->context;

	draft_discard(&w->place, &w->draft);
	place_release(&w->place);
	free(w);
}

static int write_part(struct conn *c, const char *data, size_t length, struct err *e)
{
	const struct write *w = c->context;

	return draft_write(&w->draft, data, length, e);
}

static const struct conn_ops writing = { .body = write_part, .closed = end_write };

int files_write_begin(struct conn *c, struct err *e)
{
	const char *none = c->request.values[HEADER_IF_NONE_MATCH];
	struct write *w = mem_calloc(1, sizeof(*w));
	struct stat old;
	bool parents;
	mode_t mode = NEW_FILE_MODE;

	w->place.directory = w->draft.fd = -1;
	w->condition = (struct precondition) { c->request.values[HEADER_IF_MATCH], none != NULL };
	conn_set_ops(c, &writing, w);
	if (none != NULL && strcmp(none, "*") != 0)
		return problem(e, "INVALID_REQUEST", "If-None-Match can only be * here");
	if (request_flag(&c->request, "parents", &parents, e) < 0 ||
	    find_place(c, parents, &w->place, e) < 0 ||
	    place_check(&w->place, &w->condition, &old, &w->exists, e) < 0 ||
	    place_parse_mode(request_parameter(&c->request, "mode"),
			     w->exists && S_ISREG(old.st_mode) ? old.st_mode & 0777 : NEW_FILE_MODE,
			     &mode, e) < 0)
		return -1;
	return draft_open(&w->place, mode, &w->draft, e);
}

int files_write(struct conn *c, json_t *body, struct err *e)
{
	struct write *w = c->context;

	(void)body;
	if (draft_commit(&w->place, &w->draft, &w->condition, e) < 0)
		return -1;
	w->draft.name[0] = '\0';
	return answer_entry(c, w->exists ? 200 : 201, &w->place, e);
}

/* ---- removing, making, moving -------------------------------------------------------------- */

int files_remove(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(place_release) struct place p = { .directory = -1 };
	bool recursive;
	int done;

	(void)body;
	if (request_flag(&c->request, "recursive", &recursive, e) < 0 ||
	    find_place(c, false, &p, e) < 0)
		return -1;
	if (strcmp(p.name, ".") == 0)
		return problem(e, "NOT_PERMITTED", "%s itself stays", p.path);
	if (recursive)
		return job_start(c, &p, tree_remove, e);
	done = unlinkat(p.directory, p.name, 0);
	if (done != 0 && (errno == EISDIR || errno == EPERM))
		done = unlinkat(p.directory, p.name, AT_REMOVEDIR);
	if (done != 0)
		return problem_errno(e, p.path);
	conn_empty(c, 204);
	return 0;
}

int files_directory(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(place_release) struct place p = { .directory = -1 };
	const char *path;
	int parents = 0;

	if (json_unpack(body, "{s:s, s?b !}", "path", &path, "parents", &parents) != 0)
		return problem(e, "INVALID_REQUEST", "a directory has path and parents");
	if (place_find(path, parents != 0, &p, e) < 0)
		return -1;
	if (mkdirat(p.directory, p.name, 0755) != 0)
		return problem_errno(e, p.path);
	return answer_entry(c, 201, &p, e);
}

int files_move(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(place_release) struct place from = { .directory = -1 };
	CLEANUP(place_release) struct place to = { .directory = -1 };
	const char *from_path, *to_path;
	int overwrite = 0;

	if (json_unpack(body, "{s:s, s:s, s?b !}", "from", &from_path, "to", &to_path, "overwrite",
			&overwrite) != 0)
		return problem(e, "INVALID_REQUEST", "a move has from, to and overwrite");
	if (place_find(from_path, false, &from, e) < 0 || place_find(to_path, false, &to, e) < 0)
		return -1;
	if (renameat2(from.directory, from.name, to.directory, to.name,
		      overwrite ? 0 : RENAME_NOREPLACE) != 0) {
		if (errno == EXDEV)
			return problem(e, "OTHER_VOLUME", "they are on different volumes: copy it");
		return problem_errno(e, errno == EEXIST ? to.path : from.path);
	}
	return answer_entry(c, 200, &to, e);
}
