-- Those who wait for the end of the pause are not late; once it is over they are.
GRANT SELECT (until) ON spending_pause TO fsa_api;
