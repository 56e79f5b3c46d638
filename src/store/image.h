#ifndef FSA_STORE_IMAGE_H
#define FSA_STORE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * The images that a site offers for sandboxes besides its default. An administrator makes them,
 * owners choose one; a trigger copies it into the sandbox's row (sql/0049_images.sql), so an image
 * that is changed or removed later changes no sandbox. Names are as those of sizes (store/size.h).
 */

enum { IMAGE_REFERENCE_MAX = 512 };

struct image {
	const char *name, *description, *reference;
	bool complete;  /* terminal and sandboxd are in it; else the operator's tools_image brings
			   them */
	int64_t run_as; /* the user's number; 0: the one that the image names */
};

/* Of each image {"name", "description", "reference", "complete", "runAs"}, the smallest name
 * first. */
int image_list(struct db *db, json_t **ret_images, struct err *e);

/* Of each pattern {"pattern"}: what images' references may begin with that owners choose freely. */
int image_patterns(struct db *db, json_t **ret_patterns, struct err *e);

/* For fsactl: allows references that begin like a pattern. ERR_INVALID for a pattern that is
 * none. */
int image_allow(struct db *db, const char *pattern, struct err *e);
/* ERR_NOT_FOUND with code PATTERN_NOT_FOUND. */
int image_disallow(struct db *db, const char *pattern, struct err *e);
/* For fsactl: makes an image, or replaces it. ERR_INVALID for a name that is none. */
int image_set(struct db *db, const struct image *image, struct err *e);
/* ERR_NOT_FOUND with code IMAGE_NOT_FOUND. */
int image_remove(struct db *db, const char *name, struct err *e);

#endif
