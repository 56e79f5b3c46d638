#include "sandboxd/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "sandboxd/problem.h"

enum { PATH_LENGTH = 4096, DIRECTORY_MODE = 0755 };

static struct base {
	char *path;
	int fd;
} bases[PLACE_BASES];

static char *hidden_path;
static char *own_paths[PLACE_OWN_MAX]; /* the hidden directory and those in the bases */

static void init_own_paths(void)
{
	const char *names[] = { PLACE_UPLOADS, PLACE_UNPACK, PLACE_REMNANTS };
	char real[PATH_LENGTH];
	size_t count = 0;

	own_paths[count++] = hidden_path;
	for (size_t i = 0; i < PLACE_BASES; i++)
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			own_paths[count++] = mem_printf(
				"%s/%s",
				realpath(bases[i].path, real) != NULL ? real : bases[i].path,
				names[j]);
}

void place_init(const char *home, const char *hidden)
{
	const char *paths[PLACE_BASES] = { home, "/tmp" };
	char real[PATH_LENGTH];

	for (size_t i = 0; i < PLACE_BASES; i++) {
		bases[i].path = mem_strdup(paths[i]);
		bases[i].fd = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	hidden_path = mem_strdup(realpath(hidden, real) != NULL ? real : hidden);
	init_own_paths();
}

/* Finds the base of a path; `ret_rest` is the rest. */
static const struct base *find_base(const char *path, const char **ret_rest)
{
	if (path[0] != '/') {
		*ret_rest = path;
		return &bases[0];
	}
	for (size_t i = 0; i < PLACE_BASES; i++) {
		size_t length = strlen(bases[i].path);
		if (strncmp(path, bases[i].path, length) != 0 ||
		    (path[length] != '/' && path[length] != '\0'))
			continue;
		*ret_rest = path + length + strspn(path + length, "/");
		return &bases[i];
	}
	return NULL;
}

/* Whether a path is equal to another one, or below it. */
static bool is_below(const char *path, const char *other)
{
	size_t length = strlen(other);

	return strncmp(path, other, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool path_of_file(int fd, char *ret_path)
{
	char link[40];
	ssize_t got;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	got = readlink(link, ret_path, PATH_LENGTH - 1);
	ret_path[got < 0 ? 0 : got] = '\0';
	return got >= 0;
}

bool place_is_hidden(int fd)
{
	char path[PATH_LENGTH];

	return !path_of_file(fd, path) || is_below(path, hidden_path);
}

size_t place_own_below(int directory, const char *ret_paths[PLACE_OWN_MAX])
{
	char path[PATH_LENGTH];
	size_t count = 0;

	if (!path_of_file(directory, path))
		return 0;
	for (size_t i = 0; i < PLACE_OWN_MAX; i++)
		if (is_below(own_paths[i], path) && own_paths[i][strlen(path)] != '\0')
			ret_paths[count++] = own_paths[i] + strlen(path) + 1;
	return count;
}

static int open_beneath(int base, const char *rest, int flags)
{
	struct open_how how = { .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, base, *rest != '\0' ? rest : ".", &how, sizeof(how));

	if (fd >= 0 && place_is_hidden(fd)) {
		close(fd);
		errno = EXDEV;
		return -1;
	}
	return fd;
}

static const struct base *check_path(const char *path, const char **ret_rest, struct err *e)
{
	const struct base *base = NULL;

	if (*path == '\0' || strlen(path) >= PATH_LENGTH)
		(void)problem(e, "INVALID_REQUEST", "path must have 1 to %d bytes",
			      PATH_LENGTH - 1);
	else if ((base = find_base(path, ret_rest)) == NULL)
		(void)problem(e, "OUTSIDE", "%.200s: only %s and %s can be reached", path,
			      bases[0].path, bases[1].path);
	return base;
}

int place_open(const char *path, int flags, int *ret_fd, struct err *e)
{
	const char *rest = NULL;
	const struct base *base = check_path(path, &rest, e);

	if (base == NULL)
		return -1;
	*ret_fd = open_beneath(base->fd, rest, flags);
	return *ret_fd < 0 ? problem_errno(e, path) : 0;
}

size_t place_base(const char *path)
{
	const char *rest;
	const struct base *base = find_base(path, &rest);

	return base != NULL ? (size_t)(base - bases) : 0;
}

int place_private(size_t base, const char *name, bool make)
{
	if (make && mkdirat(bases[base].fd, name, 0700) != 0 && errno != EEXIST)
		return -1;
	return open_beneath(bases[base].fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/* ---- a place ------------------------------------------------------------------------------- */

/* Opens a directory below the base; with `make`, creates missing parts. */
static int open_directory(int base, char *path, bool make)
{
	int fd = open_beneath(base, path, O_PATH | O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	for (char *at = path;; at++) {
		at += strcspn(at, "/");
		bool last = *at == '\0';
		*at = '\0';
		char *name = strrchr(path, '/');
		CLEANUP(cleanup_free)
		char *before =
			name != NULL ? mem_strndup(path, (size_t)(name - path)) : mem_strdup("");
		CLEANUP(cleanup_close) int in = open_beneath(base, before, O_PATH | O_DIRECTORY);
		if (in < 0 || (mkdirat(in, name != NULL ? name + 1 : path, DIRECTORY_MODE) != 0 &&
			       errno != EEXIST))
			return -1;
		if (last)
			break;
		*at = '/';
	}
	return open_beneath(base, path, O_PATH | O_DIRECTORY);
}

static bool is_name(const char *name)
{
	return strcmp(name, "..") != 0 && strcmp(name, ".") != 0 && *name != '\0';
}

int place_find(const char *path, bool parents, struct place *ret, struct err *e)
{
	const char *rest = NULL;
	const struct base *base = check_path(path, &rest, e);

	*ret = (struct place) { .directory = -1 };
	if (base == NULL)
		return -1;
	CLEANUP(cleanup_free) char *copy = mem_strdup(rest);
	size_t length = strlen(copy);
	while (length > 0 && copy[length - 1] == '/')
		copy[--length] = '\0';
	if (strcmp(copy, ".") == 0)
		copy[--length] = '\0';
	char *slash = strrchr(copy, '/'), *name = slash != NULL ? slash + 1 : copy;
	if (length > 0 && !is_name(name))
		return problem(e, "INVALID_REQUEST", "%.200s: a path ends with a name", path);
	ret->path = length > 0 ? mem_printf("%s/%s", base->path, copy) : mem_strdup(base->path);
	ret->name = length > 0 ? ret->path + strlen(ret->path) - strlen(name) : ".";
	if (slash != NULL)
		*slash = '\0';
	ret->directory = open_directory(base->fd, slash != NULL ? copy : (char[]) { "" }, parents);
	if (ret->directory < 0) {
		(void)problem_errno(e, path);
		place_release(ret);
		return -1;
	}
	CLEANUP(cleanup_close)
	int fd = openat(ret->directory, ret->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !place_is_hidden(fd))
		return 0;
	place_release(ret);
	return problem(e, "OUTSIDE", "%.200s is the sandbox's own", path);
}

void place_release(struct place *p)
{
	cleanup_close(&p->directory);
	p->directory = -1;
	free(p->path);
	p->path = NULL;
}

int place_parse_mode(const char *given, mode_t otherwise, mode_t *ret_mode, struct err *e)
{
	char *end;
	unsigned long mode = given != NULL ? strtoul(given, &end, 8) : otherwise;

	if (given != NULL && (*given < '0' || *end != '\0' || mode > 0777 || strlen(given) > 4))
		return problem(e, "INVALID_REQUEST", "mode must be three octal digits");
	*ret_mode = (mode_t)mode;
	return 0;
}

/* ---- existing files ------------------------------------------------------------------------ */

void place_etag(const struct stat *st, char *ret_etag)
{
	(void)snprintf(ret_etag, ETAG_MAX, "\"%llx-%llx-%llx%08lx\"",
		       (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
		       (unsigned long long)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
}

static const char *type_of(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "directory";
	return S_ISLNK(mode) ? "link" : "other";
}

/* In a name that is not UTF-8, invalid bytes become '?', so it cannot be reached through JSON. */
static json_t *text(const char *bytes)
{
	json_t *json = json_string(bytes);

	if (json != NULL)
		return json;
	CLEANUP(cleanup_free) char *copy = mem_strdup(bytes);
	parse_make_utf8(copy);
	return json_string(copy);
}

json_t *place_entry(int directory, const char *name, const char *path)
{
	char etag[ETAG_MAX], mode[8], target[PATH_LENGTH];
	const char *last = strrchr(path, '/');
	ssize_t length = -1;
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return NULL;
	if (S_ISLNK(st.st_mode))
		length = readlinkat(directory, name, target, sizeof(target) - 1);
	if (length >= 0)
		target[length] = '\0';
	place_etag(&st, etag);
	(void)snprintf(mode, sizeof(mode), "%04o", st.st_mode & 07777U);
	return json_pack("{s:o, s:o, s:s, s:I, s:s, s:o, s:s, s:o}", "path", text(path), "name",
			 text(last != NULL ? last + 1 : path), "type", type_of(st.st_mode), "size",
			 (json_int_t)st.st_size, "mode", mode, "modifiedAt",
			 json_time(st.st_mtim.tv_sec, st.st_mtim.tv_nsec), "etag", etag, "target",
			 length >= 0 ? text(target) : json_null());
}

int place_check(const struct place *p, const struct precondition *c, struct stat *ret_old,
		bool *ret_exists, struct err *e)
{
	char etag[ETAG_MAX];

	*ret_exists = fstatat(p->directory, p->name, ret_old, AT_SYMLINK_NOFOLLOW) == 0;
	if (*ret_exists && S_ISDIR(ret_old->st_mode))
		return problem(e, "IS_DIRECTORY", "%.200s is a directory", p->path);
	if (c->none && *ret_exists)
		return problem(e, "CHANGED", "%.200s exists", p->path);
	if (c->match == NULL || (strcmp(c->match, "*") == 0 && *ret_exists))
		return 0;
	if (*ret_exists)
		place_etag(ret_old, etag);
	if (!*ret_exists || strcmp(etag, c->match) != 0)
		return problem(e, "CHANGED", "%.200s is not what it was: read it again", p->path);
	return 0;
}

int place_replace(const struct place *p, int directory, const char *name,
		  const struct precondition *c, struct err *e)
{
	struct stat old;
	bool exists;

	if (place_check(p, c, &old, &exists, e) < 0)
		return -1;
	if (renameat2(directory, name, p->directory, p->name, c->none ? RENAME_NOREPLACE : 0) == 0)
		return 0;
	if (c->none && errno == EEXIST)
		return problem(e, "CHANGED", "%.200s exists", p->path);
	if (errno == EXDEV)
		return problem(e, "OTHER_VOLUME", "%.200s is on another volume", p->path);
	return problem_errno(e, p->path);
}

/* ---- writing ------------------------------------------------------------------------------- */

int draft_open(const struct place *p, mode_t mode, struct draft *ret, struct err *e)
{
	unsigned char random[8];
	int length = snprintf(ret->name, sizeof(ret->name), ".fsa-draft-");

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return problem_errno(e, p->path);
	for (size_t i = 0; i < sizeof(random); i++)
		length += snprintf(ret->name + length, 3, "%02x", random[i]);
	ret->fd = openat(p->directory, ret->name,
			 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (ret->fd < 0)
		return problem_errno(e, p->path);
	if (fchmod(ret->fd, mode) == 0)
		return 0;
	(void)problem_errno(e, p->path);
	draft_discard(p, ret);
	return -1;
}

int draft_write(const struct draft *d, const char *data, size_t length, struct err *e)
{
	while (length > 0) {
		ssize_t done = write(d->fd, data, length);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return problem_errno(e, "writing");
		data += done;
		length -= (size_t)done;
	}
	return 0;
}

int draft_commit(const struct place *p, struct draft *d, const struct precondition *c,
		 struct err *e)
{
	int fd = d->fd;

	d->fd = -1;
	if (close(fd) != 0) { /* network file systems may report a full disk only here */
		(void)problem_errno(e, p->path);
	} else if (place_replace(p, p->directory, d->name, c, e) == 0) {
		return 0;
	}
	draft_discard(p, d);
	return -1;
}

void draft_discard(const struct place *p, struct draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (d->name[0] != '\0')
		(void)unlinkat(p->directory, d->name, 0);
	d->name[0] = '\0';
}
