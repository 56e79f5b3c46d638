#include "kube/yaml_tree.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"

struct builder {
	struct yaml_tree *root;
	struct yaml_tree *open; /* the collection being filled; NULL at the top */
	char *key;              /* a key whose value comes next */
	unsigned depth;
	unsigned nodes;
	unsigned documents;
};

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* Not recursive, although the depth is limited: children first, then up. */
static void free_tree(struct yaml_tree *root)
{
	struct yaml_tree *node = root;

	while (node != NULL) {
		if (node->first != NULL) {
			struct yaml_tree *child = node->first;
			node->first = child->next;
			node = child;
			continue;
		}
		struct yaml_tree *parent = node == root ? NULL : node->parent;
		wipe(node->key);
		wipe(node->text);
		free(node);
		node = parent;
	}
}

void yaml_tree_freep(struct yaml_tree **root)
{
	free_tree(*root);
}

static void builder_release(struct builder *b)
{
	free_tree(b->root);
	wipe(b->key);
}

static void free_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static unsigned line_of(const yaml_mark_t *mark)
{
	return (unsigned)mark->line + 1;
}

static int refuse(struct err *e, const yaml_event_t *event, const char *code, const char *why)
{
	return err_set(e, ERR_INVALID, code, "line %u: %s", line_of(&event->start_mark), why);
}

static int add_node(struct builder *b, const yaml_event_t *event, enum yaml_kind kind,
		    struct yaml_tree **ret_node, struct err *e)
{
	if (++b->nodes > YAML_TREE_NODES)
		return refuse(e, event, "KUBECONFIG_TOO_LARGE", "too many members");
	struct yaml_tree *node = mem_calloc(1, sizeof(*node));
	node->kind = kind;
	node->line = line_of(&event->start_mark);
	node->parent = b->open;
	node->key = STEAL(b->key);
	*ret_node = node;
	if (b->open == NULL) {
		b->root = node;
		return 0;
	}
	if (b->open->last != NULL) {
		node->index = b->open->last->index + 1;
		b->open->last->next = node;
	} else {
		b->open->first = node;
	}
	b->open->last = node;
	return 0;
}

