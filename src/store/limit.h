#ifndef FSA_STORE_LIMIT_H
#define FSA_STORE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/conf.h"
#include "base/err.h"
#include "db/db.h"

/*
 * How much one user may have of something: a table of kinds. Triggers enforce it
 * (sql/0023_limits.sql), in the inserting transaction, for everybody but administrators.
 */
enum limit_kind {
	LIMIT_PROJECTS,
	LIMIT_CLUSTERS,
	LIMIT_SANDBOXES,
	LIMIT_PORTS,
	LIMIT_RUNNING,
	LIMIT_CPU,
	LIMIT_MEMORY,
	LIMIT_STORAGE,
	LIMIT_STARTS,
	LIMIT_KIND_COUNT
};

enum { LIMIT_MAX = 1000000 };

struct limit_spec {
	const char *name;        /* "projects" */
	enum conf_option option; /* the default */
	const char *code;        /* of the error */
	const char *what, *cure; /* "projects", "delete one first" */
};
const struct limit_spec *limit_spec(enum limit_kind kind);
/* ERR_INVALID with the names that there are. */
int limit_find(const char *name, enum limit_kind *ret_kind, struct err *e);

/* After an insertion that came to nothing: ERR_RATE_LIMITED, with the kind's code and what is
 * allowed. Returns -1. */
int limit_reached(struct db *db, const char *user_id, enum limit_kind kind, struct err *e);
/* Whether a statement failed because of a quota (sql/0045_quotas.sql): then `e` is
 * ERR_RATE_LIMITED with the kind's code, and says what would be used and what is allowed. */
bool limit_explain(const struct err *failed, struct err *e);
/* Of every kind {"kind", "limit", "used", "isException"}; limit null: no default is known yet. */
int limit_list(struct db *db, const char *user_id, json_t **ret_limits, struct err *e);

/* For fsactl. An exception for one user; negative: back to the default. Existing rows stay. */
int limit_set(struct db *db, const char *user_id, enum limit_kind kind, int64_t value,
	      struct err *e);

#endif
