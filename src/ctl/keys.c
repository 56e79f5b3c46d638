/* keys add, list and rotate: the keys that secrets are sealed to. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/seal.h"
#include "ctl/administrator.h"
#include "ctl/command.h"
#include "ctl/keys.h"
#include "ctl/output.h"
#include "store/sealed.h"

enum { SEALED_MAX = 2 * 1024 * 1024 };

static const struct ring {
	const char *name;
	const char *object; /* as named in the audit */
	enum conf_option public_file, private_file;
} rings[] = {
	{ "cluster", "cluster key", CONF_CLUSTER_PUBLIC_KEY_FILE, CONF_CLUSTER_PRIVATE_KEY_FILE },
	{ "owner", "owner key", CONF_OWNER_PUBLIC_KEY_FILE, CONF_OWNER_PRIVATE_KEY_FILE },
};

static int find_ring(const struct call *call, const struct ring **ret_ring, struct err *e)
{
	const char *name = call->arguments[0];

	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		if (strcmp(rings[i].name, name) == 0) {
			*ret_ring = &rings[i];
			return 0;
		}
	}
	err_set(e, ERR_INVALID, "USAGE", "keys: \"%s\" is neither cluster nor owner", name);
	return -1;
}

/* ---- add ------------------------------------------------------------------------------------- */

static void print_added(const struct call *call, const char *id, const char *public_file,
			const char *private_file)
{
	json_t *added = json_pack("{s:s, s:s, s:s}", "id", id, "publicFile", public_file,
				  "privateFile", private_file);

	if (!output_json(call, added))
		(void)printf("added key %s to %s and %s\n", id, public_file, private_file);
	json_decref(added);
}

/* The first keys are made before there is a database; only later ones are recorded in the audit. */
static int note_added(struct db *db, bool first, const struct ring *ring, const char *id,
		      struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;

	if (db_begin(db, &tx, e) == 0 &&
	    administrator_note(tx, "admin.keys.add", ring->object, id, e) == 0 &&
	    db_commit(&tx, e) == 0)
		return 0;
	return first ? 0 : err_wrap(e, "key %s was added, but not noted in the audit", id);
}

int command_keys_add(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	const struct ring *ring = NULL;
	char id[17];

	if (find_ring(call, &ring, e) < 0)
		return -1;
	const char *public_file = conf_string(call->conf, ring->public_file);
	const char *private_file = conf_string(call->conf, ring->private_file);
	bool first = access(private_file, F_OK) < 0;
	if ((!first && db_ping(db, e) < 0) || keyring_add(public_file, private_file, id, e) < 0 ||
	    note_added(db, first, ring, id, e) < 0)
		return -1;
	print_added(call, id, public_file, private_file);
	return 0;
}

/* ---- list ------------------------------------------------------------------------------------ */

int keys_count(struct db *db, const char *ring, json_t *counts, struct err *e)
{
	for (size_t i = 0; i < sealed_place_count; i++) {
		if (strcmp(sealed_places[i].ring, ring) == 0 && sealed_count(db, i, counts, e) < 0)
			return -1;
	}
	return 0;
}

static void add_row(json_t *rows, const struct ring *ring, const char *id, const char *state,
		    const json_t *count)
{
	(void)json_array_append_new(rows,
				    json_pack("{s:s, s:s, s:s, s:I}", "ring", ring->name, "id", id,
					      "state", state, "sealed", json_integer_value(count)));
}

/* Lists the keys of the private file, then those that values are sealed to and the file lacks. */
static int list_ring(const struct call *call, struct db *db, const struct ring *ring, json_t *rows,
		     bool *ret_missing, struct err *e)
{
	CLEANUP(keyring_freep) struct keyring *keys = NULL;
	CLEANUP(json_decrefp) json_t *counts = json_object();
	const char *id;
	json_t *count;

	if (keyring_load_private(conf_string(call->conf, ring->private_file), &keys, e) < 0 ||
	    keys_count(db, ring->name, counts, e) < 0)
		return -1;
	for (size_t i = 0; i < keyring_count(keys); i++) {
		char known[17];
		keyring_id(keys, i, known);
		add_row(rows, ring, known, i == 0 ? "newest" : "old",
			json_object_get(counts, known));
		(void)json_object_del(counts, known);
	}
	json_object_foreach(counts, id, count)
	{
		add_row(rows, ring, id, "missing", count);
		*ret_missing = true;
	}
	return 0;
}

int keys_state(const struct call *call, struct db *db, json_t **ret_rows, bool *ret_missing,
	       struct err *e)
{
	CLEANUP(json_decrefp) json_t *rows = json_array();

