#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypto/password.h"
#include "crypto/seal.h"
#include "crypto/token.h"

/* The lowest parameters that libsodium accepts: these tests are not about Argon2. */
static const struct password_params cheap = { .passes = 1, .memory_bytes = 8192 };

static char folder[] = "/tmp/fsa-test-crypto.XXXXXX";
static char public_path[64], private_path[64];

static void make_folder(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(public_path, sizeof(public_path), "%s/owner.pub", folder);
	snprintf(private_path, sizeof(private_path), "%s/owner.key", folder);
}

static void remove_folder(void)
{
	unlink(public_path);
	unlink(private_path);
	ck_assert_msg(rmdir(folder) == 0, "a temporary file was left in %s", folder);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* The two who seal: one with only the public key, one with the pair. */
static const struct sealer {
	const char *path;
	int (*load)(const char *path, struct keyring **ret_ring, struct err *e);
	int (*seal)(const struct keyring *ring, const char *context, const void *plain,
		    size_t length, struct buf *ret_sealed, struct err *e);
	int (*unseal)(const struct keyring *ring, const char *context, const void *sealed,
		      size_t length, struct buf *ret_plain, struct err *e);
} sealers[] = {
	{ public_path, keyring_load_public, seal, unseal },
	{ private_path, keyring_load_private, seal_own, unseal_own },
};

static void seal_text(const struct sealer *by, const char *context, const char *text,
		      struct buf *ret_sealed)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	struct err e = { 0 };

	ck_assert_msg(by->load(by->path, &ring, &e) == 0, "%s", e.message);
	ck_assert_msg(by->seal(ring, context, text, strlen(text), ret_sealed, &e) == 0, "%s",
		      e.message);
}

/* Returns the code of the error, or "" and the plaintext in `ret_plain`. */
static const char *unseal_code(const struct sealer *by, const char *context,
			       const struct buf *sealed, struct buf *ret_plain)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	static struct err e;

	ck_assert_msg(keyring_load_private(private_path, &ring, &e) == 0, "%s", e.message);
	if (by->unseal(ring, context, sealed->data, sealed->length, ret_plain, &e) == 0)
		return "";
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_uint_eq(ret_plain->length, 0);
	return e.code;
}

static void add_key(char ret_id[17])
{
	struct err e = { 0 };

	ck_assert_msg(keyring_add(public_path, private_path, ret_id, &e) == 0, "%s", e.message);
}

START_TEST(a_secret_comes_back_only_under_its_context)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
	char id[17];

	add_key(id);
	seal_text(&sealers[_i], "environment:p:KEY", "a secret", &sealed);
	ck_assert_ptr_null(memmem(sealed.data, sealed.length, "secret", 6));
	ck_assert_str_eq(unseal_code(&sealers[_i], "environment:p:KEY", &sealed, &plain), "");
	ck_assert_str_eq(plain.data, "a secret");
	buf_reset(&plain);
	static const char *const others[] = { "", "environment:p:KEZ", "environment:p:KE",
					      "environment:p:KEYa", "environment:p:KEYa secret" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_str_eq(unseal_code(&sealers[_i], others[i], &sealed, &plain),
				 "SEAL_CONTEXT");
}
END_TEST

START_TEST(an_empty_secret_and_an_empty_context_are_fine)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
	char id[17];

	add_key(id);
	seal_text(&sealers[_i], "", "", &sealed);
	ck_assert_str_eq(unseal_code(&sealers[_i], "", &sealed, &plain), "");
	ck_assert_uint_eq(plain.length, 0);
}
END_TEST

START_TEST(any_altered_or_missing_byte_is_noticed)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
	char id[17];

	add_key(id);
	seal_text(&sealers[_i], "kubeconfig:1", "x", &sealed);
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 1;
		ck_assert_str_ne(unseal_code(&sealers[_i], "kubeconfig:1", &sealed, &plain), "");
		sealed.data[i] ^= 1;
	}
	for (size_t whole = sealed.length; sealed.length-- > 0;)
		ck_assert_msg(*unseal_code(&sealers[_i], "kubeconfig:1", &sealed, &plain) != '\0',
			      "%zu of %zu bytes were enough", sealed.length, whole);
}
END_TEST

