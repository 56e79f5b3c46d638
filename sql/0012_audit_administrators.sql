-- What administrators did: few lines among many, which `fsactl audit --user` looks through for those that
-- concern one user.
CREATE INDEX audit_administrators ON audit (id DESC) WHERE starts_with(action, 'admin.');
