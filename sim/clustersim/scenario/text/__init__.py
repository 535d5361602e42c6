"""From text to plain data and back: YAML with positions, bases, overrides, errors."""
