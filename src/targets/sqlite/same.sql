-- A row that is there like this already, as columns of weir_target.
SELECT version, changed FROM weir_target
WHERE id = ?1 AND (job, instance, json(labels), mode, address, enabled, json(attributes),
	interval_seconds, silent_after, json(thresholds))
	IS (?2, ?3, json(?4), ?5, ?6, CAST(?7 AS INTEGER), json(?8), CAST(?9 AS REAL), CAST(?10 AS REAL),
		json(?11))
