#ifndef FSA_STORE_ENVIRONMENT_H
#define FSA_STORE_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"
#include "store/store.h"

struct variable {
	const char *id, *project_id, *key, *category, *created_at, *updated_at;
	bool is_secret;
	const void *value_sealed;
	size_t value_sealed_length;
};
struct variable_rows {
	PGresult *result;
	void *decoded;
	size_t count;
	struct variable *items;
};
/* By key. ERR_NOT_FOUND PROJECT_NOT_FOUND. */
int variable_list(struct db *db, const char *user_id, const char *project_id,
		  struct variable_rows *ret_rows, struct err *e);
/* Those of many projects, by project and key; of `project_ids`, an array, the user's only. */
int variable_list_many(struct db *db, const char *user_id, const json_t *project_ids,
		       struct variable_rows *ret_rows, struct err *e);
/* One, as a list of one; ERR_NOT_FOUND VARIABLE_NOT_FOUND. */
int variable_get(struct db *db, const char *user_id, const char *project_id,
		 const char *variable_id, struct variable_rows *ret_rows, struct err *e);
void variable_rows_clear(struct variable_rows *rows);

/* Of one project. The cluster takes a Secret of 1 MiB, in which a request's variables have a place,
 * too; and a pass has the variables of all its rows in memory. */
enum { VARIABLES_MAX = 256, VARIABLES_SEALED_MAX = 512 * 1024 };

struct variable_new {
	const char *key, *category;
	bool is_secret;
	const void *value_sealed;
	size_t value_sealed_length;
};
/* Creates or replaces by key, all or none; the sandbox's generation is raised once. A project has
 * at most VARIABLES_MAX (ERR_UNPROCESSABLE TOO_MANY_VARIABLES), of VARIABLES_SEALED_MAX bytes
 * together when sealed (VARIABLES_TOO_LARGE). */
int variable_put(struct db *db, const char *user_id, const char *project_id,
		 const struct variable_new *variables, size_t count, struct err *e);
/* The same, and what these categories had besides is removed. `category`, which may be NULL, is one
 * more of them: so can a category be emptied. */
int variable_replace(struct db *db, const char *user_id, const char *project_id,
		     const struct variable_new *variables, size_t count, const char *category,
		     struct err *e);
/* Members of `change` that are NULL stay; `is_secret` is taken when `set_secret`. The key cannot
 * change: its value is sealed for it. */
struct variable_change {
	const char *category;
	bool set_secret, is_secret;
	const void *value_sealed;
	size_t value_sealed_length;
};
int variable_change(struct db *db, const char *user_id, const char *project_id,
		    const char *variable_id, const struct variable_change *change, struct err *e);
int variable_delete(struct db *db, const char *user_id, const char *project_id,
		    const char *variable_id, struct err *e);

#endif
