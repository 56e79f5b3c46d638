#ifndef FSA_STORE_CONTEXTS_H
#define FSA_STORE_CONTEXTS_H

/*
 * The context to which each stored secret is sealed (crypto/seal.h), as printf forms: it ties the
 * ciphertext to its row, so that it cannot be opened in another. %s is the only conversion, as
 * store/sealed.c gives the same forms to PostgreSQL's format() for a change of keys.
 *
 * The form: kubeconfigs and the tokens of identities are written by who has the public key alone
 * (seal(), unseal()); all others by holders of the owner's private key (seal_own(), unseal_own()).
 */
#define CONTEXT_ANSWER      "answer:%s:%s"      /* user, Idempotency-Key */
#define CONTEXT_CRASH_LOG   "crash-log:%s"      /* sandbox */
#define CONTEXT_DATABASE    "database:%s"       /* database: its password */
#define CONTEXT_ENVIRONMENT "environment:%s:%s" /* project, key */
#define CONTEXT_IDENTITY    "identity:%s:%s"    /* provider, its id of the user: a token */
#define CONTEXT_KUBECONFIG  "kubeconfig:%s"     /* cluster: the default one's id is its user's */
#define CONTEXT_REQUEST_ENV "request-env:%s"    /* sandbox */
#define CONTEXT_SETTING     "setting:%s:%s"     /* user, key */
#define CONTEXT_TERMINAL    "terminal:%s"       /* sandbox: its access token */

#endif
