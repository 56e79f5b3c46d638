#ifndef SANDBOXD_PLACE_H
#define SANDBOXD_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/err.h"

/*
 * Where files may be: below the home directory and /tmp. The kernel itself resolves each path
 * (openat2, RESOLVE_BENEATH), so that no link, no `..` and no race leads out. What is sandboxd's
 * own below /tmp is not there for clients.
 */

/* A directory that is open, and the last part of a path in it. */
struct place {
	int directory;
	char *path;       /* absolute, without a slash at the end */
	const char *name; /* in `path`; "." for the base itself */
};

void place_init(const char *home, const char *hidden);

/* The place of a path, its directories made where that is asked for. The file itself need not be
 * there. */
int place_find(const char *path, bool parents, struct place *ret, struct err *e);
void place_release(struct place *p);
/* Opens what is at a path; follows links within the base. */
int place_open(const char *path, int flags, int *ret_fd, struct err *e);

/* "\"…\"" of a file's identity, size and time of change. */
enum { ETAG_MAX = 80 };
void place_etag(const struct stat *st, char *ret_etag);
/* What the API tells of a file `name` in an open directory; NULL when it is not there. */
json_t *place_entry(int directory, const char *name, const char *path);

/* What a write is allowed to meet. */
struct precondition {
	const char *match; /* If-Match, or NULL */
	bool none;         /* If-None-Match: * */
};
int place_check(const struct place *p, const struct precondition *c, struct stat *ret_old,
		bool *ret_exists, struct err *e);

/* A file that is written beside the place and then takes it, at once. */
struct draft {
	int fd;
	char name[40];
};
int draft_open(const struct place *p, mode_t mode, struct draft *ret, struct err *e);
int draft_write(const struct draft *d, const char *data, size_t length, struct err *e);
/* The new file, or the old one and an error. */
int draft_commit(const struct place *p, struct draft *d, const struct precondition *c,
		 struct err *e);
void draft_discard(const struct place *p, struct draft *d);

#endif
