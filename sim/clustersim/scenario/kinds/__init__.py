"""What comes in several kinds: each owns its keys, its traits and its action; nobody asks for its name."""
