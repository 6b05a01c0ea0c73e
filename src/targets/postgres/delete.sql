DELETE FROM weir_target WHERE id = ANY ($1::text[])
