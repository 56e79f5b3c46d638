/* A tar archive becomes a directory. The image's tar unpacks it into a new directory, where no
 * existing link can mislead it, and only a complete archive is moved to its place: an interrupted
 * request changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "sandboxd/handlers.h"
#include "sandboxd/helper.h"
#include "sandboxd/place.h"
#include "sandboxd/problem.h"
#include "sandboxd/tree.h"

enum { PENDING_MAX = 262144, NAME_LENGTH = 24, PROBE_SIZE = 65536 };

/* The child's descriptors. */
enum { PRIVATE = 3, TARGET, COMMIT, CHILD_FDS };

struct unpacking {
	struct helper helper;
	struct watch input; /* of tar */
	struct buf pending; /* for it */
	/* a byte means that the archive is complete, the pipe's end that it is not */
	int commit;
	struct conn *conn; /* NULL: it has left */
	struct place place;
	char name[NAME_LENGTH]; /* of the new directory */
	bool exists;            /* the target exists, so the contents are moved into it */
	bool started, complete;
};

/* ---- in the child -------------------------------------------------------------------------- */

static bool run_tar(const char *name)
{
	CLEANUP(cleanup_free) char *directory = mem_strdup(name);
	char *words[] = { (char[]) { "tar" },
			  (char[]) { "--extract" },
			  (char[]) { "--file=-" },
			  (char[]) { "--no-same-owner" },
			  (char[]) { "--no-same-permissions" },
			  (char[]) { "--delay-directory-restore" },
			  (char[]) { "--directory" },
			  directory,
			  NULL };

	return helper_run(words);
}

/* Removes the directory whatever modes the archive gave to its directories. */
static void discard(const char *name)
{
	CLEANUP(cleanup_free) char *directory = mem_strdup(name);
	char *open_up[] = { (char[]) { "chmod" }, (char[]) { "-R" }, (char[]) { "u+rwX" },
			    (char[]) { "--" },    directory,         NULL };
	char *remove[] = { (char[]) { "rm" }, (char[]) { "-rf" }, (char[]) { "--" }, directory,
			   NULL };

	struct stat st;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
		return;
	(void)helper_run(open_up);
	(void)helper_run(remove);
}

