#include "sandboxd/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandboxd/place.h"

enum { DEPTH_MAX = 256 };

static bool is_entry(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int open_directory(int directory, const char *name)
{
	return openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- removing ------------------------------------------------------------------------------ */

static int remove_at(int directory, const char *name, int depth);

static int remove_content(int directory, const char *name, int depth)
{
	int fd = open_directory(directory, name);
	DIR *content = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int done = 0;

	if (content == NULL)
		return -1;
	while (done == 0 && (entry = readdir(content)) != NULL)
		if (is_entry(entry->d_name))
			done = remove_at(dirfd(content), entry->d_name, depth + 1);
	int number = errno;
	closedir(content);
	errno = number;
	return done;
}

static int remove_at(int directory, const char *name, int depth)
{
	if (unlinkat(directory, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth > DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return remove_content(directory, name, depth) < 0 ? -1
							  : unlinkat(directory, name, AT_REMOVEDIR);
}

int tree_remove(int directory, const char *name)
{
	return remove_at(directory, name, 0);
}

/* ---- moving into --------------------------------------------------------------------------- */

/* Whether to move the content, or only to look for obstacles. */
enum merge { MERGE_LOOK, MERGE_MOVE };

static int merge_content(int from, int to, int depth, enum merge how);

static int merge_directory(int from, int to, const char *name, int depth, enum merge how)
{
	CLEANUP(cleanup_close) int inner_to = open_directory(to, name);
	int inner_from = inner_to >= 0 ? open_directory(from, name) : -1;

	return inner_from >= 0 ? merge_content(inner_from, inner_to, depth + 1, how) : -1;
}

static int merge_entry(int from, int to, const char *name, int depth, enum merge how)
{
	struct stat new, old;

	if (fstatat(from, name, &new, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	bool exists = fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
	if (exists && S_ISDIR(new.st_mode) && S_ISDIR(old.st_mode))
		return merge_directory(from, to, name, depth, how);
	if (exists && S_ISDIR(new.st_mode) != S_ISDIR(old.st_mode)) {
		dprintf(STDERR_FILENO, "%s is a directory on one side only", name);
		errno = EEXIST;
		return -1;
	}
	return how == MERGE_MOVE ? renameat(from, name, to, name) : 0;
}

/* Closes `from`. */
static int merge_content(int from, int to, int depth, enum merge how)
{
	DIR *content = fdopendir(from);
	const struct dirent *entry;
	int done = 0;

	if (content == NULL)
		return -1;
	if (depth > DEPTH_MAX || place_is_hidden(to)) {
		errno = depth > DEPTH_MAX ? ENAMETOOLONG : EPERM;
		done = -1;
	}
	while (done == 0 && (entry = readdir(content)) != NULL)
		if (is_entry(entry->d_name))
			done = merge_entry(from, to, entry->d_name, depth, how);
	int number = errno;
	closedir(content);
	errno = number;
	return done;
}

int tree_merge(int from, const char *from_name, int to, const char *to_name)
{
	CLEANUP(cleanup_close) int target = open_directory(to, to_name);
	int done = target >= 0 ? 0 : -1;

	for (enum merge how = MERGE_LOOK; done == 0 && how <= MERGE_MOVE; how++) {
		int source = open_directory(from, from_name);
		done = source >= 0 ? merge_content(source, target, 0, how) : -1;
	}
	return done;
}
