#include "store/throttle.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/internal.h"

struct throttle_limit {
	int64_t free;   /* failures without a delay */
	int64_t heal_s; /* seconds after which one failure is forgotten */
	const char *code, *of_what;
};

#define ATTEMPTS "TOO_MANY_ATTEMPTS", "failed attempts to log in"

/* Many people share an address; an account has one owner, who mistypes now and then. A class of
 * students registers in one lesson. */
static const struct throttle_limit account_limit = { 5, 600, ATTEMPTS };
static const struct throttle_limit address_limit = { 100, 30, ATTEMPTS };
static const struct throttle_limit registration_limit = { 30, 600, "TOO_MANY_REGISTRATIONS",
							  "registrations from your network" };

enum statement {
	STATEMENT_KNOWN,
	STATEMENT_COUNT,
	STATEMENT_WAIT,
	STATEMENT_FORGIVE,
	STATEMENT_CLEAN,
};

#define HEAL "$3::bigint * interval '1 second'"
/* The number of failures that are not forgotten, including this one, computed from the time that
 * forgetting them takes. */
#define FAILURES                                                                                   \
	"(extract(epoch FROM greatest(t.heals_at, now()) - now())::float8"                         \
	" / $3::bigint + 1 - $2::bigint)"

/* SQL is laid out by hand. */
/* clang-format off */
static const struct db_statement statements[] = {
	[STATEMENT_KNOWN] = { "throttle_known",
		"SELECT EXISTS (SELECT FROM identities i JOIN sessions s USING (user_id)"
		" WHERE i.provider = 'PASSWORD' AND i.provider_user_id = $1"
		"  AND s.address = $2::inet AND s.expires_at > now())" },
	/* No row: too early. Without a delay, '-infinity' is stored instead of now(): a transaction
	 * that began earlier but gets here later would find now() in the future. The exponent's
	 * limit is never reached; it keeps the power finite. */
	[STATEMENT_COUNT] = { "throttle_count",
		"INSERT INTO login_throttle AS t (key, heals_at, next_at)"
		" VALUES ($1, now() + " HEAL ", '-infinity')"
		" ON CONFLICT (key) DO UPDATE"
		"  SET heals_at = greatest(t.heals_at, now()) + " HEAL ","
		"  next_at = CASE WHEN " FAILURES " > 0"
		"   THEN now() + interval '1 second' * 2 ^ least(" FAILURES ", 16)"
		"   ELSE '-infinity' END"
		"  WHERE t.next_at <= now()"
		" RETURNING true" },
	[STATEMENT_WAIT] = { "throttle_wait",
		"SELECT greatest(1, ceil(extract(epoch FROM"
		"  greatest(next_at, now()) - now())))::bigint"
		" FROM login_throttle WHERE key = $1" },
	[STATEMENT_FORGIVE] = { "throttle_forgive",
		"UPDATE login_throttle SET heals_at = heals_at"
		"  - $2::bigint * interval '1 second', next_at = '-infinity'"
		" WHERE key = $1" },
	/* Removes more than an attempt adds, so that the table shrinks to what is not forgotten. */
	[STATEMENT_CLEAN] = { "throttle_clean",
		"DELETE FROM login_throttle WHERE key IN (SELECT key FROM login_throttle"
		" WHERE heals_at < now() ORDER BY heals_at LIMIT 8"
		" FOR UPDATE SKIP LOCKED)" },
};
/* clang-format on */

static void add_key(struct throttle *t, const struct throttle_limit *limit, const char *text)
{
	struct throttle_key *key = &t->keys[t->count++];

	token_hash(text, key->hash);
	key->limit = limit;
}

bool throttle_network(const struct throttle_client *client, char ret_network[THROTTLE_NETWORK_SIZE])
{
	const char *address = client->local ? NULL : client->address;
	CLEANUP(cleanup_free) char *mapped = mem_printf("::ffff:%s", address ? address : "");
	struct in6_addr a;

	if (address == NULL ||
	    (inet_pton(AF_INET6, address, &a) != 1 && inet_pton(AF_INET6, mapped, &a) != 1))
		return false;
	if (!IN6_IS_ADDR_V4MAPPED(&a))
		memset(a.s6_addr + 8, 0, 8);
	return inet_ntop(AF_INET6, &a, ret_network, THROTTLE_NETWORK_SIZE) != NULL;
}

