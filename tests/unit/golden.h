#ifndef FSA_TESTS_GOLDEN_H
#define FSA_TESTS_GOLDEN_H

/* Golden files: results of pure functions, kept in the repository so that changes are reviewed.
 * golden_check() fails the running test unless the file at `path`, relative to the source tree,
 * contains exactly `text`. If FSA_UPDATE_GOLDEN is set, it writes the file instead. */
void golden_check(const char *path, const char *text);

#endif
