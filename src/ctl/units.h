#ifndef FSA_CTL_UNITS_H
#define FSA_CTL_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* What systemd says of units, as `systemctl show` prints it: an object of strings for each unit, by
 * its name, with the properties asked for. Empty where there is no systemd. The caller
 * json_decref()s. `names` and `properties` end with NULL. */
json_t *units_show(const char *const *names, const char *properties);

/* Whether systemd hands this file to the service of that user (LoadCredential=), whoever may read
 * it. */
bool units_hand_over(const char *user, const char *path);

#endif
