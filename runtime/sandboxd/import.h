#ifndef SANDBOXD_IMPORT_H
#define SANDBOXD_IMPORT_H

#include <stdbool.h>

/* The import of the project's repository is a program of the image. It runs as the process
 * "import", whose output is the log of that name, and writes where it stands to a file in the home
 * directory (place_init() first). A start that fails is printed. */
void import_start(const char *program);
bool import_is_running(void);
/* The path of the repository's clone, if it is there; otherwise NULL. The caller frees. */
char *import_folder(void);

#endif
