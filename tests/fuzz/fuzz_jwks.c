/* An issuer's key sets: the first line is a token's header, the rest the set. A key that is found
 * must be readable by libcrypto, and of the kind for its algorithm. */
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "crypto/jwks.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	crypto_init();
	return 0;
}

static void check_key(enum jwt_algorithm algorithm, const char *pem)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL);

	insist(key != NULL);
	insist(EVP_PKEY_is_a(key, algorithm == JWT_RS256 ? "RSA" : "EC"));
	insist(EVP_PKEY_get_bits(key) >= (algorithm == JWT_RS256 ? 2048 : 256));
	EVP_PKEY_free(key);
	BIO_free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(cleanup_free) char *text = text_of(data, size);
	char *rest = text;
	const char *first = strsep(&rest, "\n");
	CLEANUP(json_decrefp) json_t *header = json_loads(first, 0, NULL);
	CLEANUP(json_decrefp) json_t *jwks = json_loads(rest ? rest : "", 0, NULL);
	CLEANUP(cleanup_free) char *pem = NULL;
	enum jwt_algorithm algorithm = JWT_HS256;
	struct err e = { 0 };

	if (jwks_find(jwks, header, &algorithm, &pem, &e) < 0) {
		insist_told(&e, ERR_UNAUTHENTICATED);
		insist(pem == NULL && algorithm == JWT_HS256);
	} else {
		check_key(algorithm, pem);
	}
	return 0;
}
