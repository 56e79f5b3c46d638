#include "sites.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"

enum { FILE_MAX = 1 << 20, URL_PARTS = 3 };

static int find_folder(char **ret_path, struct err *e)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config != NULL && config[0] == '/')
		*ret_path = mem_printf("%s/fsa", config);
	else if (home != NULL && home[0] == '/')
		*ret_path = mem_printf("%s/.config/fsa", home);
	else
		return err_set(e, ERR_INVALID, "NO_HOME",
			       "neither XDG_CONFIG_HOME nor HOME says where to keep tokens");
	return 0;
}

static int check_mode(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	if ((st.st_mode & 077) != 0 || st.st_uid != geteuid())
		return err_set(e, ERR_INVALID, "SITES_NOT_PRIVATE",
			       "%s holds tokens, and is not yours alone: chown and chmod 600 it",
			       path);
	return 0;
}

static int read_all(int fd, const char *path, struct buf *text, struct err *e)
{
	char part[4096];
	ssize_t got;

	while ((got = read(fd, part, sizeof(part))) > 0) {
		if (buf_append(text, part, (size_t)got, e) < 0)
			return err_wrap(e, "%s", path);
	}
	return got < 0 ? err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno)) : 0;
}

static json_t *no_sites(void)
{
	return json_pack("{s:n, s:{}}", "current", "sites");
}

int sites_load(json_t **ret_sites, struct err *e)
{
	CLEANUP(cleanup_free) char *folder = NULL;
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(FILE_MAX);
	json_error_t where;

	if (find_folder(&folder, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *path = mem_printf("%s/sites.json", folder);
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT) {
		*ret_sites = no_sites();
		return 0;
	}
	if (fd < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	if (check_mode(fd, path, e) < 0 || read_all(fd, path, &text, e) < 0)
		return -1;
	*ret_sites = json_loadb(text.data ? text.data : "", text.length, 0, &where);
	if (!json_is_object(json_object_get(*ret_sites, "sites"))) {
		json_decref(*ret_sites);
		return err_set(e, ERR_INVALID, "SITES_BROKEN",
			       "%s is not as fsa writes it: remove it, and log in again", path);
	}
	return 0;
}

/* Parent folders may be missing in a new home. */
static int make_folders(const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *part = mem_strdup(path);

	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0700); /* errors show at the last one */
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	return 0;
}

/* mkostemp() makes files that only their owner can read. */
static bool write_new(const char *text, unsigned mode, int fd)
{
	FILE *file = fdopen(fd, "w");

	if (file == NULL)
		abort(); /* out of memory */
	bool written = fputs(text, file) >= 0 && fflush(file) == 0 && fchmod(fd, mode) == 0 &&
		       fsync(fd) == 0;
	return fclose(file) == 0 && written;
}

int sites_replace(const char *path, const char *text, unsigned mode, struct err *e)
{
	CLEANUP(cleanup_free) char *temporary = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	if (write_new(text, mode, fd) && rename(temporary, path) == 0)
		return 0;
	(void)err_set(e, ERR_INVALID, NULL, "%s: %s", path, strerror(errno));
	(void)unlink(temporary);
	return -1;
}

int sites_folder(char **ret_folder, struct err *e)
{
	CLEANUP(cleanup_free) char *folder = NULL;

	if (find_folder(&folder, e) < 0 || make_folders(folder, e) < 0)
		return -1;
	*ret_folder = STEAL(folder);
	return 0;
}

int sites_save(const json_t *sites, struct err *e)
{
	CLEANUP(cleanup_free) char *folder = NULL;

	if (sites_folder(&folder, e) < 0)
		return -1;
	CLEANUP(cleanup_free) char *path = mem_printf("%s/sites.json", folder);
	char *text = json_dumps(sites, JSON_INDENT(2));
	if (text == NULL)
		abort(); /* out of memory */
	int status = sites_replace(path, text, 0600, e);
	explicit_bzero(text, strlen(text));
	free(text);
	return status;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Compares addresses, not the beginning of a name. */
static bool is_loopback(const char *host)
{
	struct in_addr address;

	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_this_machine(const char *host)
{
	size_t length = strlen(host);

	return strcmp(host, "localhost") == 0 || is_loopback(host) || strcmp(host, "[::1]") == 0 ||
	       (length > 10 && strcmp(host + length - 10, ".localhost") == 0);
}

static char *take_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
		return mem_strdup("");
	char *copy = mem_strdup(text);
	curl_free(text);
	return copy;
}

static int read_url(CURLU *parsed, const char *url, char **ret_url, struct err *e)
{
	CLEANUP(cleanup_free)
	char *with_scheme = mem_printf("%s%s", strstr(url, "://") != NULL ? "" : "https://", url);

	if (curl_url_set(parsed, CURLUPART_URL, with_scheme, CURLU_DISALLOW_USER) != CURLUE_OK)
		return err_set(e, ERR_INVALID, "INVALID_SITE",
			       "\"%s\" is not a site's address, as https://fsa.example.com", url);
	CLEANUP(cleanup_free) char *scheme = take_part(parsed, CURLUPART_SCHEME);
	CLEANUP(cleanup_free) char *host = take_part(parsed, CURLUPART_HOST);
	CLEANUP(cleanup_free) char *port = take_part(parsed, CURLUPART_PORT);
	if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || !is_this_machine(host)))
		return err_set(e, ERR_INVALID, "INVALID_SITE",
			       "\"%s\": a site is reached by https, or everybody on the way could "
			       "read your token",
			       url);
	*ret_url = mem_printf("%s://%s%s%s", scheme, host, port[0] != '\0' ? ":" : "", port);
	return 0;
}

