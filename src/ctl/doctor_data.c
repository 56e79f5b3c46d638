/* Checks of what lies in PostgreSQL. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/doctor.h"
#include "ctl/keys.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "db/migrate.h"
#include "store/admin.h"
#include "store/maintenance.h"
#include "store/server.h"
#include "store/writable.h"

/* A row that no pass has claimed for this long is late: passes run every few seconds. */
enum { QUEUE_LATE_MS = 60000 };

/* Finds advice by the server's error code. */
static const char *find_remedy(const struct err *e)
{
	static const struct {
		const char *sqlstate, *advice;
	} remedies[] = {
		{ "(53100)", "its disk is full: make room (df -h; the database and its write-ahead "
			     "log), and it goes on by itself" },
		{ "(25006)", "it only reads: \"database\" in fsa.conf leads to a standby, or "
			     "default_transaction_read_only is on" },
		{ "(42501)", "the roles lack their rights: restore as docs/operation.md says" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		if (strstr(e->message, remedies[i].sqlstate) != NULL)
			return remedies[i].advice;
	}
	return "see PostgreSQL's own log (/var/log/postgresql)";
}

static void check_writes(struct doctor *d)
{
	struct err e;

	if (writable_check(d->db, WRITABLE_BY_OWNER, &e) < 0)
		doctor_say_error(d, HEALTH_FAILED, "writes", find_remedy(&e), &e);
	else
		doctor_say(d, HEALTH_OK, "writes", NULL, "are taken (one was rolled back)");
}

/* PostgreSQL on this host has the same clock. */
static void check_clock(struct doctor *d)
{
	struct server_facts facts;
	struct err e;

	if (server_facts(d->db, &facts, &e) == 0 && !facts.is_local)
		doctor_judge_clock(d, "PostgreSQL", (time_t)(facts.now_ms / 1000));
}

void doctor_database(struct doctor *d)
{
	struct err e;

	d->database_answers = db_ping(d->db, &e) == 0;
	if (d->database_answers) {
		doctor_say(d, HEALTH_OK, "PostgreSQL", NULL, "answers");
		check_writes(d);
		check_clock(d);
	} else
		doctor_say_error(
			d, HEALTH_FAILED, "PostgreSQL",
			"start PostgreSQL, or correct \"database\" in fsa.conf; pg_hba.conf "
			"must let this system user be fsa_owner",
			&e);
}

static void check_roles(struct doctor *d)
{
	CLEANUP(json_decrefp) json_t *missing = NULL;
	struct err e;
	size_t i;
	json_t *role;

	if (admin_missing_roles(d->db, &missing, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "roles", NULL, &e);
		return;
	}
	json_array_foreach(missing, i, role)
	{
		doctor_say(
			d, HEALTH_FAILED, json_string_value(json_object_get(role, "name")),
			"the migrations make the roles; a database that was copied here has to be "
			"restored as docs/operation.md says",
			"the role is missing, or has no rights in this database");
	}
	if (json_array_size(missing) == 0)
		doctor_say(d, HEALTH_OK, "roles", NULL, "each program has its own");
}

void doctor_schema(struct doctor *d)
{
	static const char advice[] = "run fsactl migrate, then restart the programs";
	CLEANUP(migrations_clear) struct migrations list = { 0 };
	const char *directory = d->call->options[OPTION_SQL_DIR];
	unsigned waiting = 0;
	struct err e;

	if (directory == NULL)
		directory = FSA_DATADIR "/sql";
	if (migrate_list(d->db, directory, &list, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "migrations", advice, &e);
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].applied_at[0] != '\0')
			continue;
		waiting++;
		doctor_say(d, HEALTH_FAILED, list.items[i].file, advice, "is not applied");
	}
	if (waiting == 0)
		doctor_say(d, HEALTH_OK, "migrations", NULL, "all %zu are applied", list.count);
	check_roles(d);
}

void doctor_queue(struct doctor *d)
{
	CLEANUP(json_decrefp) json_t *queue = NULL;
	struct err e;

	if (admin_queue(d->db, &queue, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "resources", NULL, &e);
		return;
	}
	json_int_t late_ms = json_integer_value(json_object_get(queue, "oldestDueMs"));
	json_int_t due = json_integer_value(json_object_get(queue, "dueCount"));
	json_int_t errors = json_integer_value(json_object_get(queue, "errorCount"));
	CLEANUP(cleanup_free) char *late = output_duration((uint64_t)(late_ms > 0 ? late_ms : 0));
	if (late_ms > QUEUE_LATE_MS)
		doctor_say(d, HEALTH_FAILED, "resources",
			   "see systemctl status fsa-reconcile.timer and journalctl -u "
			   "fsa-reconcile; with very many rows more hosts may be needed",
			   "%lld are due, the oldest for %s: no pass takes them", (long long)due,
			   late);
	else
		doctor_say(d, HEALTH_OK, "resources", NULL, "%lld are due, the oldest for %s",
			   (long long)due, late);
	if (errors > 0)
		doctor_say(d, HEALTH_WARNING, "errors",
			   "see fsactl project list, and fsactl project explain for one of them",
			   "%lld resources are in ERROR", (long long)errors);
}

static void judge_key(struct doctor *d, const json_t *key)
{
	const char *ring = json_string_value(json_object_get(key, "ring"));
	const char *id = json_string_value(json_object_get(key, "id"));
	json_int_t sealed = json_integer_value(json_object_get(key, "sealed"));

	if (strcmp(json_string_value(json_object_get(key, "state")), "missing") == 0)
		doctor_say(d, HEALTH_FAILED, ring,
			   "put that key back into the private file, from a backup that is as old "
			   "as the values; see fsa-keys(5)",
			   "%lld values are sealed to key %s, which is not there",
			   (long long)sealed, id[0] != '\0' ? id : "(none of ours)");
	else
		doctor_say(d, HEALTH_OK, ring, NULL, "%lld values are sealed to key %s",
			   (long long)sealed, id);
}

void doctor_secrets(struct doctor *d)
{
	CLEANUP(json_decrefp) json_t *keys = NULL;
	bool missing;
	struct err e;
	size_t i;
	json_t *key;

	if (keys_state(d->call, d->db, &keys, &missing, &e) < 0) {
		doctor_say_error(d, HEALTH_FAILED, "keys", "see what is said of keys above", &e);
		return;
	}
	json_array_foreach(keys, i, key)
	{
		judge_key(d, key);
	}
}

/* Somebody may have forgotten to end it. */
void doctor_maintenance(struct doctor *d)
{
	CLEANUP(json_decrefp) json_t *maintenance = NULL;
	struct err e;

	if (maintenance_get(d->db, &maintenance, &e) < 0)
		doctor_say_error(d, HEALTH_FAILED, "maintenance", NULL, &e);
	else if (!json_is_null(maintenance))
		doctor_say(d, HEALTH_WARNING, "users' changes",
			   "when the work is done: fsactl maintenance off",
			   "are refused since %s with: %s", row_text(maintenance, "since"),
			   row_text(maintenance, "message"));
}