START_TEST(a_sealed_form_or_context_that_is_too_long_is_refused)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(8);
	const struct sealer *by = &sealers[_i];
	char context[SEAL_CONTEXT_MAX + 2] = "";
	char id[17];
	struct err e;

	add_key(id);
	ck_assert_int_eq(by->load(by->path, &ring, &e), 0);
	ck_assert_int_eq(by->seal(ring, "c", "plain", 5, &sealed, &e), -1);
	ck_assert_int_eq(e.kind, ERR_TOO_LARGE);
	memset(context, 'c', sizeof(context) - 1);
	ck_assert_int_eq(by->seal(ring, context, "plain", 5, &sealed, &e), -1);
	ck_assert_int_eq(e.kind, ERR_INTERNAL);
}
END_TEST

START_TEST(keys_rotate)
{
	CLEANUP(buf_release) struct buf old = BUF_INIT(1000), new = BUF_INIT(1000);
	CLEANUP(buf_release) struct buf plain = BUF_INIT(1000), lines = BUF_INIT(1000);
	char first[17], second[17];

	add_key(first);
	ck_assert_uint_eq(mode_of(public_path), 0644);
	ck_assert_uint_eq(mode_of(private_path), 0600);
	seal_text(&sealers[_i], "c", "old", &old);
	ck_assert_int_eq(chmod(private_path, 0640), 0);
	add_key(second);
	ck_assert_uint_eq(mode_of(private_path), 0640);
	ck_assert_str_ne(first, second);
	seal_text(&sealers[_i], "c", "new", &new);
	ck_assert_int_ne(memcmp(old.data + 4, new.data + 4, 8), 0);
	ck_assert_str_eq(unseal_code(&sealers[_i], "c", &old, &plain), "");
	ck_assert_str_eq(unseal_code(&sealers[_i], "c", &new, &plain), "");
	ck_assert_str_eq(plain.data, "oldnew");
	/* Without the first key, what was sealed to it cannot be opened. */
	ck_assert_int_eq(buf_read_file(&lines, private_path, NULL), 0);
	*(strchr(lines.data, '\n') + 1) = '\0';
	ck_assert_int_eq(strncmp(lines.data, second, 16), 0);
	write_file(private_path, lines.data, 0600);
	buf_reset(&plain);
	ck_assert_str_eq(unseal_code(&sealers[_i], "c", &old, &plain), "SEAL_UNKNOWN_KEY");
	ck_assert_str_eq(unseal_code(&sealers[_i], "c", &new, &plain), "");
}
END_TEST

/* An attacker with the public key and write access to the database cannot forge a secret of the
 * site. */
START_TEST(a_value_in_the_other_form_is_not_opened)
{
	CLEANUP(buf_release) struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
	CLEANUP(buf_release) struct buf anew = BUF_INIT(1000);
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	struct err e = { 0 };
	char id[17];

	add_key(id);
	seal_text(&sealers[_i], "terminal:1", "x", &sealed);
	ck_assert_str_eq(unseal_code(&sealers[1 - _i], "terminal:1", &sealed, &plain), "SEAL_FORM");
	ck_assert_str_eq(unseal_code(&sealers[_i], "terminal:1", &sealed, &plain), "");
	buf_release(&plain);
	/* Changing keys converts it to the other form. */
	ck_assert_int_eq(keyring_load_private(private_path, &ring, &e), 0);
	ck_assert_int_eq(reseal(ring, _i == 0, "terminal:1", sealed.data, sealed.length, &anew, &e),
			 0);
	ck_assert_str_eq(unseal_code(&sealers[1 - _i], "terminal:1", &anew, &plain), "");
}
END_TEST

