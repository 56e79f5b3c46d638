#include "store/original.h"

#include "store/internal.h"

/* Prisma's times have no zone and are UTC. */
#define CREATED "(\"createdAt\" AT TIME ZONE 'UTC')::text AS \"createdAt\""
#define OLDEST  " ORDER BY \"createdAt\", id"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[ORIGINAL_TABLE_COUNT] = {
	[ORIGINAL_USERS] = { "original_users",
		"SELECT id, name, " CREATED " FROM \"User\" u ORDER BY u.\"createdAt\", id" },
	[ORIGINAL_IDENTITIES] = { "original_identities",
		"SELECT id, \"userId\", provider::text, \"providerUserId\", \"isPrimary\","
		" metadata FROM \"UserIdentity\" ORDER BY \"isPrimary\" DESC, \"createdAt\", id" },
	[ORIGINAL_CONFIGS] = { "original_configs",
		"SELECT \"userId\", key, value FROM \"UserConfig\"" OLDEST },
	[ORIGINAL_PROJECTS] = { "original_projects",
		"SELECT id, \"userId\", name, description, \"githubRepo\", status::text, " CREATED
		" FROM \"Project\" p ORDER BY p.\"createdAt\", id" },
	[ORIGINAL_ENVIRONMENTS] = { "original_environments",
		"SELECT id, \"projectId\", key, value, category, \"isSecret\""
		" FROM \"Environment\"" OLDEST },
	[ORIGINAL_SANDBOXES] = { "original_sandboxes",
		"SELECT id, \"projectId\", \"sandboxName\", status::text"
		" FROM \"Sandbox\"" OLDEST },
	[ORIGINAL_DATABASES] = { "original_databases",
		"SELECT id, \"projectId\", \"k8sNamespace\", \"databaseName\", status::text,"
		" \"storageSize\", \"cpuRequest\", \"cpuLimit\", \"memoryRequest\","
		" \"memoryLimit\" FROM \"Database\"" OLDEST },
};
/* clang-format on */

int original_read(struct db *db, enum original_table table, json_t **ret_rows, struct err *e)
{
	return store_rows(db, &statements[table], NULL, ret_rows, e);
}
