"""What runs in the reader's browser, and its Python face."""
