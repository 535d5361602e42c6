"""The work of a job that may lose more than its last segment, and the copies that it falls back to."""