START_TEST(a_terminals_token_is_another_one_after_each_withdrawal)
{
	static const char secret[] = "abcdefghijklmnopqrstuvwx",
			  other[] = "abcdefghijklmnopqrstuvwy";
	char seen[4][TERMINAL_TOKEN_LENGTH + 1], again[TERMINAL_TOKEN_LENGTH + 1];

	for (int64_t n = 0; n < 3; n++)
		ck_assert(token_of_terminal(secret, TERMINAL_TOKEN_LENGTH, n, seen[n]));
	ck_assert(token_of_terminal(other, TERMINAL_TOKEN_LENGTH, 1, seen[3]));
	ck_assert_str_eq(seen[0], secret);
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		ck_assert_uint_eq(strspn(seen[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
						  "wxyz0123456789"),
				  TERMINAL_TOKEN_LENGTH);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(seen[i], seen[j]);
	}
	/* Every program on every host derives the same token. */
	ck_assert(token_of_terminal(secret, TERMINAL_TOKEN_LENGTH, 2, again));
	ck_assert_str_eq(again, seen[2]);
	ck_assert(!token_of_terminal(secret, TERMINAL_TOKEN_LENGTH - 1, 2, again));
}
END_TEST

START_TEST(a_keyring_that_is_not_one_is_refused_with_its_line)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "", "no key" },
		{ "# only a comment\n\n", "no key" },
		{ "\n0011223344556677 AAAA\n", "line 2" },
		{ "0011223344556677 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "line 1" },
		{ "zz11223344556677 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "line 1" },
	};
	struct keyring *ring = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_file(public_path, cases[i].text, 0644);
		ck_assert_int_eq(keyring_load_public(public_path, &ring, &e), -1);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_msg(strstr(e.message, cases[i].says) && strstr(e.message, public_path),
			      "%s", e.message);
	}
	unlink(public_path);
	ck_assert_int_eq(keyring_load_public(public_path, &ring, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "No such file"));
}
END_TEST

START_TEST(a_private_key_must_be_private_and_no_public_one)
{
	static const mode_t refused[] = { 0604, 0644, 0620, 0601 };
	struct keyring *ring = NULL;
	char id[17];
	struct err e;

	add_key(id);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_int_eq(chmod(private_path, refused[i]), 0);
		ck_assert_int_eq(keyring_load_private(private_path, &ring, &e), -1);
		ck_assert_ptr_nonnull(strstr(e.message, "chmod"));
	}
	ck_assert_int_eq(chmod(public_path, 0600), 0);
	ck_assert_int_eq(keyring_load_private(public_path, &ring, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "line 1"));
}
END_TEST

START_TEST(nothing_is_added_to_files_that_cannot_be_read)
{
	CLEANUP(buf_release) struct buf text = BUF_INIT(1000);
	char id[17];
	struct err e;

	write_file(private_path, "rubbish\n", 0600);
	ck_assert_int_eq(keyring_add(public_path, private_path, id, &e), -1);
	ck_assert_int_eq(buf_read_file(&text, private_path, NULL), 0);
	ck_assert_str_eq(text.data, "rubbish\n");
	ck_assert_int_eq(access(public_path, F_OK), -1);
	ck_assert_int_eq(keyring_add("/nowhere/a.pub", "/nowhere/a.key", id, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.message, "/nowhere"));
}
END_TEST

