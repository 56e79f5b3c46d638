#ifndef FSA_DOMAIN_REMEDY_H
#define FSA_DOMAIN_REMEDY_H

/*
 * Remedies for errors that need more than a sentence: text with commands to copy, a member of the
 * response beside the message. NULL: the message is enough. docs/kubeconfig.md has the same texts;
 * a test compares them.
 */
const char *remedy_for(const char *code);

#endif
