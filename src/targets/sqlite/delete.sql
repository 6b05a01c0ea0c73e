DELETE FROM weir_target WHERE id = ?1
