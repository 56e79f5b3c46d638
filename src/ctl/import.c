#include "ctl/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "crypto/token.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "store/operator.h"

/* Long, because whole tables are read and written. */
enum { IMPORT_TIMEOUT_MS = 600000 };

static void import_clear(struct import *i)
{
	for (unsigned t = 0; t < ORIGINAL_TABLE_COUNT; t++)
		json_decref(i->tables[t]);
	json_decref(i->report);
	keyring_free(i->owner_private);
	keyring_free(i->cluster_public);
	address_policy_free(i->policy);
}

void import_say(struct import *i, const char *what, const char *name, const char *result,
		const char *reason)
{
	(void)json_array_append_new(i->report,
				    json_pack("{s:s, s:s, s:s, s:s?}", "what", what, "name", name,
					      "result", result, "reason", reason));
}

void import_say_outcome(struct import *i, const char *what, const char *name,
			enum import_outcome outcome, const char *taken)
{
	static const char *const results[] = {
		[IMPORT_ADDED] = "imported",
		[IMPORT_THERE] = "there already",
		[IMPORT_TAKEN] = "refused",
	};

	import_say(i, what, name, results[outcome], outcome == IMPORT_TAKEN ? taken : NULL);
}

void import_id(const char *model, const char *original_id, char ret_id[STORE_ID_LENGTH + 1])
{
	CLEANUP(cleanup_free) char *source = mem_printf("import:%s:%s", model, original_id);
	char hex[65];

	sha256_hex(source, strlen(source), hex);
	(void)snprintf(ret_id, STORE_ID_LENGTH + 1, "%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8,
		       hex + 12, hex + 15, hex + 18);
}

/* ---- the command ----------------------------------------------------------------------------- */

static struct db *open_database(const char *conninfo, const char *role)
{
	return db_new(&(struct db_options) { .conninfo = conninfo,
					     .role = role,
					     .application_name = "fsactl",
					     .prepare = true,
					     .timeout_ms = IMPORT_TIMEOUT_MS });
}

/* In one transaction, though at read committed: version 0.4 must be stopped during the import
 * anyway. */
static int read_original(struct import *i, struct err *e)
{
	/* "": the user named in the connection string, or the system's. */
	CLEANUP(db_freep) struct db *source = open_database(i->call->arguments[0], "");

	for (unsigned t = 0; t < ORIGINAL_TABLE_COUNT; t++) {
		if (original_read(source, (enum original_table)t, &i->tables[t], e) < 0)
			return err_wrap(e, "the database of version 0.4");
	}
	return 0;
}

static int load_settings(struct import *i, struct err *e)
{
	const struct conf *conf = i->call->conf;

	if (keyring_load_private(conf_string(conf, CONF_OWNER_PRIVATE_KEY_FILE), &i->owner_private,
				 e) < 0 ||
	    keyring_load_public(conf_string(conf, CONF_CLUSTER_PUBLIC_KEY_FILE), &i->cluster_public,
				e) < 0)
		return -1;
	return address_policy_new(conf_string(conf, CONF_KUBE_ALLOW_ADDRESSES), &i->policy, e);
}

/* Prints what is omitted, for people, and how many of each kind are imported. */
static void print_report(const json_t *report, bool done)
{
	static const struct output_column columns[] = {
		{ "what", "WHAT" },
		{ "name", "NAME" },
		{ "result", "RESULT" },
		{ "reason", "REASON" },
	};
	CLEANUP(json_decrefp) json_t *left_out = json_array();
	CLEANUP(json_decrefp) json_t *counts = json_object();
	size_t i;
	json_t *line, *count;
	const char *what;

	json_array_foreach(report, i, line)
	{
		const char *result = row_text(line, "result");
		if (json_is_string(json_object_get(line, "reason")))
			(void)json_array_append(left_out, line);
		CLEANUP(cleanup_free)
		char *key = mem_printf("%s, %s", row_text(line, "what"), result);
		json_int_t before = json_integer_value(json_object_get(counts, key));
		(void)json_object_set_new(counts, key, json_integer(before + 1));
	}
	output_table(NULL, columns, ARRAY_SIZE(columns), left_out);
	json_object_foreach(counts, what, count)
	{
		(void)printf("%6lld  %s\n", (long long)json_integer_value(count), what);
	}
	(void)puts(done ? "imported" : "nothing was changed: with --yes it would be");
}

static bool was_refused(const json_t *report)
{
	size_t i;
	json_t *line;

	json_array_foreach(report, i, line)
	{
		if (strcmp(row_text(line, "result"), "refused") == 0)
			return true;
	}
	return false;
}

int command_import(const struct call *call, struct err *e)
{
	CLEANUP(db_freep)
	struct db *db = open_database(conf_string(call->conf, CONF_DATABASE), "fsa_owner");
	CLEANUP(import_clear) struct import i = { .call = call, .report = json_array() };
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	bool commit = call->options[OPTION_YES] != NULL;

	if (load_settings(&i, e) < 0 || read_original(&i, e) < 0 || db_begin(db, &tx, e) < 0)
		return -1;
	i.tx = tx;
	if (operator_publish(tx, call->conf, e) < 0 || import_people(&i, e) < 0 ||
	    import_projects(&i, e) < 0 || administrator_note(tx, "admin.import", NULL, NULL, e) < 0)
		return -1;
	if (commit && db_commit(&tx, e) < 0)
		return -1;
	if (!output_json(call, i.report))
		print_report(i.report, commit);
	return was_refused(i.report) ? 1 : 0;
}
