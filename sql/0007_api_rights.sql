-- Of a sandbox api.fcgi changes what its owner asks for, and no image, host or limit.
REVOKE UPDATE ON sandboxes FROM fsa_api;
GRANT UPDATE (request_env_sealed, restarts) ON sandboxes TO fsa_api;
