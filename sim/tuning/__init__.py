"""How often to save, and what to improve first."""
