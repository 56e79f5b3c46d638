#ifndef KUBESIM_FIELDSET_H
#define KUBESIM_FIELDSET_H

#include <stdbool.h>

#include <jansson.h>

#include "schema.h"

/*
 * Sets of fields in the form FieldsV1, the one that managedFields has: a tree of "f:<member>",
 * "k:<keys of an item>" and "v:<item of a set>"; a node is itself in the set when it is empty or
 * has ".". NULL is the empty set. The caller owns the results, and keeps the arguments. Source: the
 * documentation of structured-merge-diff and of metav1.FieldsV1.
 */
typedef json_t fieldset;

/* All fields of a value. */
fieldset *fieldset_of(const struct schema *schema, const json_t *value);
/* The fields of `after` that are new, or of another value than in `before`. */
fieldset *fieldset_changed(const struct schema *schema, const json_t *before, const json_t *after);

fieldset *fieldset_union(const fieldset *a, const fieldset *b);
fieldset *fieldset_difference(const fieldset *a, const fieldset *b);
fieldset *fieldset_intersection(const fieldset *a, const fieldset *b);

/* Removes the fields in `remove` from an object, except those that are in `keep` or contain some
 * that are. Structs and maps that become empty are removed, too. */
void fieldset_remove(const struct schema *schema, json_t *object, const fieldset *remove,
		     const fieldset *keep);

/* Calls back with each member as a path, e.g. ".spec.containers[name=\"a\"].image". */
typedef void fieldset_visit_fn(void *user, const char *path);
void fieldset_visit(const fieldset *a, fieldset_visit_fn *visit, void *user);

#endif
