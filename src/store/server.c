#include "store/server.h"

#include "base/cleanup.h"

static const struct db_statement statement_facts = {
	"server_facts", "SELECT pg_backend_pid(), inet_server_addr() IS NULL,"
			" (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
};

int server_facts(struct db *db, struct server_facts *ret_facts, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statement_facts, NULL, &r, e) < 0)
		return -1;
	*ret_facts = (struct server_facts) {
		.pid = db_int(r, 0, 0),
		.is_local = db_bool(r, 0, 1),
		.now_ms = db_int(r, 0, 2),
	};
	return 0;
}
