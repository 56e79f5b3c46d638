#ifndef FSA_STORE_SIZE_H
#define FSA_STORE_SIZE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * The sizes that a site offers for sandboxes. An administrator makes them, owners choose one; a
 * trigger copies what it gives into the sandbox's row (sql/0035_sizes.sql), so a size that is
 * changed or removed later changes no sandbox.
 */

enum { SIZE_NAME_MAX = 32, SIZE_DESCRIPTION_MAX = 200 };
#define SIZE_NAME_PATTERN "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"

/* Kubernetes quantities. */
struct size {
	const char *name, *description;
	const char *cpu_request, *cpu_limit;
	const char *memory_request, *memory_limit;
	const char *storage_limit; /* of what is written outside the home directory */
};

/* Of each size {"name", "description", "cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit",
 * "storageLimit"}, the smallest name first. */
int size_list(struct db *db, json_t **ret_sizes, struct err *e);

/* For fsactl: makes a size, or replaces it. ERR_INVALID for a name that is none. */
int size_set(struct db *db, const struct size *size, struct err *e);
/* ERR_NOT_FOUND with code SIZE_NOT_FOUND. */
int size_remove(struct db *db, const char *name, struct err *e);

#endif
