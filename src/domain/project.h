#ifndef FSA_DOMAIN_PROJECT_H
#define FSA_DOMAIN_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "domain/types.h"

/* Rules about projects that need no database. */

enum {
	PROJECT_NAME_MAX = 64,      /* characters a user may give */
	PROJECT_KUBE_NAME_MAX = 20, /* of the name derived from it */
	/* Of an object's name. The longest label made from one is that of the StatefulSet that
	 * KubeBlocks makes: "<name>-postgresql-<10 of its revision's hash>", at most 63. */
	RESOURCE_NAME_MAX = 41,
	ENVIRONMENT_KEY_MAX = 128,
	ENVIRONMENT_VALUE_MAX = 32768,
};

/* Letters, digits, spaces and hyphens, beginning with a letter, ending with none of ' ' and '-',
 * at most PROJECT_NAME_MAX. ERR_INVALID with code INVALID_PROJECT_NAME says what is wrong. */
int project_name_check(const char *name, struct err *e);

/* The Kubernetes form: lower case, ' ' becomes '-', runs of '-' become one, cut to
 * PROJECT_KUBE_NAME_MAX without a '-' at the end. `name` must have passed project_name_check(). */
void project_kube_name(const char *name, char ret_name[PROJECT_KUBE_NAME_MAX + 1]);

/* An environment variable's name: [A-Za-z_][A-Za-z0-9_]*, not one of those that the system sets
 * itself or that would break the shell of the sandbox (the table in project.c). ERR_INVALID with
 * code INVALID_ENVIRONMENT_KEY or RESERVED_ENVIRONMENT_KEY. */
int environment_key_check(const char *key, struct err *e);
/* UTF-8 without NUL, at most ENVIRONMENT_VALUE_MAX bytes. Code INVALID_ENVIRONMENT_VALUE; the
 * message does not repeat the value, which may be a secret. */
int environment_value_check(const char *value, size_t length, struct err *e);

/* Version 0.4's categories of variables: auth, payment, ttyd, file_browser, general, secret. */
extern const char *const environment_categories[];
extern const size_t environment_category_count;

/* The stage of a sandbox and its database (STATUS_RUNNING: there is none) together. */
enum stage stage_reached(enum stage sandbox, enum status database);
/* What the user sees of one stage when `current` is the stage a sandbox is in: "done",
 * "active", "failed" or "pending". Of a sandbox that is neither up nor on its way up, all are
 * pending; the first and the last are not done before the database is. */
const char *stage_state(enum stage stage, enum stage current, enum status sandbox,
			enum status database);

#endif
