#ifndef SANDBOXD_IMPORT_H
#define SANDBOXD_IMPORT_H

/* The import of the project's repository is a program of the image. It runs as the process
 * "import", whose output is the log of that name, and writes where it stands to a file in the home
 * directory (place_init() first). A start that fails is printed. */
void import_start(const char *program);

#endif
