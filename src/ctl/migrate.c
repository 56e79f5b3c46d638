#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "ctl/command.h"
#include "db/db.h"
#include "db/migrate.h"

/* A migration may rewrite a large table: it is not held to the time of a request. */
enum { MIGRATION_TIMEOUT_MS = 3600 * 1000 };

struct options {
	const char *directory;
	bool status;
};

static int read_options(int argc, char **argv, struct options *ret_options, struct err *e)
{
	static const struct option options[] = {
		{ "sql-dir", required_argument, NULL, 'd' },
		{ "status", no_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			ret_options->directory = optarg;
			break;
		case 's':
			ret_options->status = true;
			break;
		default:
			return err_set(e, ERR_INVALID, "USAGE", "migrate: see fsactl --help");
		}
	}
	if (optind < argc)
		return err_set(e, ERR_INVALID, "USAGE", "migrate: \"%s\" is not expected",
			       argv[optind]);
	return 0;
}

static int show_status(struct db *db, const char *directory, struct err *e)
{
	CLEANUP(migrations_clear) struct migrations list = { 0 };

	if (migrate_list(db, directory, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct migration *m = &list.items[i];
		(void)printf("%-40s %s\n", m->file,
			     m->applied_at[0] ? m->applied_at : "not applied");
	}
	return 0;
}

static int apply(struct db *db, const char *directory, struct err *e)
{
	CLEANUP(migrations_clear) struct migrations applied = { 0 };

	if (migrate_apply(db, directory, &applied, e) < 0)
		return -1;
	for (size_t i = 0; i < applied.count; i++)
		(void)printf("applied %s\n", applied.items[i].file);
	if (applied.count == 0)
		(void)puts("the schema is up to date");
	return 0;
}

int command_migrate(const struct conf *conf, int argc, char **argv, struct err *e)
{
	CLEANUP(db_freep) struct db *db = NULL;
	struct options options = { .directory = FSA_DATADIR "/sql" };

	if (read_options(argc, argv, &options, e) < 0)
		return -1;
	db = db_new(&(struct db_options) { .conninfo = conf_string(conf, CONF_DATABASE),
					   .role = "fsa_owner",
					   .application_name = "fsactl",
					   .prepare = conf_bool(conf, CONF_DATABASE_PREPARE),
					   .timeout_ms = MIGRATION_TIMEOUT_MS });
	return options.status ? show_status(db, options.directory, e)
			      : apply(db, options.directory, e);
}
