"""The sections of all pages, one file for each figure with its data, drawing, table and words."""
