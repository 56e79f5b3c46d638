#include "sandboxd/idempotency.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "base/mem.h"
#include "sandboxd/problem.h"

enum { KEYS = 4096, KEY_MAX = 64, HASH = 16 };

struct kept {
	unsigned char key[HASH], request[HASH];
	char id[17];
};

static struct kept *kept; /* a ring: the oldest is overwritten */
static size_t count, next;

static void hash(const void *data, size_t length, unsigned char *ret_hash)
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, length, data);
	sha256_digest(&context, HASH, ret_hash);
}

static void hash_request(const json_t *request, unsigned char *ret_hash)
{
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);

	hash(text, strlen(text), ret_hash);
	free(text);
}

int idempotency_find(const char *key, const json_t *request, char *ret_id, struct err *e)
{
	unsigned char hashed[HASH], body[HASH];

	if (*key == '\0' || strlen(key) > KEY_MAX)
		return problem(e, "INVALID_REQUEST", "an Idempotency-Key has 1 to %d characters",
			       KEY_MAX);
	hash(key, strlen(key), hashed);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(kept[i].key, hashed, HASH) != 0)
			continue;
		hash_request(request, body);
		if (memcmp(kept[i].request, body, HASH) != 0)
			return problem(e, "IDEMPOTENCY_MISMATCH",
				       "this Idempotency-Key was used for something else");
		memcpy(ret_id, kept[i].id, sizeof(kept[i].id));
		return 1;
	}
	return 0;
}

void idempotency_keep(const char *key, const json_t *request, const char *id)
{
	if (count < KEYS && (count & (count - 1)) == 0)
		kept = mem_realloc(kept, count == 0 ? 1 : 2 * count, sizeof(*kept));
	hash(key, strlen(key), kept[next].key);
	hash_request(request, kept[next].request);
	memcpy(kept[next].id, id, sizeof(kept[next].id));
	next = (next + 1) % KEYS;
	if (count < KEYS)
		count++;
}
