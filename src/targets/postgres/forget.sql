DELETE FROM weir_target_seen WHERE target_id = ANY ($1::text[])
