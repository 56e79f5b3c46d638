#ifndef FSA_STORE_TEMPLATE_H
#define FSA_STORE_TEMPLATE_H

#include <jansson.h>

#include "base/err.h"
#include "db/db.h"

/*
 * What projects can begin with. An administrator makes templates, owners choose one when they
 * create a project; it says what their request leaves out, so a template that is changed or removed
 * later changes no project. Names are as those of sizes (store/size.h).
 */

enum { TEMPLATE_PORTS_MAX = 8 };

struct template
{
	const char *name, *description;
	const char *image, *size; /* NULL: the site's default */
	const json_t *ports;      /* an array of numbers */
	const json_t *variables;  /* an object: name to value */
};

/* Of each template {"name", "description", "image", "size", "ports", "variables"}, the smallest
 * name first. */
int template_list(struct db *db, json_t **ret_templates, struct err *e);
/* One of them. ERR_UNPROCESSABLE TEMPLATE_UNKNOWN. */
int template_get(struct db *db, const char *name, json_t **ret_template, struct err *e);
/* For fsactl: makes a template, or replaces it. ERR_INVALID for a name that is none;
 * ERR_UNPROCESSABLE for an image or a size that there is not. */
int template_set(struct db *db, const struct template *template, struct err *e);
/* ERR_NOT_FOUND with code TEMPLATE_NOT_FOUND. */
int template_remove(struct db *db, const char *name, struct err *e);

#endif