int sites_url(const char *url, char **ret_url, struct err *e)
{
	CURLU *parsed = curl_url();
	int status;

	if (parsed == NULL)
		abort(); /* out of memory */
	status = read_url(parsed, url, ret_url, e);
	curl_url_cleanup(parsed);
	return status;
}

/* ---- the contents of the file ---------------------------------------------------------------- */

int sites_add(const char *url, const char *token, const char *ca_file, struct err *e)
{
	CLEANUP(json_decrefp) json_t *sites = NULL;

	if (sites_load(&sites, e) < 0)
		return -1;
	json_t *site = json_pack("{s:s, s:s*}", "token", token, "caFile", ca_file);
	(void)json_object_set_new(json_object_get(sites, "sites"), url, site);
	(void)json_object_set_new(sites, "current", json_string(url));
	return sites_save(sites, e);
}

int sites_remove(const char *url, struct err *e)
{
	CLEANUP(json_decrefp) json_t *sites = NULL;

	if (sites_load(&sites, e) < 0)
		return -1;
	json_t *all = json_object_get(sites, "sites");
	if (json_object_del(all, url) < 0)
		return err_set(e, ERR_NOT_FOUND, NULL, "not logged in to %s", url);
	/* If only one site is left, it becomes the current one. */
	void *only = json_object_size(all) == 1 ? json_object_iter(all) : NULL;
	(void)json_object_set_new(sites, "current",
				  only ? json_string(json_object_iter_key(only)) : json_null());
	return sites_save(sites, e);
}

int sites_find(const char *wanted, char **ret_url, json_t **ret_site, struct err *e)
{
	CLEANUP(json_decrefp) json_t *sites = NULL;

	if (sites_load(&sites, e) < 0)
		return -1;
	const char *current = json_string_value(json_object_get(sites, "current"));
	if (wanted == NULL && current == NULL)
		return err_set(e, ERR_UNAUTHENTICATED, "NOT_LOGGED_IN",
			       "not logged in to a site: fsa login URL");
	CLEANUP(cleanup_free) char *url = NULL;
	if (sites_url(wanted != NULL ? wanted : current, &url, e) < 0)
		return -1;
	json_t *site = json_object_get(json_object_get(sites, "sites"), url);
	if (!json_is_string(json_object_get(site, "token")))
		return err_set(e, ERR_UNAUTHENTICATED, "NOT_LOGGED_IN",
			       "not logged in to %s: fsa login %s", url, url);
	*ret_site = json_incref(site);
	*ret_url = STEAL(url);
	return 0;
}
