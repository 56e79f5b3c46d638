#include "base/json_write.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { NUMBER_MAX = 32 };

static void put(struct buf *out, const char *text, size_t length)
{
	(void)buf_append(out, text, length, NULL); /* has no limit: it is our own document */
}

static void write_escaped(struct buf *out, unsigned char c)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c != '\0' ? strchr(special, c) : NULL;
	char text[8];
	int length = at != NULL ? snprintf(text, sizeof(text), "\\%c", letters[at - special])
				: snprintf(text, sizeof(text), "\\u%04X", (unsigned)c);

	put(out, text, (size_t)length);
}

static void write_string(struct buf *out, const char *text, size_t length)
{
	size_t written = 0;

	put(out, "\"", 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(out, text + written, i - written);
		write_escaped(out, c);
		written = i + 1;
	}
	put(out, text + written, length - written);
	put(out, "\"", 1);
}

static void write_value(struct buf *out, const json_t *json);

static void write_object(struct buf *out, const json_t *json)
{
	json_t *object = (json_t *)(uintptr_t)json; /* iterating does not change it */
	const char *between = "";

	put(out, "{", 1);
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		put(out, between, strlen(between));
		write_string(out, key, strlen(key));
		put(out, ":", 1);
		write_value(out, json_object_iter_value(i));
		between = ",";
	}
	put(out, "}", 1);
}

static void write_array(struct buf *out, const json_t *json)
{
	put(out, "[", 1);
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (i > 0)
			put(out, ",", 1);
		write_value(out, json_array_get(json, i));
	}
	put(out, "]", 1);
}

static void write_number(struct buf *out, const json_t *json)
{
	char text[NUMBER_MAX];

	put(out, text, json_dumpb(json, text, sizeof(text), JSON_COMPACT | JSON_ENCODE_ANY));
}

static void write_value(struct buf *out, const json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		write_object(out, json);
		break;
	case JSON_ARRAY:
		write_array(out, json);
		break;
	case JSON_STRING:
		write_string(out, json_string_value(json), json_string_length(json));
		break;
	case JSON_NULL:
		put(out, "null", 4);
		break;
	case JSON_TRUE:
		put(out, "true", 4);
		break;
	case JSON_FALSE:
		put(out, "false", 5);
		break;
	default:
		write_number(out, json);
		break;
	}
}

char *json_write(const json_t *json)
{
	struct buf out = BUF_INIT(SIZE_MAX);

	write_value(&out, json);
	return out.data;
}