static bool is_null(const yaml_event_t *event, const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

static int take_key(struct builder *b, const yaml_event_t *event, const char *text, struct err *e)
{
	for (const struct yaml_tree *child = b->open->first; child != NULL; child = child->next) {
		if (strcmp(child->key, text) == 0)
			return refuse(e, event, "KUBECONFIG_SYNTAX",
				      "the same key twice in one mapping");
	}
	b->key = mem_strdup(text);
	return 0;
}

static int take_scalar(struct builder *b, const yaml_event_t *event, struct err *e)
{
	const char *text = (const char *)event->data.scalar.value;
	struct yaml_tree *node;

	if (strlen(text) != event->data.scalar.length)
		return refuse(e, event, "KUBECONFIG_SYNTAX", "a NUL character");
	if (b->open != NULL && b->open->kind == YAML_TREE_MAP && b->key == NULL)
		return take_key(b, event, text, e);
	bool null = is_null(event, text);
	if (add_node(b, event, null ? YAML_TREE_NULL : YAML_TREE_TEXT, &node, e) < 0)
		return -1;
	if (!null)
		node->text = mem_strdup(text);
	return 0;
}

static int open_collection(struct builder *b, const yaml_event_t *event, enum yaml_kind kind,
			   struct err *e)
{
	struct yaml_tree *node;

	if (b->open != NULL && b->open->kind == YAML_TREE_MAP && b->key == NULL)
		return refuse(e, event, "KUBECONFIG_SYNTAX", "a key that is a collection");
	if (++b->depth > YAML_TREE_DEPTH)
		return refuse(e, event, "KUBECONFIG_TOO_LARGE", "nested too deeply");
	if (add_node(b, event, kind, &node, e) < 0)
		return -1;
	b->open = node;
	return 0;
}

static int close_collection(struct builder *b)
{
	if (b->open != NULL) { /* always true: libyaml only ends what it has begun */
		b->open = b->open->parent;
		b->depth--;
	}
	return 0;
}

/* Anchors and tags can be on any node; libyaml stores them in a different place for each kind of
 * event. */
static int check_decoration(const yaml_event_t *event, struct err *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		anchor = event->data.alias.anchor;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return refuse(e, event, "KUBECONFIG_ALIAS", "anchors and aliases are not allowed");
	if (tag != NULL)
		return refuse(e, event, "KUBECONFIG_TAG", "tags are not allowed");
	return 0;
}

static int take_event(struct builder *b, const yaml_event_t *event, struct err *e)
{
	if (check_decoration(event, e) < 0)
		return -1;
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++b->documents > 1)
			return refuse(e, event, "KUBECONFIG_SYNTAX", "more than one document");
		return 0;
	case YAML_SCALAR_EVENT:
		return take_scalar(b, event, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(b, event, YAML_TREE_LIST, e);
	case YAML_MAPPING_START_EVENT:
		return open_collection(b, event, YAML_TREE_MAP, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(b);
	default:
		return 0;
	}
}

static int syntax_error(const yaml_parser_t *parser, struct err *e)
{
	return err_set(e, ERR_INVALID, "KUBECONFIG_SYNTAX", "line %u: %s",
		       line_of(&parser->problem_mark),
		       parser->problem != NULL ? parser->problem : "not YAML");
}

static int build(struct builder *b, yaml_parser_t *parser, struct err *e)
{
	for (bool end = false; !end;) {
		CLEANUP(free_event) yaml_event_t event = { .type = YAML_NO_EVENT };
		if (!yaml_parser_parse(parser, &event))
			return syntax_error(parser, e);
		if (take_event(b, &event, e) < 0)
			return -1;
		end = event.type == YAML_STREAM_END_EVENT;
	}
	if (b->root == NULL)
		return err_set(e, ERR_INVALID, "KUBECONFIG_SYNTAX", "line 1: nothing in it");
	return 0;
}

/* Some editors write it before UTF-8. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

int yaml_tree_parse(const char *text, size_t length, struct yaml_tree **ret_root, struct err *e)
{
	CLEANUP(builder_release) struct builder b = { 0 };
	CLEANUP(yaml_parser_delete) yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		abort(); /* out of memory: see base/mem.h */
	if (length >= strlen(byte_order_mark) &&
	    memcmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) {
		text += strlen(byte_order_mark);
		length -= strlen(byte_order_mark);
	}
	if (!parse_is_utf8(text, length))
		return err_set(e, ERR_INVALID, "KUBECONFIG_SYNTAX",
			       "not text: invalid UTF-8 or a NUL character");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (build(&b, &parser, e) < 0)
		return -1;
	*ret_root = STEAL(b.root);
	return 0;
}

const struct yaml_tree *yaml_tree_member(const struct yaml_tree *map, const char *key)
{
	if (map == NULL || map->kind != YAML_TREE_MAP)
		return NULL;
	for (const struct yaml_tree *child = map->first; child != NULL; child = child->next) {
		if (strcmp(child->key, key) == 0)
			return child->kind == YAML_TREE_NULL ? NULL : child;
	}
	return NULL;
}

/* The path is truncated at its maximum length: no rule or message needs a longer one. */
static void append(char path[YAML_TREE_PATH_MAX], const char *text)
{
	size_t length = strlen(path);

	(void)snprintf(path + length, YAML_TREE_PATH_MAX - length, "%s", text);
}

static void append_step(const struct yaml_tree *node, bool with_index,
			char path[YAML_TREE_PATH_MAX])
{
	char step[YAML_TREE_PATH_MAX] = "[]";

	if (node->key == NULL && with_index)
		(void)snprintf(step, sizeof(step), "[%zu]", node->index);
	if (node->key != NULL) {
		(void)snprintf(step, sizeof(step), "%s", node->key);
		for (char *p = step; *p != '\0'; p++) {
			if (!isalnum((unsigned char)*p) && *p != '-')
				*p = '?';
		}
		if (path[0] != '\0')
			append(path, ".");
	}
	append(path, step);
}

void yaml_tree_path(const struct yaml_tree *node, bool with_index,
		    char ret_path[YAML_TREE_PATH_MAX])
{
	const struct yaml_tree *steps[YAML_TREE_DEPTH + 1];
	size_t count = 0;

	for (; node->parent != NULL; node = node->parent)
		steps[count++] = node;
	ret_path[0] = '\0';
	while (count > 0)
		append_step(steps[--count], with_index, ret_path);
}
