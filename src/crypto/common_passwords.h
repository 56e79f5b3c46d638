#ifndef FSA_CRYPTO_COMMON_PASSWORDS_H
#define FSA_CRYPTO_COMMON_PASSWORDS_H

#include <stdbool.h>

/* Whether a password, in any case of its letters, is one of the few hundred that people choose most
 * among those of 8 characters and more: what online guessing tries first (NIST SP 800-63B, 5.1.1.2:
 * compare with values known to be common). */
bool common_passwords_contain(const char *password);

#endif