	*ret_missing = false;
	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		if (list_ring(call, db, &rings[i], rows, ret_missing, e) < 0)
			return -1;
	}
	*ret_rows = STEAL(rows);
	return 0;
}

int command_keys_list(const struct call *call, struct err *e)
{
	static const struct output_column columns[] = {
		{ "ring", "RING" },
		{ "id", "KEY" },
		{ "state", "STATE" },
		{ "sealed", "SEALED TO IT" },
	};
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *rows = NULL;
	bool missing;

	if (keys_state(call, db, &rows, &missing, e) < 0)
		return -1;
	output_list(call, columns, ARRAY_SIZE(columns), rows);
	return missing ? 1 : 0;
}

/* ---- rotate ---------------------------------------------------------------------------------- */

struct rotation {
	struct db *db;
	struct keyring *keys;
	bool own; /* only holders of the private key seal to it */
	json_int_t resealed;
	json_t *failed; /* what could not be opened, and why */
};

static int reseal_value(struct rotation *r, size_t place, const struct sealed_value *value,
			struct err *e)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(SEALED_MAX);
	struct err wrong;

	if (reseal(r->keys, r->own, value->context, value->sealed, value->length, &sealed, &wrong) <
	    0) {
		(void)json_array_append_new(
			r->failed, json_pack("{s:s, s:s, s:s}", "in", sealed_places[place].name,
					     "row", value->row, "message", wrong.message));
		return 0;
	}
	r->resealed++;
	return sealed_replace(r->db, place, value, sealed.data, sealed.length, e);
}

static int reseal_place(struct rotation *r, size_t place, struct err *e)
{
	CLEANUP(sealed_rows_clear) struct sealed_rows rows = { .count = 0 };
	uint8_t newest[SEALED_KEY_ID_BYTES];

	keyring_newest_id(r->keys, newest);
	do {
		struct sealed_rows next;
		const char *after = rows.count > 0 ? rows.items[rows.count - 1].row : NULL;
		if (sealed_find(r->db, place, newest, after, &next, e) < 0)
			return -1;
		sealed_rows_clear(&rows);
		rows = next;
		for (size_t i = 0; i < rows.count; i++) {
			if (reseal_value(r, place, &rows.items[i], e) < 0)
				return -1;
		}
	} while (rows.count == SEALED_BATCH);
	return 0;
}

static void print_rotation(const struct call *call, const struct ring *ring,
			   const struct rotation *r)
{
	static const struct output_column columns[] = {
		{ "in", "IN" },
		{ "row", "ROW" },
		{ "message", "NOT OPENED" },
	};
	char id[17];

	keyring_id(r->keys, 0, id);
	json_t *done = json_pack("{s:s, s:s, s:I, s:O}", "ring", ring->name, "id", id, "resealed",
				 r->resealed, "failed", r->failed);
	if (!output_json(call, done)) {
		(void)printf("%lld values sealed anew, to key %s\n", (long long)r->resealed, id);
		output_table("left as they are:", columns, ARRAY_SIZE(columns), r->failed);
	}
	json_decref(done);
}

/* Recorded first, so that an interrupted rotation is in the audit, too. */
static int note_rotation(struct db *db, const struct ring *ring, const struct keyring *keys,
			 struct err *e)
{
	char id[17];

	keyring_id(keys, 0, id);
	return administrator_note(db, "admin.keys.rotate", ring->object, id, e);
}

/* Each value is resealed in its own statement, so this can be interrupted at any time, and
 * continues where it stopped; meanwhile the programs read old and new forms. */
int command_keys_rotate(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(keyring_freep) struct keyring *keys = NULL;
	CLEANUP(json_decrefp) json_t *failed = json_array();
	const struct ring *ring = NULL;

	if (find_ring(call, &ring, e) < 0 ||
	    keyring_load_private(conf_string(call->conf, ring->private_file), &keys, e) < 0 ||
	    note_rotation(db, ring, keys, e) < 0)
		return -1;
	struct rotation rotation = {
		.db = db,
		.keys = keys,
		.own = strcmp(ring->name, "owner") == 0,
		.failed = failed,
	};
	for (size_t i = 0; i < sealed_place_count; i++) {
		if (strcmp(sealed_places[i].ring, ring->name) == 0 &&
		    reseal_place(&rotation, i, e) < 0)
			return -1;
	}
	print_rotation(call, ring, &rotation);
	return json_array_size(failed) > 0 ? 1 : 0;
}
