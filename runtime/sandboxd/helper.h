#ifndef SANDBOXD_HELPER_H
#define SANDBOXD_HELPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "sandboxd/loop.h"

/*
 * A child process that does for sandboxd what would keep everybody else waiting, mostly by a
 * program of the sandbox's image.
 */
enum { HELPERS_MAX = 4, SAID_MAX = 300 }; /* of each purpose */

/* Those of one purpose do not wait for those of another: a download takes as long as its client. */
enum helper_purpose { HELPER_PACKS, HELPER_UNPACKS, HELPER_REMOVES, HELPER_PURPOSES };

struct helper {
	struct watch end;
	enum helper_purpose purpose;
	struct watch said; /* its standard error */
	char text[SAID_MAX + 1];
	size_t length;
	pid_t pid;
	int status; /* that `work` returned; ECANCELED: it was killed */
	bool ended;
	void (*done)(struct helper *h);
	void *user;
};

/* Call it before the first helper, if its programs (tar, chmod, rm) are in a directory of their
 * own, before the image's. */
void helper_init(const char *tools);
/* In a child, `work` gets `user`, the descriptors `fds` as its 0, 1, 3, 4, … (-1: /dev/null; there
 * is no fds[2]) and no others, and its result, a number like errno's, becomes `status`.
 * `h->purpose`, `h->done` and `h->user` are set before. TOO_MANY. */
int helper_start(struct helper *h, int (*work)(void *user), const int *fds, size_t count,
		 struct err *e);
void helper_kill(struct helper *h);
/* For `work`: becomes a program, or returns a number like errno's. */
int helper_become(char *const *words);
/* For `work`: runs a program with this one's descriptors; whether it succeeded. */
bool helper_run(char *const *words);

#endif
