#include "sandboxd/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/handlers.h"
#include "sandboxd/place.h"
#include "sandboxd/problem.h"

enum {
	UPLOADS_MAX = 64, /* below each base, finished ones included */
	KEPT_S = 86400,   /* seconds since the last byte */
	SWEEP_S = 1800,
	ID_RANDOM = 8,
	NAME_LENGTH = 32,
	INFO_MAX = 16384,
};

#define INFO    ".json"
#define PART    ".part"
#define VERSION "1.0.0"

/* The upload that a request is about. Without a part it is finished: the part was moved to its
 * place. */
struct upload {
	LIST_ENTRY(upload) entry; /* while bytes arrive */
	struct conn *conn;
	char id[2 * ID_RANDOM + 1];
	int directory, part; /* -1: none */
	json_t *info;
	const char *path, *match; /* in `info` */
	uint64_t length, offset;
	int mode, parents, none; /* mode -1: not asked for */
};

static LIST_HEAD(, upload) arriving = LIST_HEAD_INITIALIZER(arriving);
static struct watch sweeper = { .fd = -1 };

static const char *file_name(char *ret_name, const char *id, const char *ending)
{
	(void)snprintf(ret_name, NAME_LENGTH, "%.*s%s", 2 * ID_RANDOM, id, ending);
	return ret_name;
}

static void forget(int directory, const char *id)
{
	char name[NAME_LENGTH];

	(void)unlinkat(directory, file_name(name, id, PART), 0);
	(void)unlinkat(directory, file_name(name, id, INFO), 0);
}

static void release(struct upload *u)
{
	cleanup_close(&u->directory);
	cleanup_close(&u->part);
	json_decref(u->info);
}

/* ---- leftovers ----------------------------------------------------------------------------- */

