#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/output.h"
#include "db/migrate.h"
#include "store/operator.h"

static json_t *migrations_json(const struct migrations *list)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct migration *m = &list->items[i];
		(void)json_array_append_new(rows,
					    json_pack("{s:s, s:s?}", "file", m->file, "appliedAt",
						      m->applied_at[0] ? m->applied_at : NULL));
	}
	return rows;
}

static void print_status(const struct migrations *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct migration *m = &list->items[i];
		(void)printf("%-40s %s\n", m->file,
			     m->applied_at[0] ? m->applied_at : "not applied");
	}
}

static void print_applied(const struct migrations *list)
{
	for (size_t i = 0; i < list->count; i++)
		(void)printf("applied %s\n", list->items[i].file);
	if (list->count == 0)
		(void)puts("the schema is up to date");
}

int command_migrate(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database_patient(call);
	CLEANUP(migrations_clear) struct migrations list = { 0 };
	bool status = call->options[OPTION_STATUS] != NULL;
	const char *directory = call->options[OPTION_SQL_DIR];

	if (directory == NULL)
		directory = FSA_DATADIR "/sql";
	if (db_ping(db, e) < 0) {
		(void)snprintf(e->code, sizeof(e->code), "DATABASE_AWAY");
		return -1;
	}
	if ((status ? migrate_list : migrate_apply)(db, directory, &list, e) < 0)
		return -1;
	/* Not if the schema is still an older one, from another directory. */
	if (!status && migrate_check(db, NULL) == 0 && operator_publish(db, call->conf, e) < 0)
		return -1;
	json_t *rows = migrations_json(&list);
	if (!output_json(call, rows))
		(status ? print_status : print_applied)(&list);
	json_decref(rows);
	return 0;
}
