#include "links.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static void close_tree(FTS **tree)
{
	if (*tree != NULL)
		(void)fts_close(*tree);
}

/* For files, the target does not matter: tar replaces the link. */
static bool leads_out(const char *link, const char *root)
{
	CLEANUP(cleanup_free) char *target = realpath(link, NULL);
	size_t length = strlen(root);
	struct stat st;

	if (target == NULL || stat(target, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	return strncmp(target, root, length) != 0 ||
	       (target[length] != '/' && target[length] != '\0' && length > 1);
}

int links_check(const char *folder, struct err *e)
{
	CLEANUP(cleanup_free) char *root = realpath(folder, NULL);

	if (root == NULL)
		return err_set(e, ERR_INVALID, NULL, "%s: %s", folder, strerror(errno));
	char *const roots[] = { root, NULL };
	CLEANUP(close_tree) FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (tree == NULL)
		abort(); /* out of memory */
	for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
		if ((entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE) &&
		    leads_out(entry->fts_path, root))
			return err_set(
				e, ERR_INVALID, "LINK_LEADS_OUT",
				"%s is a link to a folder outside of %s, where the sandbox could "
				"write through it: remove it, or copy to a new folder",
				entry->fts_path, folder);
	}
	return 0;
}
