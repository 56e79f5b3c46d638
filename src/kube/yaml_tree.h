#ifndef FSA_KUBE_YAML_TREE_H
#define FSA_KUBE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * One YAML document (or JSON: it is YAML too) as a tree, from hostile text: of limited depth and
 * number of nodes, and without what a configuration file does not need: aliases and anchors, tags,
 * further documents, keys that are not scalars or come twice, NUL, text that is not UTF-8.
 */
enum { YAML_TREE_DEPTH = 16, YAML_TREE_NODES = 2000 };

enum yaml_kind {
	YAML_TREE_NULL, /* empty, ~ or null, not quoted */
	YAML_TREE_TEXT,
	YAML_TREE_MAP,
	YAML_TREE_LIST
};

struct yaml_tree {
	enum yaml_kind kind;
	unsigned line; /* where it begins, from 1 */
	size_t index;  /* its place in the parent */
	char *key;     /* its name in a map, NULL elsewhere */
	char *text;    /* of YAML_TREE_TEXT */
	struct yaml_tree *parent, *first, *last, *next;
};

/* ERR_INVALID names the line: code KUBECONFIG_SYNTAX, KUBECONFIG_ALIAS, KUBECONFIG_TAG or
 * KUBECONFIG_TOO_LARGE. The caller frees with yaml_tree_freep(). */
int yaml_tree_parse(const char *text, size_t length, struct yaml_tree **ret_root, struct err *e);
void yaml_tree_freep(struct yaml_tree **root); /* overwrites all text first: it has secrets */

/* The member of a map with that key; NULL if it is missing or null, or if `map` is not a map. */
const struct yaml_tree *yaml_tree_member(const struct yaml_tree *map, const char *key);

/* Where a node is: "users[0].user.token"; `with_index` false: "users[].user.token". Characters that
 * do not occur in keys we know become '?', so that a key cannot imitate a path. May be cut. */
enum { YAML_TREE_PATH_MAX = 160 };
void yaml_tree_path(const struct yaml_tree *node, bool with_index,
		    char ret_path[YAML_TREE_PATH_MAX]);

#endif
