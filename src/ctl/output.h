#ifndef FSA_CTL_OUTPUT_H
#define FSA_CTL_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ctl/command.h"

/*
 * What commands print: JSON for programs and columns for people, from the same objects, so that the
 * two cannot differ. What comes from elsewhere (names, messages of clusters) may hold anything:
 * for people, control characters become '?'.
 */
struct output_column {
	const char *key;   /* of the object */
	const char *title; /* for people */
};

/* With --json: the value, and true. */
bool output_json(const struct call *call, const json_t *value);
/* An array of objects: JSON, or a table with titles. */
void output_list(const struct call *call, const struct output_column *columns, size_t count,
		 const json_t *rows);
/* For people only: a table under a heading, which may be NULL (nothing at all if it is empty); the
 * members of one object, a line each, those that are null left out. */
void output_table(const char *heading, const struct output_column *columns, size_t count,
		  const json_t *rows);
void output_fields(const struct output_column *fields, size_t count, const json_t *object);
/* A line of text that may come from elsewhere. */
void output_line(const char *label, const char *text);

/* "3d 4h", "5m 12s", "800ms". The caller frees. */
char *output_duration(uint64_t ms);

#endif
