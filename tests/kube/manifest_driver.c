/*
 * What test_manifests.py needs of the manifest layer, about two objects in JSON files:
 *
 *	manifest_driver covers LIVE WANTED	exits 0 if LIVE has all of WANTED, 1 if not
 *	manifest_driver keep LIVE WANTED	prints WANTED with what LIVE cannot change
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "manifest/manifest.h"

enum { EXIT_USAGE = 2 };

static json_t *read_object(const char *path)
{
	json_error_t error;
	json_t *object = json_load_file(path, 0, &error);

	if (object == NULL) {
		(void)fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		exit(EXIT_USAGE);
	}
	return object;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "covers") != 0 && strcmp(argv[1], "keep") != 0)) {
		(void)fputs("usage: manifest_driver covers|keep LIVE WANTED\n", stderr);
		return EXIT_USAGE;
	}
	json_auto_t *live = read_object(argv[2]);
	json_auto_t *wanted = read_object(argv[3]);
	if (strcmp(argv[1], "covers") == 0)
		return manifest_covers(live, wanted) ? EXIT_SUCCESS : EXIT_FAILURE;
	manifest_keep_immutable(wanted, live);
	return json_dumpf(wanted, stdout, JSON_COMPACT) == 0 ? EXIT_SUCCESS : EXIT_USAGE;
}
