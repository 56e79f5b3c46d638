-- A claim looks the first due rows of some users up, instead of reading all due rows.
CREATE INDEX resources_user_due ON resources (user_id, due_at);
