"""The work of a job: what it has trained, what of that is saved, and what failures throw away."""
