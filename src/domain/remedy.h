#ifndef FSA_DOMAIN_REMEDY_H
#define FSA_DOMAIN_REMEDY_H

/*
 * What to do about an error, where that takes more than a sentence: text with commands to copy, a
 * member of the answer beside the message. NULL: the message says it all. docs/kubeconfig.md has
 * the same texts; a test compares them.
 */
const char *remedy_for(const char *code);

#endif
