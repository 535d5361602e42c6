"""The words of the language: one block of keys a file, checked by itself, and the values that they take."""
