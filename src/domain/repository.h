#ifndef FSA_DOMAIN_REPOSITORY_H
#define FSA_DOMAIN_REPOSITORY_H

#include "base/err.h"

/*
 * The git repository that a new project begins with. It is cloned in the owner's sandbox, with the
 * owner's rights, so these rules protect the owner: no credentials in what lists show, nothing that
 * git would take for an option or for another protocol.
 */

enum {
	REPOSITORY_URL_MAX = 500,
	REPOSITORY_BRANCH_MAX = 200,
	REPOSITORY_FOLDER_MAX = 64,
};

/* https, or http of the sandbox's own loopback; no user, query or fragment. */
#define REPOSITORY_URL_PATTERN                                                                     \
	"^(https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(localhost|127\\.0\\.0\\.1))"                  \
	"(:[0-9]{1,5})?/[A-Za-z0-9._~%+@,=:/-]+$"
/* A branch or a tag. */
#define REPOSITORY_BRANCH_PATTERN "^[A-Za-z0-9_][A-Za-z0-9._/+@#=,-]*$"
/* Of the home directory, and directly in it. */
#define REPOSITORY_FOLDER_PATTERN "^[A-Za-z0-9_][A-Za-z0-9._-]*$"

/* Checkers of these patterns. ERR_INVALID with code INVALID_REPOSITORY; the message repeats no
 * address, as it may have a password in it. */
int repository_url_check(const char *url, struct err *e);
int repository_branch_check(const char *branch, struct err *e);
int repository_folder_check(const char *folder, struct err *e);

#endif
