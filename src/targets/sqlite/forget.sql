DELETE FROM weir_target_seen WHERE target_id = ?1
