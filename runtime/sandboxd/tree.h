#ifndef SANDBOXD_TREE_H
#define SANDBOXD_TREE_H

/*
 * Directories with all that is below them. No link is followed. All of it may take long, and is for
 * a child process (helper.h).
 */

/* Both: 0, or -1 with errno. */
int tree_remove(int directory, const char *name);
/* Moves what is in one directory into another one on the same volume, where it replaces files of
 * the same name. Nothing is moved when a directory is in the place of a file, or the other way
 * round. */
int tree_merge(int from, const char *from_name, int to, const char *to_name);

#endif