static int is_known(struct db *db, const char *name, const char *address, bool *ret_known,
		    struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(db, &statements[STATEMENT_KNOWN], DB_ARGS(DB_TEXT(name), DB_TEXT(address)), &r,
		     e) < 0)
		return -1;
	*ret_known = db_bool(r, 0, 0);
	return 0;
}

static int add_account(struct db *db, struct throttle *t, const char *account, const char *address,
		       struct err *e)
{
	CLEANUP(cleanup_free) char *name = mem_strdup(account);
	bool known = false;

	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (address != NULL && is_known(db, name, address, &known, e) < 0)
		return -1;
	CLEANUP(cleanup_free)
	char *key = mem_printf("account %s from %s", name, known ? address : "anywhere");
	add_key(t, &account_limit, key);
	return 0;
}

static int refuse(struct db *tx, const struct throttle_key *key, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_WAIT],
		     DB_ARGS(DB_BYTES(key->hash, sizeof(key->hash))), &r, e) < 0)
		return -1;
	unsigned wait_s = db_rows(r) > 0 ? (unsigned)db_int(r, 0, 0) : 1;
	(void)err_set(e, ERR_RATE_LIMITED, key->limit->code, "too many %s: try again in %u seconds",
		      key->limit->of_what, wait_s);
	if (e != NULL)
		e->retry_after_s = wait_s;
	return -1;
}

static int count(struct db *tx, const struct throttle_key *key, struct err *e)
{
	CLEANUP(db_result_free) PGresult *r = NULL;

	if (db_query(tx, &statements[STATEMENT_COUNT],
		     DB_ARGS(DB_BYTES(key->hash, sizeof(key->hash)), DB_INT(key->limit->free),
			     DB_INT(key->limit->heal_s)),
		     &r, e) < 0)
		return -1;
	return db_rows(r) > 0 ? 0 : refuse(tx, key, e);
}

/* Always the address before the account, so that attempts cannot deadlock. */
int throttle_begin(struct db *db, const char *account, const struct throttle_client *client,
		   struct throttle *ret_throttle, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct throttle t = { 0 };
	char network[THROTTLE_NETWORK_SIZE];

	if (db_begin(db, &tx, e) < 0)
		return -1;
	if (throttle_network(client, network))
		add_key(&t, &address_limit, network);
	if (account != NULL && add_account(tx, &t, account, client->address, e) < 0)
		return -1;
	for (size_t i = 0; i < t.count; i++) {
		if (count(tx, &t.keys[i], e) < 0)
			return -1;
	}
	if (db_query(tx, &statements[STATEMENT_CLEAN], NULL, NULL, e) < 0 || db_commit(&tx, e) < 0)
		return -1;
	*ret_throttle = t;
	return 0;
}

int throttle_forgive(struct db *db, const struct throttle *throttle, struct err *e)
{
	for (size_t i = 0; i < throttle->count; i++) {
		const struct throttle_key *key = &throttle->keys[i];
		if (db_query(db, &statements[STATEMENT_FORGIVE],
			     DB_ARGS(DB_BYTES(key->hash, sizeof(key->hash)),
				     DB_INT(key->limit->heal_s)),
			     NULL, e) < 0)
			return -1;
	}
	return 0;
}

int throttle_registration(struct db *db, const struct throttle_client *client, struct err *e)
{
	CLEANUP(db_rollback_guard) struct db *tx = NULL;
	struct throttle t = { 0 };
	char network[THROTTLE_NETWORK_SIZE];

	if (!throttle_network(client, network))
		return 0;
	CLEANUP(cleanup_free) char *key = mem_printf("registrations from %s", network);
	add_key(&t, &registration_limit, key);
	if (db_begin(db, &tx, e) < 0 || count(tx, &t.keys[0], e) < 0)
		return -1;
	return db_commit(&tx, e);
}
