-- One more mode.
ALTER TABLE weir_target DROP CONSTRAINT IF EXISTS weir_target_mode_check;
ALTER TABLE weir_target ADD CONSTRAINT weir_target_mode_check
	CHECK (mode IN ('push', 'pull', 'static', 'virtual', 'dns', 'image', 'collector', 'service'));
