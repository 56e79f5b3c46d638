/* A client that does one thing for each word on its standard input, and prints the result: "ok", or
 * the error's kind. test_store.py stops and starts PostgreSQL in between. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "db/db.h"

static struct db *tx;

static int do_begin(struct db *db, struct err *e)
{
	return db_begin(db, &tx, e);
}

static int do_write(struct db *db, struct err *e)
{
	static const struct db_statement write = { "write",
						   "INSERT INTO users (name) VALUES ('written')" };

	return db_query(db, &write, NULL, NULL, e);
}

static int do_commit(struct db *db, struct err *e)
{
	(void)db;
	return db_commit(&tx, e);
}

static int do_sleep(struct db *db, struct err *e)
{
	static const struct db_statement sleep = { "sleep", "SELECT pg_sleep(30)" };

	return db_query(db, &sleep, NULL, NULL, e);
}

static const struct {
	const char *word;
	int (*run)(struct db *db, struct err *e);
} commands[] = {
	{ "ping", db_ping },     { "begin", do_begin }, { "write", do_write },
	{ "commit", do_commit }, { "sleep", do_sleep },
};

static void run(struct db *db, const char *word)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].word, word) != 0)
			continue;
		if (commands[i].run(db, &e) == 0)
			(void)puts("ok");
		else
			(void)printf("%s %s\n", err_kind_name(e.kind), e.message);
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 2)
		return EXIT_FAILURE;
	CLEANUP(db_freep)
	struct db *db = db_new(&(struct db_options) { .conninfo = argv[1],
						      .role = "fsa_auth",
						      .application_name = "outage",
						      .prepare = true,
						      .timeout_ms = 5000 });
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		run(db, line);
	}
	db_rollback_guard(&tx);
	return EXIT_SUCCESS;
}
