#include "web/idempotency_key.h"

#include <string.h>

#include <sodium.h>

int idempotency_key_read(const struct request *r, char ret_key[IDEMPOTENCY_KEY_MAX + 1],
			 struct err *e)
{
	const char *key = request_variable(r, "HTTP_IDEMPOTENCY_KEY");
	size_t length = key ? strlen(key) : 0;

	ret_key[0] = '\0';
	if (key == NULL)
		return 0;
	if (length >= 2 && key[0] == '"' && key[length - 1] == '"') {
		key++;
		length -= 2;
	}
	bool valid = length >= 1 && length <= IDEMPOTENCY_KEY_MAX;
	for (size_t i = 0; i < length && valid; i++)
		valid = key[i] > ' ' && key[i] < 0x7f && key[i] != '"' && key[i] != '\\';
	if (!valid)
		return err_set(e, ERR_INVALID, "INVALID_IDEMPOTENCY_KEY",
			       "Idempotency-Key must be 1 to %d visible ASCII characters, without "
			       "'\"' and '\\'",
			       IDEMPOTENCY_KEY_MAX);
	memcpy(ret_key, key, length);
	ret_key[length] = '\0';
	return 0;
}

/* Includes each part's terminating NUL, so that different splits of the same bytes differ. */
static void add(crypto_hash_sha256_state *state, const char *text)
{
	crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

void idempotency_fingerprint(const struct request *r, uint8_t ret_fingerprint[32])
{
	crypto_hash_sha256_state state;
	const struct query *query = request_query(r);
	size_t length;
	const char *body = request_body(r, &length);

	crypto_hash_sha256_init(&state);
	add(&state, method_name(request_method(r)));
	add(&state, request_path(r));
	for (size_t i = 0; i < query->count; i++) {
		add(&state, query->pairs[i].name);
		add(&state, query->pairs[i].value);
	}
	crypto_hash_sha256_update(&state, (const unsigned char *)body, length);
	crypto_hash_sha256_final(&state, ret_fingerprint);
}
