"""High-precision reference tables, and the short scripts that regenerate them."""