static time_t changed_at(int directory, const char *id, const char *ending)
{
	char name[NAME_LENGTH];
	struct stat st;

	return fstatat(directory, file_name(name, id, ending), &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? st.st_mtim.tv_sec
		       : 0;
}

/* Removes uploads that are too old, and returns how many are left. `ret_oldest` is the id of the
 * one that finished first, "" if none has. */
static size_t sweep(int directory, char *ret_oldest)
{
	DIR *content = fdopendir(dup(directory));
	time_t now = time(NULL), oldest = now + 1;
	const struct dirent *entry;
	size_t count = 0;

	*ret_oldest = '\0';
	if (content != NULL)
		rewinddir(content);
	while (content != NULL && (entry = readdir(content)) != NULL) {
		const char *id = entry->d_name;
		if (strlen(id) <= 2 * (size_t)ID_RANDOM || id[0] == '.')
			continue;
		bool is_info = strcmp(id + 2 * (size_t)ID_RANDOM, INFO) == 0;
		time_t part = changed_at(directory, id, PART);
		time_t last = part != 0 ? part : changed_at(directory, id, INFO);
		if (now - last > KEPT_S) {
			forget(directory, id);
			continue;
		}
		count += is_info;
		if (!is_info || part != 0 || last >= oldest)
			continue;
		oldest = last;
		memcpy(ret_oldest, id, 2 * (size_t)ID_RANDOM);
		ret_oldest[2 * (size_t)ID_RANDOM] = '\0';
	}
	if (content != NULL)
		closedir(content);
	return count;
}

static void sweep_all(struct watch *w, uint32_t events)
{
	const struct itimerspec next = { .it_value.tv_sec = SWEEP_S };
	char oldest[2 * ID_RANDOM + 1];
	size_t left = 0;
	uint64_t times;

	if (events != 0 && read(w->fd, &times, sizeof(times)) < 0)
		return;
	for (size_t i = 0; i < PLACE_BASES; i++) {
		CLEANUP(cleanup_close) int directory = place_private(i, PLACE_UPLOADS, false);
		if (directory >= 0)
			left += sweep(directory, oldest);
	}
	if (left > 0)
		(void)timerfd_settime(w->fd, 0, &next, NULL);
}

void uploads_init(void)
{
	sweeper =
		(struct watch) { .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
				 .ready = sweep_all };
	watch_for(&sweeper, EPOLLIN);
	sweep_all(&sweeper, 0);
}

static int check_version(const struct conn *c, struct err *e)
{
	const char *given = c->request.values[HEADER_TUS];

	if (given != NULL && strcmp(given, VERSION) != 0)
		return problem(e, "WRONG_VERSION", "Tus-Resumable is " VERSION " here");
	return 0;
}

/* ---- finding one --------------------------------------------------------------------------- */

static int unpack(struct upload *u)
{
	json_int_t length;

	if (json_unpack(u->info, "{s:s, s:I, s:i, s:b, s:b, s?s}", "path", &u->path, "length",
			&length, "mode", &u->mode, "parents", &u->parents, "none", &u->none,
			"match", &u->match) != 0 ||
	    length < 0)
		return -1;
	u->length = (uint64_t)length;
	return 0;
}

static bool open_info(struct upload *u)
{
	char name[NAME_LENGTH], text[INFO_MAX];
	CLEANUP(cleanup_close)
	int fd = openat(u->directory, file_name(name, u->id, INFO),
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (got <= 0)
		return false;
	u->info = json_loadb(text, (size_t)got, JSON_REJECT_DUPLICATES, NULL);
	return unpack(u) == 0;
}

static bool open_part(struct upload *u)
{
	char name[NAME_LENGTH];
	struct stat st;

	u->part = openat(u->directory, file_name(name, u->id, PART),
			 O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	u->offset = u->length;
	if (u->part < 0)
		return errno == ENOENT;
	if (fstat(u->part, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	u->offset = (uint64_t)st.st_size;
	return u->offset <= u->length;
}

/* A client that asks about an upload is about to continue it: another connection that is still
 * sending has been lost by its client. */
static void take_over(const char *id)
{
	struct upload *u;

	LIST_FOREACH(u, &arriving, entry)
	if (strcmp(u->id, id) == 0) {
		conn_close(u->conn);
		return;
	}
}

static int find(struct conn *c, struct upload *ret, struct err *e)
{
	*ret = (struct upload) { .conn = c, .directory = -1, .part = -1 };
	if (check_version(c, e) < 0)
		return -1;
	for (size_t i = 0; i < PLACE_BASES && strlen(c->parameter) == 2 * (size_t)ID_RANDOM; i++) {
		memcpy(ret->id, c->parameter, sizeof(ret->id));
		take_over(ret->id);
		ret->directory = place_private(i, PLACE_UPLOADS, false);
		if (ret->directory >= 0 && open_info(ret) && open_part(ret))
			return 0;
		release(ret);
		*ret = (struct upload) { .conn = c, .directory = -1, .part = -1 };
	}
	return problem(e, "NOT_FOUND",
		       "there is no such upload, or nothing came for it for too long: begin anew");
}

/* ---- the answer ---------------------------------------------------------------------------- */

static json_t *describe(const struct upload *u)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:b}", "id", u->id, "path", u->path, "length",
			 (json_int_t)u->length, "offset", (json_int_t)u->offset, "finished",
			 u->part < 0);
}

static void answer(struct conn *c, int status, const struct upload *u, const char *more)
{
	CLEANUP(cleanup_free) char *text = NULL;
	char headers[320], expires[48];
	time_t end = time(NULL) + KEPT_S;
	struct tm parts;

	gmtime_r(&end, &parts);
	(void)strftime(expires, sizeof(expires), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	(void)snprintf(headers, sizeof(headers),
		       "Tus-Resumable: " VERSION
		       "\r\nUpload-Offset: %llu\r\nUpload-Length: %llu\r\n"
		       "Upload-Expires: %s\r\n%s",
		       (unsigned long long)u->offset, (unsigned long long)u->length, expires, more);
	if (status == 204) {
		conn_begin(c, status, NULL, headers, 0);
		c->answered = true;
		return;
	}
	json_t *json = describe(u);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	conn_answer(c, status, "application/json", headers, text, strlen(text));
}

/* Moves a complete upload to its place. After CHANGED it is useless. */
static int finish(struct upload *u, char *ret_header, size_t size, struct err *e)
{
	const struct precondition condition = { u->match, u->none != 0 };
	CLEANUP(place_release) struct place p = { .directory = -1 };
	char name[NAME_LENGTH], etag[ETAG_MAX];
	struct stat old, st;
	bool exists;

	*ret_header = '\0';
	if (u->part < 0 || u->offset < u->length)
		return 0;
	if (place_find(u->path, u->parents != 0, &p, e) < 0)
		return -1;
	if (place_check(&p, &condition, &old, &exists, e) < 0) {
		forget(u->directory, u->id);
		return -1;
	}
	mode_t mode = exists && S_ISREG(old.st_mode) ? old.st_mode & 0777 : 0644;
	if (fchmod(u->part, u->mode >= 0 ? (mode_t)u->mode & 0777 : mode) != 0 ||
	    fstat(u->part, &st) != 0)
		return problem_errno(e, p.path);
	if (place_replace(&p, u->directory, file_name(name, u->id, PART), &condition, e) < 0)
		return -1;
	cleanup_close(&u->part);
	u->part = -1;
	place_etag(&st, etag);
	(void)snprintf(ret_header, size, "ETag: %s\r\n", etag);
	return 0;
}

/* ---- beginning one ------------------------------------------------------------------------- */

static int check_disk(const struct upload *u, const struct place *p, struct err *e)
{
	struct stat there, here;
	struct statvfs v;

	if (fstat(u->directory, &there) != 0 || fstat(p->directory, &here) != 0 ||
	    fstatvfs(u->directory, &v) != 0)
		return problem_errno(e, p->path);
	if (there.st_dev != here.st_dev)
		return problem(e, "OTHER_VOLUME",
			       "%.200s is on a volume of its own: PUT /v1/files writes there",
			       p->path);
	if (u->length / v.f_frsize >= v.f_bavail)
		return problem(e, "DISK_FULL", "%.200s: %llu bytes are free, and it has %llu",
			       p->path, (unsigned long long)v.f_bavail * v.f_frsize,
			       (unsigned long long)u->length);
	return 0;
}

static int make_room(int directory, struct err *e)
{
	const struct itimerspec next = { .it_value.tv_sec = SWEEP_S };
	char oldest[2 * ID_RANDOM + 1];
	size_t count = sweep(directory, oldest);

	(void)timerfd_settime(sweeper.fd, 0, &next, NULL);
	if (count < UPLOADS_MAX)
		return 0;
	if (*oldest == '\0')
		return problem(e, "TOO_MANY",
			       "%d uploads have been begun and not finished: finish or remove one",
			       UPLOADS_MAX);
	forget(directory, oldest);
	return 0;
}

static int store(struct upload *u, struct err *e)
{
	char name[NAME_LENGTH], random[ID_RANDOM];
	CLEANUP(cleanup_close) int info = -1;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return problem_errno(e, u->path);
	for (size_t i = 0; i < ID_RANDOM; i++)
		(void)snprintf(u->id + 2 * i, 3, "%02x", (unsigned char)random[i]);
	info = openat(u->directory, file_name(name, u->id, INFO),
		      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	u->part = openat(u->directory, file_name(name, u->id, PART),
			 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (info >= 0 && u->part >= 0 && json_dumpfd(u->info, info, JSON_COMPACT) == 0)
		return 0;
	(void)problem_errno(e, u->path);
	forget(u->directory, u->id);
	return -1;
}

static int read_request(const struct conn *c, struct upload *u, struct err *e)
{
	const char *given = c->request.values[HEADER_UPLOAD_LENGTH];
	const char *mode = request_parameter(&c->request, "mode");
	const char *none = c->request.values[HEADER_IF_NONE_MATCH];
	bool parents;
	mode_t parsed;

	if (check_version(c, e) < 0)
		return -1;
	if (given == NULL || !parse_u64(given, 0, INT64_MAX, &u->length))
		return problem(e, "INVALID_REQUEST",
			       "Upload-Length must be the number of the file's bytes");
	if (none != NULL && strcmp(none, "*") != 0)
		return problem(e, "INVALID_REQUEST", "If-None-Match can only be * here");
	if (request_flag(&c->request, "parents", &parents, e) < 0 ||
	    place_parse_mode(mode, 0, &parsed, e) < 0)
		return -1;
	u->mode = mode != NULL ? (int)parsed : -1;
	u->parents = parents;
	u->none = none != NULL;
	u->match = c->request.values[HEADER_IF_MATCH];
	u->path = request_parameter(&c->request, "path");
	return u->path != NULL ? 0 : problem(e, "INVALID_REQUEST", "path is missing");
}

static int create(struct conn *c, struct upload *u, struct err *e)
{
	CLEANUP(place_release) struct place p = { .directory = -1 };
	struct stat old;
	bool exists;

	if (read_request(c, u, e) < 0 || place_find(u->path, u->parents != 0, &p, e) < 0 ||
	    place_check(&p, &(struct precondition) { u->match, u->none != 0 }, &old, &exists, e) <
		    0)
		return -1;
	u->directory = place_private(place_base(u->path), PLACE_UPLOADS, true);
	if (u->directory < 0)
		return problem_errno(e, PLACE_UPLOADS);
	if (check_disk(u, &p, e) < 0 || make_room(u->directory, e) < 0)
		return -1;
	u->info = json_pack("{s:s, s:I, s:i, s:b, s:b, s:s*}", "path", p.path, "length",
			    (json_int_t)u->length, "mode", u->mode, "parents", u->parents, "none",
			    u->none, "match", u->match);
	if (u->info == NULL || unpack(u) < 0)
		return problem(e, "INVALID_REQUEST", "path and If-Match must be UTF-8");
	return store(u, e);
}

int uploads_create(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(release) struct upload u = { .conn = c, .directory = -1, .part = -1 };
	char etag[ETAG_MAX + 16], more[2 * ETAG_MAX + 64];

	(void)body;
	if (create(c, &u, e) < 0 || finish(&u, etag, sizeof(etag), e) < 0)
		return -1;
	(void)snprintf(more, sizeof(more), "Location: /v1/uploads/%s\r\n%s", u.id, etag);
	answer(c, 201, &u, more);
	return 0;
}

/* ---- going on ------------------------------------------------------------------------------ */

static void end_append(struct conn *c)
{
	struct upload *u = c->context;

	LIST_REMOVE(u, entry);
	release(u);
	free(u);
}

static int append_part(struct conn *c, const char *data, size_t length, struct err *e)
{
	struct upload *u = c->context;

	if (draft_write(&(struct draft) { .fd = u->part }, data, length, e) < 0)
		return -1;
	u->offset += length;
	return 0;
}

static const struct conn_ops appending = { .body = append_part, .closed = end_append };

static uint64_t body_length(const struct conn *c)
{
	return c->parser.content_length == UINT64_MAX ? 0 : c->parser.content_length;
}

int uploads_append_begin(struct conn *c, struct err *e)
{
	const char *given = c->request.values[HEADER_UPLOAD_OFFSET];
	struct upload *u = mem_calloc(1, sizeof(*u));
	uint64_t offset;
	int done = find(c, u, e);

	LIST_INSERT_HEAD(&arriving, u, entry);
	conn_set_ops(c, &appending, u);
	if (done < 0)
		return -1;
	if (given == NULL || !parse_u64(given, 0, INT64_MAX, &offset))
		return problem(e, "INVALID_REQUEST",
			       "Upload-Offset must be where the body begins in the file");
	if (offset != u->offset)
		return problem(e, "WRONG_OFFSET", "%llu bytes have arrived: go on there",
			       (unsigned long long)u->offset);
	if (body_length(c) > u->length - u->offset)
		return problem(e, "TOO_LARGE", "that is beyond the Upload-Length of %llu bytes",
			       (unsigned long long)u->length);
	return 0;
}

int uploads_append(struct conn *c, json_t *body, struct err *e)
{
	struct upload *u = c->context;
	char etag[ETAG_MAX + 16];

	(void)body;
	if (finish(u, etag, sizeof(etag), e) < 0)
		return -1;
	answer(c, 204, u, etag);
	return 0;
}

/* ---- looking, removing --------------------------------------------------------------------- */

int uploads_read(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(release) struct upload u = { .directory = -1, .part = -1 };

	(void)body;
	if (find(c, &u, e) < 0)
		return -1;
	answer(c, 200, &u, "");
	return 0;
}

int uploads_remove(struct conn *c, json_t *body, struct err *e)
{
	CLEANUP(release) struct upload u = { .directory = -1, .part = -1 };

	(void)body;
	if (find(c, &u, e) < 0)
		return -1;
	forget(u.directory, u.id);
	conn_begin(c, 204, NULL, "Tus-Resumable: " VERSION "\r\n", 0);
	c->answered = true;
	return 0;
}
