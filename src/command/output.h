#ifndef FSA_COMMAND_OUTPUT_H
#define FSA_COMMAND_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * What commands print: JSON for programs and columns for people, from the same objects, so that the
 * two cannot differ. What comes from elsewhere (names, messages of clusters) may hold anything:
 * for people, control characters become '?'.
 */
struct output_column {
	const char *key;   /* of the object */
	const char *title; /* for people */
};

/* JSON, over several lines and in one. */
void output_value(const json_t *value);
void output_value_line(const json_t *value);
/* For people: a table with titles, also when it is empty. */
void output_rows(const struct output_column *columns, size_t count, const json_t *rows);
/* For people: a table under a heading, which may be NULL (nothing at all if it is empty); the
 * members of one object, a line each, those that are null left out. */
void output_table(const char *heading, const struct output_column *columns, size_t count,
		  const json_t *rows);
void output_fields(const struct output_column *fields, size_t count, const json_t *object);
/* A line of text that may come from elsewhere. */
void output_line(const char *label, const char *text);

/* A copy with '?' for each control character; the caller frees. All text from elsewhere passes
 * through it on its way to a terminal. */
char *output_printable(const char *text);
/* The same for text of several lines: line feeds and tabs stay. */
char *output_printable_lines(const char *text);

/* "3d 4h", "5m 12s", "800ms". The caller frees. */
char *output_duration(uint64_t ms);

#endif
