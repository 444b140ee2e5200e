"""What was observed: frozen records (:mod:`.model`) and where they are kept (:mod:`.store`)."""
