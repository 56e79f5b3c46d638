#ifndef SANDBOXD_PLACE_H
#define SANDBOXD_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/err.h"

/*
 * The files that clients may reach: below the home directory and /tmp. The kernel itself resolves
 * each path (openat2, RESOLVE_BENEATH), so that no link, no `..` and no race leads outside.
 * sandboxd's own files below /tmp are hidden from clients.
 */

/* An open directory, and the last part of a path in it. */
struct place {
	int directory;
	char *path;       /* absolute, without a slash at the end */
	const char *name; /* in `path`; "." for the base itself */
};

void place_init(const char *home, const char *hidden);
/* Whether an open file is one of sandboxd's own. */
bool place_is_hidden(int fd);
/* sandboxd's own directories in a base, for what is not complete. */
#define PLACE_UPLOADS  ".fsa-uploads"
#define PLACE_UNPACK   ".fsa-unpack"
#define PLACE_REMNANTS ".fsa-unpack-old" /* the same, of a sandboxd before this one */
/* Those directories and the hidden files, as far as they are below an open directory: their paths
 * relative to it. Returns how many there are. */
enum { PLACE_OWN_MAX = 7 };
size_t place_own_below(int directory, const char *ret_paths[PLACE_OWN_MAX]);

/* Resolves a path, and creates its directories on request. The file itself need not exist. */
int place_find(const char *path, bool parents, struct place *ret, struct err *e);
void place_release(struct place *p);
/* Opens the file at a path; follows links within the base. */
int place_open(const char *path, int flags, int *ret_fd, struct err *e);

/* "\"…\"" of a file's identity, size and time of change. */
enum { ETAG_MAX = 80 };
void place_etag(const struct stat *st, char *ret_etag);
/* The API's description of a file `name` in an open directory; NULL if it does not exist. */
json_t *place_entry(int directory, const char *name, const char *path);

/* sandboxd's own directory `name` in a base (the home directory, or /tmp), for the owner alone;
 * made on request. -1 and errno. */
enum { PLACE_BASES = 2 };
int place_private(size_t base, const char *name, bool make);
/* The base of a path that was found. */
size_t place_base(const char *path);
/* "644"; `given` NULL: `otherwise`. */
int place_parse_mode(const char *given, mode_t otherwise, mode_t *ret_mode, struct err *e);

/* The preconditions of a write. */
struct precondition {
	const char *match; /* If-Match, or NULL */
	bool none;         /* If-None-Match: * */
};
int place_check(const struct place *p, const struct precondition *c, struct stat *ret_old,
		bool *ret_exists, struct err *e);

/* Moves a file to its place, if the preconditions hold. */
int place_replace(const struct place *p, int directory, const char *name,
		  const struct precondition *c, struct err *e);

/* A file that is written next to its destination and then replaces it atomically. */
struct draft {
	int fd;
	char name[40];
};
int draft_open(const struct place *p, mode_t mode, struct draft *ret, struct err *e);
int draft_write(const struct draft *d, const char *data, size_t length, struct err *e);
/* Afterwards there is the new file; or the old one, and an error. */
int draft_commit(const struct place *p, struct draft *d, const struct precondition *c,
		 struct err *e);
void draft_discard(const struct place *p, struct draft *d);

#endif