START_TEST(passwords_follow_the_policy)
{
	static const struct {
		const char *password, *says;
	} weak[] = {
		{ "", "short" },
		{ "1234567", "short" },
		{ "password", "commonest" },
		{ "PassWord1", "commonest" },
		{ "12345678", "commonest" },
		{ "Some-User", "name" },
		{ "xxxxxxxxxxx", "repeated" },
		{ "\xff\xfe-abcdefgh", "UTF-8" },
	};
	static const char *const good[] = { "correct horse", "p\xc3\xa4sswort-mit-umlaut",
					    "some-user-2-more" };
	char long_password[PASSWORD_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(weak); i++) {
		ck_assert_int_eq(password_check_policy(weak[i].password, "some-user", &e), -1);
		ck_assert_str_eq(e.code, "WEAK_PASSWORD");
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_msg(strstr(e.message, weak[i].says), "%s", e.message);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_int_eq(password_check_policy(good[i], "some-user", &e), 0);
	memset(long_password, 'a', sizeof(long_password));
	long_password[0] = 'b';
	long_password[PASSWORD_MAX] = '\0';
	ck_assert_int_eq(password_check_policy(long_password, NULL, &e), 0);
	long_password[PASSWORD_MAX] = 'a';
	long_password[PASSWORD_MAX + 1] = '\0';
	ck_assert_int_eq(password_check_policy(long_password, NULL, &e), -1);
}
END_TEST

START_TEST(a_password_is_verified_and_its_hash_ages)
{
	const struct password_params dearer = { .passes = 2, .memory_bytes = 8192 };
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];
	struct err e = { 0 };

	ck_assert_msg(password_hash("correct horse", &cheap, hash, &e) == 0, "%s", e.message);
	ck_assert_int_eq(password_hash("correct horse", &cheap, again, &e), 0);
	ck_assert_str_ne(hash, again);
	ck_assert_int_eq(strncmp(hash, "$argon2id$v=19$m=8,t=1,p=1$", 27), 0);
	ck_assert(password_verify(hash, "correct horse", &cheap));
	ck_assert(password_verify(hash, "correct horse", &dearer));
	ck_assert(!password_verify(hash, "correct horsE", &cheap));
	ck_assert(!password_verify(hash, "", &cheap));
	ck_assert(!password_verify("no hash at all", "correct horse", &cheap));
	ck_assert(!password_verify(PASSWORD_NONE, "correct horse", &cheap));
	ck_assert(!password_verify(PASSWORD_NONE, PASSWORD_NONE, &cheap));
	ck_assert(!password_needs_rehash(hash, &cheap));
	ck_assert(password_needs_rehash(hash, &dearer));
	ck_assert_int_eq(password_hash("x", &(struct password_params) { 1, 1 }, hash, &e), -1);
	ck_assert_int_eq(e.kind, ERR_INTERNAL);
}
END_TEST

static double seconds_of_verify(const char *hash, const struct password_params *params)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	ck_assert(!password_verify(hash, "wrong password", params));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

START_TEST(a_foreign_password_hash_is_checked_and_replaced)
{
	static const char hash[] = "$2b$04$05kN3r9U5B2uZ6D62kFnduSe8wbxyAxmrI5Be4dR1OIPSzy5kj/RW";
	static const char *const others[] = {
		"",
		"$2b$04$short",
		"$2b$31$05kN3r9U5B2uZ6D62kFnduSe8wbxyAxmrI5Be4dR1OIPSzy5kj/RW",
		"$2x$04$05kN3r9U5B2uZ6D62kFnduSe8wbxyAxmrI5Be4dR1OIPSzy5kj/RW",
		"$2b$04$05kN3r9U5B2uZ6D62kFnduSe8wbxyAxmrI5Be4dR1OIPSzy5kj/R!",
	};
	const struct password_params params = { .passes = 1, .memory_bytes = 8192 << 10 };

	ck_assert(password_is_bcrypt(hash));
	ck_assert(password_verify(hash, "correct horse battery", &params));
	ck_assert(!password_verify(hash, "correct horse batterY", &params));
	ck_assert(password_needs_rehash(hash, &params));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		ck_assert_msg(!password_is_bcrypt(others[i]), "%s", others[i]);
		ck_assert(!password_verify(others[i], "correct horse battery", &params));
	}
}
END_TEST

START_TEST(an_unknown_user_costs_what_a_known_one_does)
{
	const struct password_params params = { .passes = 3, .memory_bytes = 8 << 20 };
	double known = 1e9, unknown = 1e9;
	char hash[PASSWORD_HASH_MAX];

	ck_assert_int_eq(password_hash("correct horse", &params, hash, NULL), 0);
	for (int i = 0; i < 5; i++) {
		double k = seconds_of_verify(hash, &params), u = seconds_of_verify(NULL, &params);
		known = k < known ? k : known;
		unknown = u < unknown ? u : unknown;
	}
	ck_assert_msg(unknown > known / 2 && unknown < known * 2, "%f and %f s", known, unknown);
}
END_TEST

