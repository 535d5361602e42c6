"""The work of a job that may lose more than its last stretch: tiers of copies, and what falls back to them."""