/* Returns ENOSPC or EDQUOT if the disk is full, else 0: tar does not always say so. */
static int probe_disk(void)
{
	static const char zeros[PROBE_SIZE];
	CLEANUP(cleanup_close)
	int fd = openat(PRIVATE, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	ssize_t done = 0;

	for (size_t sent = 0; done >= 0 && sent < sizeof(zeros); sent += (size_t)done) {
		done = write(fd, zeros, sizeof(zeros) - sent);
		if (done < 0 && (errno == ENOSPC || errno == EDQUOT))
			return errno;
	}
	return 0;
}

static bool is_complete(void)
{
	char byte;

	return read(COMMIT, &byte, 1) == 1;
}

/* Returns 0 or an errno. */
static int unpack(const struct unpacking *u)
{
	int done;

	if (!run_tar(u->name)) {
		done = probe_disk();
		return done != 0 ? done : EBADMSG;
	}
	if (!is_complete())
		return ECANCELED;
	/* Moving a directory requires permission to write to it. */
	done = fchmodat(PRIVATE, u->name, 0755, 0);
	if (done == 0 && u->exists)
		done = tree_merge(PRIVATE, u->name, TARGET, u->place.name);
	else if (done == 0)
		done = renameat2(PRIVATE, u->name, TARGET, u->place.name, RENAME_NOREPLACE);
	return done == 0 ? 0 : errno;
}

static int work(void *user)
{
	const struct unpacking *u = user;

	if (fchdir(PRIVATE) != 0)
		return errno;
	int status = unpack(u);
	discard(u->name);
	return status;
}

static int remove_remnants(void *user)
{
	(void)user;
	if (fchdir(PRIVATE) == 0)
		discard(PLACE_REMNANTS);
	return 0;
}

/* ---- the answer ---------------------------------------------------------------------------- */

static void unpacking_free(struct unpacking *u)
{
	watch_close(&u->input);
	cleanup_close(&u->commit);
	buf_release(&u->pending);
	place_release(&u->place);
	loop_free(u);
}

/* The child is not killed: it notices the end of its input, and removes what it has unpacked. */
static void left(struct conn *c)
{
	struct unpacking *u = c->context;

	u->conn = NULL;
	watch_close(&u->input);
	cleanup_close(&u->commit);
	u->commit = -1;
	if (!u->started || u->helper.ended)
		unpacking_free(u);
}

static int failed(const struct unpacking *u, struct err *e)
{
	errno = u->helper.status;
	switch (errno) {
	case EBADMSG:
		return problem(e, "CANNOT_UNPACK", "%s", u->helper.text);
	case ECANCELED:
		return problem(e, "CANNOT_UNPACK", "the archive's unpacking was ended%s%s",
			       u->helper.text[0] != '\0' ? ": " : "", u->helper.text);
	case EXDEV:
		return problem(e, "OTHER_VOLUME", "%.200s is on another volume", u->place.path);
	default:
		return problem_errno(e, u->helper.text[0] != '\0' ? u->helper.text : u->place.path);
	}
}

static void answer(const struct unpacking *u)
{
	struct conn *c = u->conn;
	const struct place *p = &u->place;
	struct err e;
	int status = u->helper.status == 0 ? 0 : failed(u, &e);
	json_t *entry = status == 0 ? place_entry(p->directory, p->name, p->path) : NULL;

	if (status == 0 && entry == NULL)
		status = problem_errno(&e, p->path);
	if (status == 0)
		conn_json(c, u->exists ? 200 : 201, entry);
	else
		conn_fail(c, &e);
}

/* A client that is still sending gets the error once it sends more. */
static void done(struct helper *h)
{
	struct unpacking *u = h->user;

	if (u->conn == NULL) {
		unpacking_free(u);
		return;
	}
	watch_close(&u->input);
	if (u->complete)
		answer(u);
	conn_pause(u->conn, false);
}

/* ---- the body ------------------------------------------------------------------------------ */

/* When tar stops reading, its end says why; further data is dropped. */
static void push(struct unpacking *u)
{
	size_t sent = 0;

	while (u->input.fd >= 0 && sent < u->pending.length) {
		ssize_t done = write(u->input.fd, u->pending.data + sent, u->pending.length - sent);
		if (done < 0 && errno == EAGAIN)
			break;
		if (done <= 0)
			watch_close(&u->input);
		sent += done > 0 ? (size_t)done : 0;
	}
	if (u->input.fd < 0)
		sent = u->pending.length;
	if (sent > 0) {
		u->conn->progress_at = loop_now();
		u->pending.length -= sent;
		memmove(u->pending.data, u->pending.data + sent, u->pending.length);
	}
	bool waits = u->pending.length > 0;
	if (u->input.fd >= 0)
		watch_for(&u->input, waits ? EPOLLOUT : 0);
	if (u->complete && !waits && u->commit >= 0) {
		(void)!write(u->commit, "", 1);
		cleanup_close(&u->commit);
		u->commit = -1;
		watch_close(&u->input);
	}
	conn_pause(u->conn, waits);
}

static void input_ready(struct watch *w, uint32_t events)
{
	struct unpacking *u = CONTAINER_OF(w, struct unpacking, input);

	(void)events;
	push(u);
}

static int take_part(struct conn *c, const char *data, size_t length, struct err *e)
{
	struct unpacking *u = c->context;

	if (u->helper.ended)
		return failed(u, e);
	if (buf_append(&u->pending, data, length, e) < 0)
		return -1;
	push(u);
	return 0;
}

static const struct conn_ops unpacking_ops = { .body = take_part, .closed = left };

/* ---- the request --------------------------------------------------------------------------- */

static int find_target(struct conn *c, struct unpacking *u, struct err *e)
{
	const char *path = request_parameter(&c->request, "path");
	bool parents, merge;
	struct stat st;

	if (path == NULL)
		return problem(e, "INVALID_REQUEST", "path is missing");
	if (request_flag(&c->request, "parents", &parents, e) < 0 ||
	    request_flag(&c->request, "merge", &merge, e) < 0 ||
	    place_find(path, parents, &u->place, e) < 0)
		return -1;
	u->exists = fstatat(u->place.directory, u->place.name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (u->exists && !S_ISDIR(st.st_mode))
		return problem(e, "NOT_DIRECTORY", "%.200s is no directory", u->place.path);
	if (u->exists && !merge)
		return problem(e, "EXISTS", "%.200s exists: merge=true unpacks into it",
			       u->place.path);
	return 0;
}

/* Opens sandboxd's own directory, and makes a new one in it. */
static int make_directory(struct unpacking *u, int *ret_private, struct err *e)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return problem_errno(e, PLACE_UNPACK);
	(void)snprintf(u->name, sizeof(u->name), "%016llx", (unsigned long long)random);
	*ret_private = place_private(place_base(u->place.path), PLACE_UNPACK, true);
	if (*ret_private < 0 || mkdirat(*ret_private, u->name, 0700) != 0)
		return problem_errno(e, PLACE_UNPACK);
	return 0;
}

/* Makes two pipes to the child, whose ends are in `fds`. */
static int make_pipes(struct unpacking *u, int *fds, struct err *e)
{
	int input[2], commit[2];

	if (pipe2(input, O_CLOEXEC) != 0)
		return problem(e, "TOO_MANY", "no pipe: %s", strerror(errno));
	fds[0] = input[0];
	u->input = (struct watch) { .fd = input[1], .ready = input_ready };
	if (fcntl(input[1], F_SETFL, O_NONBLOCK) != 0 || pipe2(commit, O_CLOEXEC) != 0)
		return problem(e, "TOO_MANY", "no pipe: %s", strerror(errno));
	fds[COMMIT] = commit[0];
	u->commit = commit[1];
	return 0;
}

static int start(struct unpacking *u, struct err *e)
{
	int fds[CHILD_FDS] = { -1, -1, -1, -1, u->place.directory, -1 };
	int status = make_directory(u, &fds[PRIVATE], e);

	if (status == 0)
		status = make_pipes(u, fds, e);
	if (status == 0)
		status = helper_start(&u->helper, work, fds, CHILD_FDS, e);
	if (status < 0 && fds[PRIVATE] >= 0)
		(void)unlinkat(fds[PRIVATE], u->name, AT_REMOVEDIR);
	u->started = status == 0;
	cleanup_close(&fds[0]);
	cleanup_close(&fds[PRIVATE]);
	cleanup_close(&fds[COMMIT]);
	return status;
}

int files_unpack_begin(struct conn *c, struct err *e)
{
	struct unpacking *u = mem_calloc(1, sizeof(*u));

	u->conn = c;
	u->helper = (struct helper) { .purpose = HELPER_UNPACKS, .done = done, .user = u };
	u->pending = BUF_INIT(PENDING_MAX);
	u->place.directory = u->input.fd = u->commit = -1;
	conn_set_ops(c, &unpacking_ops, u);
	return find_target(c, u, e) < 0 ? -1 : start(u, e);
}

int files_unpack(struct conn *c, json_t *body, struct err *e)
{
	struct unpacking *u = c->context;

	(void)body;
	(void)e;
	u->complete = true;
	if (u->helper.ended)
		answer(u);
	else
		push(u);
	return 0;
}

/* ---- at the start -------------------------------------------------------------------------- */

static void remnants_removed(struct helper *h)
{
	loop_free(h);
}

void unpack_init(void)
{
	for (size_t i = 0; i < PLACE_BASES; i++) {
		CLEANUP(cleanup_close) int base = place_private(i, ".", false);
		const int fds[] = { -1, -1, -1, base };
		struct helper *h = mem_calloc(1, sizeof(*h));
		struct err ignored;

		h->purpose = HELPER_REMOVES;
		h->done = remnants_removed;
		(void)renameat(base, PLACE_UNPACK, base, PLACE_REMNANTS);
		if (faccessat(base, PLACE_REMNANTS, F_OK, AT_SYMLINK_NOFOLLOW) != 0 ||
		    helper_start(h, remove_remnants, fds, 4, &ignored) < 0)
			loop_free(h);
	}
}