START_TEST(tokens_are_of_their_alphabet_and_differ)
{
	char token[TOKEN_LENGTH + 1], other[TOKEN_LENGTH + 1];
	char text[TERMINAL_TOKEN_LENGTH + 1];
	uint8_t hash[TOKEN_HASH_BYTES], other_hash[TOKEN_HASH_BYTES];

	token_make(token);
	token_make(other);
	ck_assert_uint_eq(strlen(token), TOKEN_LENGTH);
	ck_assert_str_ne(token, other);
	token_hash(token, hash);
	token_hash(other, other_hash);
	ck_assert_int_ne(memcmp(hash, other_hash, sizeof(hash)), 0);
	token_alphanumeric(text, TERMINAL_TOKEN_LENGTH);
	ck_assert_uint_eq(strlen(text), TERMINAL_TOKEN_LENGTH);
	for (size_t i = 0; i < TERMINAL_TOKEN_LENGTH; i++)
		ck_assert(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
				 text[i]));
	ck_assert(token_random_u32() != token_random_u32() ||
		  token_random_u32() != token_random_u32());
}
END_TEST

START_TEST(hashes_and_base64_are_the_standard_ones)
{
	CLEANUP(cleanup_free) char *text = base64_encode("any carnal pleas", 16);
	CLEANUP(buf_release) struct buf data = BUF_INIT(64);
	static const char *const bad[] = { "YWJj*", "YWJ", "YW=j", "YWJj=" };
	char hex[65];

	sha256_hex("abc", 3, hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(text, "YW55IGNhcm5hbCBwbGVhcw==");
	ck_assert(base64_decode(BASE64_STANDARD, " YW55IGNh\r\ncm5hbCBwbGVhcw==\n", 27, &data));
	ck_assert_str_eq(data.data, "any carnal pleas");
	buf_reset(&data);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!base64_decode(BASE64_STANDARD, bad[i], strlen(bad[i]), &data), "%s",
			      bad[i]);
	ck_assert(base64_decode(BASE64_URL, "-_8", 3, &data));
	ck_assert_int_eq(memcmp(data.data, "\xfb\xff", 2), 0);
	ck_assert(!base64_decode(BASE64_URL, "-_8=", 4, &data));
	data.max = 3;
	ck_assert(!base64_decode(BASE64_URL, "YWJj", 4, &data));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crypto");
	TCase *sealing = tcase_create("seal");
	TCase *passwords = tcase_create("password");
	TCase *tokens = tcase_create("token");

	crypto_init();
	tcase_add_checked_fixture(sealing, make_folder, remove_folder);
	tcase_add_loop_test(sealing, a_secret_comes_back_only_under_its_context, 0,
			    ARRAY_SIZE(sealers));
	tcase_add_loop_test(sealing, an_empty_secret_and_an_empty_context_are_fine, 0,
			    ARRAY_SIZE(sealers));
	tcase_add_loop_test(sealing, any_altered_or_missing_byte_is_noticed, 0,
			    ARRAY_SIZE(sealers));
	tcase_add_loop_test(sealing, a_sealed_form_or_context_that_is_too_long_is_refused, 0,
			    ARRAY_SIZE(sealers));
	tcase_add_loop_test(sealing, keys_rotate, 0, ARRAY_SIZE(sealers));
	tcase_add_loop_test(sealing, a_value_in_the_other_form_is_not_opened, 0,
			    ARRAY_SIZE(sealers));
	tcase_add_test(sealing, a_terminals_token_is_another_one_after_each_withdrawal);
	tcase_add_test(sealing, a_keyring_that_is_not_one_is_refused_with_its_line);
	tcase_add_test(sealing, a_private_key_must_be_private_and_no_public_one);
	tcase_add_test(sealing, nothing_is_added_to_files_that_cannot_be_read);
	suite_add_tcase(suite, sealing);
	tcase_add_test(passwords, passwords_follow_the_policy);
	tcase_add_test(passwords, a_foreign_password_hash_is_checked_and_replaced);
	tcase_add_test(passwords, a_password_is_verified_and_its_hash_ages);
	tcase_add_test(passwords, an_unknown_user_costs_what_a_known_one_does);
	suite_add_tcase(suite, passwords);
	tcase_add_test(tokens, tokens_are_of_their_alphabet_and_differ);
	tcase_add_test(tokens, hashes_and_base64_are_the_standard_ones);
	suite_add_tcase(suite, tokens);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
