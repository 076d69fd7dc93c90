"""Content converted between charsets, and what declares them."""
