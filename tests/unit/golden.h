#ifndef FSA_TESTS_GOLDEN_H
#define FSA_TESTS_GOLDEN_H

/*
 * Golden files: what a pure function gives, kept in the tree so that a change of it is seen in
 * review. golden_check() fails the running test unless the file at `path`, relative to the source
 * tree, holds exactly `text`. With FSA_UPDATE_GOLDEN set it writes the file instead.
 */
void golden_check(const char *path, const char *text);

#endif
