#include "command/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Returns the length of a control character at `text` (C0, DEL, or the UTF-8 form of C1); 0 if it
 * is none. */
static size_t control_length(const unsigned char *text)
{
	if (text[0] < 0x20 || text[0] == 0x7f)
		return 1;
	return text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0 ? 2 : 0;
}

/* Jansson escapes C0, but terminals also obey DEL and C1. They occur only in strings. */
static void print_json(const json_t *value, size_t flags)
{
	CLEANUP(cleanup_free) char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t control = *at == '\n' ? 0 : control_length((const unsigned char *)at);
		if (control > 0)
			(void)printf("\\u%04x", (unsigned char)at[control - 1]);
		else
			(void)putchar(*at);
		at += control > 0 ? control : 1;
	}
	(void)putchar('\n');
}

void output_value(const json_t *value)
{
	print_json(value, JSON_INDENT(2));
}

void output_value_line(const json_t *value)
{
	print_json(value, JSON_COMPACT);
}

static char *make_printable(const char *text, const char *kept)
{
	char *copy = mem_strdup(text);
	char *to = copy;

	for (const char *from = text; *from != '\0';) {
		size_t control = control_length((const unsigned char *)from);
		*to++ = *from;
		if (control > 0 && strchr(kept, *from) == NULL)
			to[-1] = '?';
		from += control > 0 ? control : 1;
	}
	*to = '\0';
	return copy;
}

char *output_printable(const char *text)
{
	return make_printable(text, "");
}

char *output_printable_lines(const char *text)
{
	return make_printable(text, "\n\t");
}

/* Counts characters: all bytes except UTF-8 continuation bytes. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Returns a value as text for a cell. The caller frees. */
static char *cell_text(const json_t *value)
{
	if (json_is_string(value))
		return output_printable(json_string_value(value));
	if (json_is_boolean(value))
		return mem_strdup(json_is_true(value) ? "yes" : "no");
	if (value == NULL || json_is_null(value))
		return mem_strdup("-");
	CLEANUP(cleanup_free) char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return output_printable(json);
}

static void print_cell(const char *text, int width)
{
	(void)printf("%s%*s", text, width > 0 ? width - width_of(text) + 2 : 0, "");
}

static void measure(const struct output_column *columns, size_t count, const json_t *rows,
		    int *ret_widths)
{
	size_t i;
	json_t *row;

	for (size_t c = 0; c < count; c++)
		ret_widths[c] = width_of(columns[c].title);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < count; c++) {
			CLEANUP(cleanup_free)
			char *text = cell_text(json_object_get(row, columns[c].key));
			int width = width_of(text);
			if (width > ret_widths[c])
				ret_widths[c] = width;
		}
	}
	ret_widths[count - 1] = 0; /* nothing follows the last column */
}

static void print_rows(const char *indent, const struct output_column *columns, size_t count,
		       const json_t *rows)
{
	CLEANUP(cleanup_free) int *widths = mem_calloc(count, sizeof(*widths));
	size_t i;
	json_t *row;

	measure(columns, count, rows, widths);
	(void)fputs(indent, stdout);
	for (size_t c = 0; c < count; c++)
		print_cell(columns[c].title, widths[c]);
	(void)putchar('\n');
	json_array_foreach(rows, i, row)
	{
		(void)fputs(indent, stdout);
		for (size_t c = 0; c < count; c++) {
			CLEANUP(cleanup_free)
			char *text = cell_text(json_object_get(row, columns[c].key));
			print_cell(text, widths[c]);
		}
		(void)putchar('\n');
	}
}

void output_rows(const struct output_column *columns, size_t count, const json_t *rows)
{
	print_rows("", columns, count, rows);
}

void output_table(const char *heading, const struct output_column *columns, size_t count,
		  const json_t *rows)
{
	if (json_array_size(rows) == 0)
		return;
	if (heading != NULL)
		(void)printf("\n%s\n", heading);
	print_rows(heading != NULL ? "  " : "", columns, count, rows);
}

void output_fields(const struct output_column *fields, size_t count, const json_t *object)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, fields[i].key);
		if (value == NULL || json_is_null(value))
			continue;
		CLEANUP(cleanup_free) char *text = cell_text(value);
		(void)printf("%-14s%s\n", fields[i].title, text);
	}
}

void output_line(const char *label, const char *text)
{
	CLEANUP(cleanup_free) char *safe = output_printable(text);

	(void)printf("  %-12s%s\n", label, safe);
}

char *output_duration(uint64_t ms)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	uint64_t seconds = ms / 1000;

	if (seconds == 0)
		return mem_printf("%llums", (unsigned long long)ms);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(units); i++) {
		uint64_t count = seconds / units[i].seconds;
		uint64_t rest = seconds % units[i].seconds / units[i + 1].seconds;
		if (count > 0)
			return mem_printf("%llu%s %llu%s", (unsigned long long)count, units[i].name,
					  (unsigned long long)rest, units[i + 1].name);
	}
	return mem_printf("%llus", (unsigned long long)seconds);
}
