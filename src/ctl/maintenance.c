/* fsactl maintenance …: makes the site read-only for a while. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ctl/administrator.h"
#include "ctl/output.h"
#include "ctl/row.h"
#include "store/maintenance.h"

static int check_message(const char *message, struct err *e)
{
	size_t length = message ? strlen(message) : 0;

	if (length == 0)
		return err_set(e, ERR_INVALID, "USAGE",
			       "--message: what users should see, for instance "
			       "\"We are moving house, until about 14:00 UTC\"");
	if (length > MAINTENANCE_MESSAGE_MAX)
		return err_set(e, ERR_INVALID, "USAGE", "--message: at most %d bytes",
			       MAINTENANCE_MESSAGE_MAX);
	for (const char *p = message; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_INVALID, "USAGE",
				       "--message: one line, without control characters");
	}
	if (!parse_is_utf8(message, length))
		return err_set(e, ERR_INVALID, "USAGE", "--message: is not UTF-8");
	return 0;
}

static void print(const struct call *call, const json_t *maintenance)
{
	CLEANUP(json_decrefp)
	json_t *status = json_pack("{s:O}", "maintenance", maintenance);

	if (output_json(call, status))
		return;
	if (json_is_null(maintenance)) {
		(void)puts("off: users can change what is theirs");
		return;
	}
	(void)printf("on since %s: users read, and what they change is answered 503 with\n",
		     row_text(maintenance, "since"));
	output_line("", row_text(maintenance, "message"));
}

/* Makes the change, records it in the audit, and prints the result. */
static int set(const struct call *call, const char *message, const char *action, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	CLEANUP(json_decrefp) json_t *maintenance = NULL;

	if (db_begin(db, &tx, e) < 0 || maintenance_set(tx, message, e) < 0 ||
	    administrator_note(tx, action, "site", NULL, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	if (message != NULL && maintenance_wait(db, e) < 0)
		return err_wrap(e, "maintenance is on, but a change that had begun goes on");
	if (maintenance_get(db, &maintenance, e) < 0)
		return -1;
	print(call, maintenance);
	return 0;
}

int command_maintenance_on(const struct call *call, struct err *e)
{
	const char *message = call->options[OPTION_MESSAGE];

	if (check_message(message, e) < 0)
		return -1;
	return set(call, message, "admin.maintenance.on", e);
}

int command_maintenance_off(const struct call *call, struct err *e)
{
	return set(call, NULL, "admin.maintenance.off", e);
}

int command_maintenance_status(const struct call *call, struct err *e)
{
	CLEANUP(db_freep) struct db *db = call_database(call);
	CLEANUP(json_decrefp) json_t *maintenance = NULL;

	if (maintenance_get(db, &maintenance, e) < 0)
		return -1;
	print(call, maintenance);
	return 0;
}
