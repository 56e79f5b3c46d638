#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
	SMALL = 1 << 20,  /* sent by one request, which is repeated as a whole */
	PIECE = 16 << 20, /* of a larger file: an ingress takes requests of 32 MiB */
	ID_LENGTH = 16,
	ETAG_MAX = 128,
	RETRY_MS = 500,
	AWAY_MAX_MS = 600 * 1000,
};

#define BYTES "application/offset+octet-stream"

static int system_failed(const char *path, struct err *e)
{
	return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
}

char *transfer_path(const char *what, const char *path)
{
	CLEANUP(cleanup_free) char *escaped = site_escape(path);

	return mem_printf("/v1/files%spath=%s", what, escaped);
}

/* ---- trying again ---------------------------------------------------------------------------- */

struct attempts {
	uint64_t away_since_ms; /* 0: the sandbox can be reached */
	bool renewed;
};

static void succeeded(struct attempts *a)
{
	*a = (struct attempts) { 0 };
}

/* Returns 0 if the next attempt may begin. */
static int failed(struct attempts *a, struct sandbox *s, struct err *e)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	uint64_t now = clock_ms();

	if (e->kind == ERR_UNAUTHENTICATED && !a->renewed) {
		a->renewed = true;
		return sandbox_renew(s, e);
	}
	if (!site_is_away(e))
		return -1;
	if (a->away_since_ms == 0) {
		a->away_since_ms = now;
		return 0; /* the first retry comes at once */
	}
	if (now - a->away_since_ms > AWAY_MAX_MS)
		return -1;
	(void)nanosleep(&pause, NULL);
	return 0;
}

/* ---- up -------------------------------------------------------------------------------------- */

struct upload {
	struct sandbox *s;
	FILE *file;
	uint64_t offset, length;
	char path[sizeof("/v1/uploads/") + ID_LENGTH];
};

/* Sends a request with additional headers, up to a NULL, and returns the JSON. */
static int ask(struct upload *u, struct exchange_request request, json_t **ret_answer,
	       struct err *e)
{
	CLEANUP(exchange_release) struct exchange x;
	json_error_t where;

	exchange_begin(&u->s->server, &request, &x);
	if (exchange_end(&u->s->server, &x, curl_easy_perform(x.curl), e) < 0)
		return -1;
	*ret_answer = json_loadb(x.answer.data ? x.answer.data : "", x.answer.length, 0, &where);
	return 0;
}

static int begin(struct upload *u, const char *query, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/uploads%s", query);
	CLEANUP(cleanup_free)
	char *length = mem_printf("Upload-Length: %llu", (unsigned long long)u->length);
	const char *const headers[] = { length, "Tus-Resumable: 1.0.0", NULL };
	struct exchange_request request = {
		.method = "POST",
		.path = path,
		.type = BYTES,
		.body = "",
		.headers = headers,
		.awaited = true,
	};

	if (ask(u, request, &answer, e) < 0)
		return -1;
	const char *id = json_string_value(json_object_get(answer, "id"));
	if (id == NULL || strlen(id) != ID_LENGTH || strspn(id, "0123456789abcdef") != ID_LENGTH)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox's response names no upload");
	(void)snprintf(u->path, sizeof(u->path), "/v1/uploads/%s", id);
	return 0;
}

static int send_piece(struct upload *u, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	uint64_t rest = u->length - u->offset;
	CLEANUP(cleanup_free)
	char *offset = mem_printf("Upload-Offset: %llu", (unsigned long long)u->offset);
	const char *const headers[] = { offset, "Tus-Resumable: 1.0.0", NULL };
	struct exchange_request request = {
		.method = "PATCH",
		.path = u->path,
		.type = BYTES,
		.from = u->file,
		.length = rest < PIECE ? rest : PIECE,
		.headers = headers,
	};

	if (fseeko(u->file, (off_t)u->offset, SEEK_SET) < 0)
		return err_set(e, ERR_INVALID, NULL, "the file cannot be read: %s",
			       strerror(errno));
	if (ask(u, request, &answer, e) < 0)
		return -1;
	u->offset += request.length;
	return 0;
}

static int ask_offset(struct upload *u, struct err *e)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;

	if (site_call(&u->s->server, "GET", u->path, NULL, &answer, e) < 0)
		return -1;
	json_int_t offset = json_integer_value(json_object_get(answer, "offset"));
	if (offset < 0 || (uint64_t)offset > u->length)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox miscounts the upload");
	u->offset = (uint64_t)offset;
	return 0;
}

/* After a failure, finds out where to go on. */
static int recover(struct upload *u, struct attempts *attempts, struct err *e)
{
	uint64_t before = u->offset;
	bool known = false;

	if (strcmp(e->code, "WRONG_OFFSET") != 0 && failed(attempts, u->s, e) < 0)
		return -1;
	while (!known) {
		known = ask_offset(u, e) == 0;
		if (!known && failed(attempts, u->s, e) < 0)
			return -1;
	}
	if (u->offset > before)
		succeeded(attempts);
	return 0;
}

