#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum {
	FILE_MAX_BYTES = 65536,
	ID_DIGITS = 2 * KEYRING_ID_BYTES,
	KEY_CHARACTERS = 44, /* base64 of 32 bytes, padded */
	LINE_LENGTH = ID_DIGITS + 1 + KEY_CHARACTERS,
	/* A private file: no access for others, no writing for the group. */
	FORBIDDEN_MODE = 0027,
};

struct keyring {
	size_t count;
	struct keyring_key keys[KEYRING_MAX_KEYS];
};

const struct keyring_key *keyring_newest(const struct keyring *ring)
{
	return &ring->keys[0];
}

const struct keyring_key *keyring_find(const struct keyring *ring,
				       const uint8_t id[KEYRING_ID_BYTES])
{
	for (size_t i = 0; i < ring->count; i++) {
		if (memcmp(ring->keys[i].id, id, KEYRING_ID_BYTES) == 0)
			return &ring->keys[i];
	}
	return NULL;
}

size_t keyring_count(const struct keyring *ring)
{
	return ring->count;
}

void keyring_id(const struct keyring *ring, size_t index, char ret_id[17])
{
	sodium_bin2hex(ret_id, ID_DIGITS + 1, ring->keys[index].id, KEYRING_ID_BYTES);
}

void keyring_newest_id(const struct keyring *ring, uint8_t ret_id[8])
{
	memcpy(ret_id, ring->keys[0].id, KEYRING_ID_BYTES);
}

void keyring_free(struct keyring *ring)
{
	if (ring == NULL)
		return;
	sodium_memzero(ring, sizeof(*ring));
	free(ring);
}

void keyring_freep(struct keyring **ring)
{
	keyring_free(*ring);
}

static void key_id(const uint8_t public_key[KEYRING_KEY_BYTES], uint8_t ret_id[KEYRING_ID_BYTES])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, public_key, KEYRING_KEY_BYTES);
	memcpy(ret_id, hash, KEYRING_ID_BYTES);
}

/* Computes the public half and the shared secret from the private half. */
static bool complete_pair(struct keyring_key *key)
{
	return crypto_scalarmult_base(key->public_key, key->private_key) == 0 &&
	       crypto_box_beforenm(key->own_key, key->public_key, key->private_key) == 0;
}

/* Reads "<id> <key>"; false if the line has another form or the id is not the key's. */
static bool read_key(const char *line, size_t length, bool private, struct keyring_key *ret_key)
{
	struct keyring_key key = { 0 };
	uint8_t id[KEYRING_ID_BYTES];
	uint8_t *bytes = private ? key.private_key : key.public_key;
	size_t got;

	if (length != LINE_LENGTH || line[ID_DIGITS] != ' ' ||
	    sodium_hex2bin(key.id, sizeof(key.id), line, ID_DIGITS, NULL, &got, NULL) != 0 ||
	    sodium_base642bin(bytes, KEYRING_KEY_BYTES, line + ID_DIGITS + 1, KEY_CHARACTERS, NULL,
			      &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    got != KEYRING_KEY_BYTES)
		return false;
	if (private && !complete_pair(&key))
		return false;
	key_id(key.public_key, id);
	bool valid = memcmp(id, key.id, sizeof(id)) == 0;
	if (valid)
		*ret_key = key;
	sodium_memzero(&key, sizeof(key));
	return valid;
}

static int read_line(struct keyring *ring, const char *line, size_t length, bool private,
		     struct err *e)
{
	if (length == 0 || line[0] == '#')
		return 0;
	if (ring->count == KEYRING_MAX_KEYS)
		return err_set(e, ERR_INVALID, NULL, "more than %d keys", KEYRING_MAX_KEYS);
	if (!read_key(line, length, private, &ring->keys[ring->count]))
		return err_set(e, ERR_INVALID, NULL, "not a line of \"<key id> <base64 %s key>\"",
			       private ? "private" : "public");
	ring->count++;
	return 0;
}

static int read_lines(struct keyring *ring, const char *text, bool private, struct err *e)
{
	for (int number = 1; *text != '\0'; number++) {
		size_t length = strcspn(text, "\n");
		if (read_line(ring, text, length, private, e) < 0)
			return err_wrap(e, "line %d", number);
		text += length + (text[length] == '\n');
	}
	if (ring->count == 0)
		return err_set(e, ERR_INVALID, NULL, "no key in this file");
	return 0;
}

static int check_mode(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	if ((st.st_mode & FORBIDDEN_MODE) != 0)
		return err_set(
			e, ERR_INVALID, NULL,
			"%s: mode %04o lets others at a private key; chmod it to 0600 or 0640",
			path, st.st_mode & 07777);
	return 0;
}

static int load(const char *path, bool private, struct keyring **ret_ring, struct err *e)
{
	CLEANUP(keyring_freep) struct keyring *ring = mem_calloc(1, sizeof(*ring));
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(FILE_MAX_BYTES);

	if ((private && check_mode(path, e) < 0) || buf_read_file(&text, path, e) < 0)
		return -1;
	if (read_lines(ring, text.data, private, e) < 0)
		return err_wrap(e, "%s", path);
	*ret_ring = STEAL(ring);
	return 0;
}

int keyring_load_public(const char *path, struct keyring **ret_ring, struct err *e)
{
	return load(path, false, ret_ring, e);
}

int keyring_load_private(const char *path, struct keyring **ret_ring, struct err *e)
{
	return load(path, true, ret_ring, e);
}

/* ---- adding a key ---------------------------------------------------------------------------- */

/* A key file's new content and attributes. */
struct file {
	const char *path;
	mode_t mode; /* of a new file */
	const uint8_t *key;
};

/* Gives a new file the owner and mode of the one that it will replace. */
static bool take_after(const struct file *file, int fd)
{
	struct stat st = { .st_mode = file->mode, .st_uid = geteuid(), .st_gid = getegid() };

	if (stat(file->path, &st) < 0 && errno != ENOENT)
		return false;
	return fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, st.st_mode & 07777) == 0;
}

