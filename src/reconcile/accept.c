#include "reconcile/accept.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_at.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/parse.h"
#include "manifest/manifest.h"
#include "manifest/object.h"
#include "reconcile/warn.h"

enum { WORDS_MAX = 400, VALUE_SHOWN = 60, SHOWN_MAX = 3 };

/* The caller frees. */
static char *key_of(const json_t *object)
{
	return mem_printf("%s %s", json_text_at(object, "kind"),
			  json_text_at(object, "metadata.name"));
}

static void add(struct buf *words, char *more)
{
	CLEANUP(cleanup_free) char *owned = more;

	/* What does not fit is omitted. */
	(void)buf_append(words, owned, strlen(owned), NULL);
}

static void add_value(struct buf *words, const json_t *value)
{
	char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	add(words, mem_printf("%.*s", VALUE_SHOWN, shown != NULL ? shown : "nothing"));
	free(shown);
}

static void put_in_words(const json_t *differences, struct buf *ret_words)
{
	size_t i;
	json_t *difference;

	json_array_foreach(differences, i, difference)
	{
		if (i == SHOWN_MAX) {
			add(ret_words,
			    mem_printf(" and %zu more", json_array_size(differences) - i));
			break;
		}
		add(ret_words,
		    mem_printf("%s %s is ", i > 0 ? "," : "", json_text_at(difference, "path")));
		add_value(ret_words, json_object_get(difference, "live"));
		add(ret_words, mem_strdup(" instead of "));
		add_value(ret_words, json_object_get(difference, "wanted"));
	}
}

static json_t *entry_of(const json_t *differences)
{
	CLEANUP(buf_release) struct buf words = BUF_INIT(WORDS_MAX);
	char hash[MANIFEST_HASH_SIZE];

	object_hash(differences, hash);
	put_in_words(differences, &words);
	parse_make_utf8(words.data);
	return json_pack("{s:s, s:s}", "hash", hash, "words", words.data);
}

void accept_answer(json_t *observed, const json_t *stored, const json_t *desired)
{
	json_auto_t *differences = manifest_differences(stored, desired);
	CLEANUP(cleanup_free) char *key = key_of(desired);
	json_t *accepted = json_object_get(observed, "accepted");

	if (accepted == NULL) {
		accepted = json_object();
		json_object_set_new(observed, "accepted", accepted);
	}
	if (json_array_size(differences) > 0)
		json_object_set_new(accepted, key, entry_of(differences));
	else
		json_object_del(accepted, key);
	if (json_object_size(accepted) == 0)
		json_object_del(observed, "accepted");
}

bool accept_is_known(const json_t *observed, const json_t *live, const json_t *desired)
{
	CLEANUP(cleanup_free) char *key = key_of(desired);
	const json_t *entry = json_object_get(json_object_get(observed, "accepted"), key);
	char hash[MANIFEST_HASH_SIZE];

	if (entry == NULL || live == NULL)
		return false;
	json_auto_t *differences = manifest_differences(live, desired);
	object_hash(differences, hash);
	return strcmp(json_text_at(entry, "hash"), hash) == 0;
}

bool accept_covers(const json_t *observed, const json_t *live, const json_t *desired)
{
	return live != NULL &&
	       (manifest_covers(live, desired) || accept_is_known(observed, live, desired));
}

void accept_warn(const json_t *observed, json_t *warnings)
{
	CLEANUP(buf_release) struct buf words = BUF_INIT(2 * (size_t)WORDS_MAX);
	const char *key;
	json_t *entry;

	json_object_foreach(json_object_get(observed, "accepted"), key, entry)
	{
		add(&words, mem_printf("%s%s:%s", words.length > 0 ? "; " : "", key,
				       json_text_at(entry, "words")));
	}
	if (words.length > 0)
		warn_set(warnings, WARNING_CHANGED_BY_ADMISSION, "%s", words.data);
	else
		warn_clear(warnings, WARNING_CHANGED_BY_ADMISSION);
}