static int send_all(struct upload *u, struct err *e)
{
	struct attempts attempts = { 0 };
	bool complete = false;

	while (!complete) {
		bool last = u->length - u->offset <= PIECE;
		if (send_piece(u, e) == 0) {
			succeeded(&attempts);
			complete = last;
		} else if (recover(u, &attempts, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int send_large(struct upload *u, const char *query, struct err *e)
{
	struct attempts attempts = { 0 };

	while (begin(u, query, e) < 0) {
		if (failed(&attempts, u->s, e) < 0)
			return -1;
	}
	if (send_all(u, e) == 0)
		return 0;
	/* The incomplete upload is of no more use. */
	struct err ignored;
	sandbox_hurry(u->s);
	(void)site_call(&u->s->server, "DELETE", u->path, NULL, NULL, &ignored);
	return -1;
}

static int send_small(struct upload *u, const char *query, struct err *e)
{
	CLEANUP(cleanup_free) char *path = mem_printf("/v1/files%s", query);
	struct attempts attempts = { 0 };
	struct exchange_request request = {
		.method = "PUT",
		.path = path,
		.type = "application/octet-stream",
		.from = u->file,
		.length = u->length,
	};

	for (;;) {
		CLEANUP(json_decrefp) json_t *entry = NULL;
		rewind(u->file);
		if (ask(u, request, &entry, e) == 0)
			return 0;
		if (failed(&attempts, u->s, e) < 0)
			return -1;
	}
}

int transfer_upload(struct sandbox *s, const char *from, const char *to, const struct stat *st,
		    struct err *e)
{
	CLEANUP(cleanup_free) char *escaped = site_escape(to);
	CLEANUP(cleanup_free)
	char *query = mem_printf("?parents=true&path=%s&mode=%04o", escaped,
				 (unsigned)st->st_mode & 0777U);
	struct upload u = { .s = s, .file = fopen(from, "re"), .length = (uint64_t)st->st_size };
	int status;

	if (u.file == NULL)
		return system_failed(from, e);
	status = u.length < SMALL ? -1 : send_large(&u, query, e);
	/* A path on another file system cannot be uploaded in parts. */
	if (u.length < SMALL || (status < 0 && strcmp(e->code, "OTHER_VOLUME") == 0))
		status = send_small(&u, query, e);
	(void)fclose(u.file);
	return status;
}

/* ---- down ------------------------------------------------------------------------------------ */

struct download {
	struct sandbox *s;
	const char *path;
	FILE *file;
	char etag[ETAG_MAX];
};

/* If the file has changed meanwhile, the download starts over. */
static int check_version(struct download *d, const struct exchange *x, off_t offset, struct err *e)
{
	const char *etag = exchange_header(x, "ETag");

	if (offset > 0 && x->status == 200)
		return err_set(e, ERR_INTERNAL, "NOT_A_SANDBOX",
			       "the sandbox sends all of the file instead of its rest");
	if (x->status != 200 && x->status != 206 && x->status != 416)
		return 0;
	if (offset > 0 && strcmp(etag, d->etag) != 0) {
		rewind(d->file);
		if (ftruncate(fileno(d->file), 0) < 0)
			return system_failed("the file that came", e);
		return err_set(e, ERR_UNAVAILABLE, "CHANGED", "%s changes all the time", d->path);
	}
	(void)snprintf(d->etag, sizeof(d->etag), "%s", etag);
	return 0;
}

static int fetch_rest(struct download *d, struct err *e)
{
	CLEANUP(exchange_release) struct exchange x;
	CLEANUP(cleanup_free) char *path = transfer_path("?", d->path);
	off_t offset = ftello(d->file);
	CLEANUP(cleanup_free) char *range = mem_printf("Range: bytes=%lld-", (long long)offset);
	const char *const headers[] = { offset > 0 ? range : NULL, NULL };
	struct err changed;

	exchange_begin(&d->s->server,
		       &(struct exchange_request) {
			       .method = "GET", .path = path, .to = d->file, .headers = headers },
		       &x);
	int status = exchange_end(&d->s->server, &x, curl_easy_perform(x.curl), e);
	if (fflush(d->file) != 0)
		return err_set(e, ERR_INVALID, "CANNOT_WRITE",
			       "the file that came cannot be written here: is there space?");
	if (check_version(d, &x, offset, &changed) < 0) {
		*e = changed;
		return -1;
	}
	return status;
}

static int fetch(struct download *d, struct err *e)
{
	struct attempts attempts = { 0 };

	for (;;) {
		off_t before = ftello(d->file);
		if (fetch_rest(d, e) == 0)
			return 0;
		if (ftello(d->file) > before)
			succeeded(&attempts);
		if (failed(&attempts, d->s, e) < 0)
			return -1;
	}
}

/* Sets the mode: readable and writable like new files here, executable if it is there. */
static int finish(FILE *file, const char *temporary, const char *to, mode_t mode, struct err *e)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(fileno(file), (0666 | (mode & 0111)) & ~mask) < 0 || fflush(file) != 0 ||
	    fsync(fileno(file)) < 0 || rename(temporary, to) < 0)
		return system_failed(to, e);
	return 0;
}

int transfer_download(struct sandbox *s, const char *from, const char *to, mode_t mode,
		      struct err *e)
{
	CLEANUP(cleanup_free) char *temporary = mem_printf("%s.fsa-XXXXXX", to);
	int fd = mkostemp(temporary, O_CLOEXEC);
	struct download d = { .s = s, .path = from, .file = fd >= 0 ? fdopen(fd, "w") : NULL };

	if (d.file == NULL)
		return system_failed(to, e);
	int status = fetch(&d, e);
	if (status == 0)
		status = finish(d.file, temporary, to, mode, e);
	(void)fclose(d.file);
	if (status < 0)
		(void)unlink(temporary);
	return status;
}