static bool write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		data += written;
		length -= (size_t)written;
	}
	return fsync(fd) == 0;
}

static int replace(const struct file *file, const struct buf *text, struct err *e)
{
	CLEANUP(cleanup_free) char *name = mem_printf("%s.XXXXXX", file->path);
	CLEANUP(cleanup_close) int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", name, strerror(errno));
	if (take_after(file, fd) && write_all(fd, text->data, text->length) &&
	    rename(name, file->path) == 0)
		return 0;
	err_set(e, ERR_INVALID, NULL, "%s: %s", file->path, strerror(errno));
	(void)unlink(name);
	return -1;
}

/* Puts the key's line in front of the file's content. */
static int prepend(const struct file *file, const char *id, struct err *e)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(FILE_MAX_BYTES);
	char line[LINE_LENGTH + 2];

	memcpy(line, id, ID_DIGITS);
	line[ID_DIGITS] = ' ';
	sodium_bin2base64(line + ID_DIGITS + 1, KEY_CHARACTERS + 1, file->key, KEYRING_KEY_BYTES,
			  sodium_base64_VARIANT_ORIGINAL);
	line[LINE_LENGTH] = '\n';
	int result = buf_append(&text, line, LINE_LENGTH + 1, e);
	sodium_memzero(line, sizeof(line));
	if (result == 0 && access(file->path, F_OK) == 0)
		result = buf_read_file(&text, file->path, e);
	return result < 0 ? -1 : replace(file, &text, e);
}

/* Opens the directory of `path`, for the caller to close, and locks it against another
 * keyring_add(). */
static int lock_directory(const char *path, int *ret_fd, struct err *e)
{
	CLEANUP(cleanup_free) char *copy = mem_strdup(path);
	const char *name = dirname(copy);

	*ret_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 || flock(*ret_fd, LOCK_EX) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", name, strerror(errno));
	return 0;
}

/* Checks that an existing file is valid, so that nothing is added to a file that no program would
 * load. */
static int check_existing(const char *path, bool private, struct err *e)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;

	return access(path, F_OK) == 0 ? load(path, private, &ring, e) : 0;
}

int keyring_add(const char *public_path, const char *private_path, char ret_id[17], struct err *e)
{
	CLEANUP(cleanup_close) int lock = -1;
	uint8_t public_key[KEYRING_KEY_BYTES], private_key[KEYRING_KEY_BYTES];
	uint8_t id[KEYRING_ID_BYTES];
	char id_text[ID_DIGITS + 1];

	if (lock_directory(private_path, &lock, e) < 0 ||
	    check_existing(public_path, false, e) < 0 || check_existing(private_path, true, e) < 0)
		return -1;
	crypto_box_keypair(public_key, private_key);
	key_id(public_key, id);
	sodium_bin2hex(id_text, sizeof(id_text), id, sizeof(id));
	/* The private half first: nothing may be sealed to a key that nobody can open. */
	const struct file files[] = { { private_path, 0600, private_key },
				      { public_path, 0644, public_key } };
	int result = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files) && result == 0; i++)
		result = prepend(&files[i], id_text, e);
	sodium_memzero(private_key, sizeof(private_key));
	if (result == 0)
		memcpy(ret_id, id_text, sizeof(id_text));
	return result;
}
